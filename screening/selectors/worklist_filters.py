"""What a user chooses in the worklist: a state, filters and the order of the exams."""

from dataclasses import dataclass
from enum import StrEnum

from django.db.models import F, Q, QuerySet
from django.utils import timezone

from screening.models import Exam, ExamLock, FirstReading, Site, User
from screening.policy import ExamQuality, WorklistRank
from screening.policy.exam_states import PHOTOGRAPHED, WAITING, ExamState
from screening.selectors.drafts import own_drafts
from screening.selectors.readings import is_first_reader_waited, is_second_reader_waited


class WorklistState(StrEnum):
    """Which exams are listed."""

    WAITING = "waiting"
    """Submitted, and waiting for a reviewer."""
    OPEN = "open"
    """Being photographed."""
    RETURNED = "returned"
    """Open again: a reviewer returned them to the photographer."""

    @property
    def statuses(self) -> frozenset[ExamState]:
        """Those of the exams in this state."""
        if self is WorklistState.WAITING:
            return WAITING
        return frozenset({ExamState.RETURNED}) if self is WorklistState.RETURNED else PHOTOGRAPHED

    @property
    def exams(self) -> Q:
        """The exams in this state."""
        return Q(status__in=sorted(self.statuses))


class Reading(StrEnum):
    """Which reading the exam waits for."""

    FIRST = "first"
    SECOND = "second"
    """By the user: a colleague has signed the first one."""
    ARBITRATION = "arbitration"


class WorklistSort(StrEnum):
    """The order of the exams. None of them depends on the model's result at a blind-first site."""

    BAND = "band"
    """By band (``policy.WorklistBand``), then due time. Open exams: returned ones first, then newest first."""
    DUE = "due"
    WAITING = "waiting"
    """Waiting for the longest time first."""
    PATIENT = "patient"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorklistFilters:
    """Filters of the worklist. Nothing in it identifies a patient: it can be part of an address.

    ``rank`` is masked for a blind reader (``selectors.worklist``).
    """

    state: WorklistState = WorklistState.WAITING
    site: Site | None = None
    quality: ExamQuality | None = None
    rank: WorklistRank | None = None
    reading: Reading | None = None
    is_mine: bool = False
    is_overdue: bool = False
    sort: WorklistSort = WorklistSort.BAND


def filtered(exams: QuerySet[Exam], filters: WorklistFilters, user: User) -> QuerySet[Exam]:
    """The exams that match all filters but ``rank``. NB: the caller restricts them to the user's sites."""
    exams = exams.filter(filters.state.exams)
    if filters.site is not None:
        exams = exams.filter(site=filters.site)
    if filters.quality is not None:
        exams = exams.filter(quality=filters.quality)
    if filters.is_overdue:
        exams = exams.filter(overdue())
    if filters.is_mine:
        exams = exams.filter(mine(user, filters.state))
    if filters.reading is not None:
        exams = exams.filter(waits_for(filters.reading, user))
    return exams


def overdue() -> Q:
    """Exams whose due time has passed."""
    return Q(due_at__lt=timezone.now())


def mine(user: User, state: WorklistState) -> Q:
    """Exams in a state that ``user`` began: opened to photograph, or taken or read in part (a draft, a first reading).

    Of an exam that waits, the union of a few rows of the user, so that a database does not ask it of each exam.
    """
    if state is not WorklistState.WAITING:
        return Q(opened_by=user)
    current = {"exam__status__in": sorted(WAITING), "reading_round": F("exam__reading_round")}
    drafts = own_drafts(user).filter(**current).order_by().values("exam")
    read = FirstReading.objects.filter(reviewer=user, **current).order_by().values("exam")
    taken = ExamLock.objects.filter(holder=user, expires_at__gt=timezone.now()).order_by().values("exam")
    return Q(pk__in=drafts.union(read, taken))


def waits_for(reading: Reading, user: User) -> Q:
    """Exams that wait for this reading; for a second one by ``user``."""
    if reading is Reading.FIRST:
        return is_first_reader_waited()
    return is_second_reader_waited(user) if reading is Reading.SECOND else Q(status=ExamState.ARBITRATION)
