"""Referrals: the list with its filters, one with its history, and those of a patient or an exam.

A reader who has yet to read an exam blind sees no referral of it, nor does one who was reading when a colleague signed.
"""

import datetime
import uuid
from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone

from screening.access import Action, can, restrict, site_ids_for
from screening.models import Exam, Referral, ReferralEvent, ReferralFeedback, Site, User
from screening.policy.exam_states import ExamState
from screening.policy.referrals import CLOSED_STATES, ReferralState
from screening.request_facts import only_reads, values_in_request
from screening.selectors.drafts import is_late_reader, late_exam_ids
from screening.selectors.gradings import unread_by
from screening.selectors.list_rows import count_up_to_limit
from screening.selectors.patients import matching_ids
from screening.selectors.sites import zones_of_sites


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralFilters:
    """What is listed: referrals in ``state`` (None: all that are open), of a site, of an urgency, only late ones."""

    state: ReferralState | None = None
    site: Site | None = None
    urgency: str | None = None
    is_late: bool = False


@dataclass(frozen=True, slots=True)
class ReferralCounts:
    """Number of referrals in each state, of those that are open, and of the late ones among them."""

    states: dict[ReferralState, int]
    open: int
    late: int


ALL_OPEN = ReferralFilters()


def referrals_for(user: User) -> QuerySet[Referral]:
    """Referrals of the user's sites without those of exams that the user has yet to read. NB: in no order.

    A late reader has yet to read the exam at every site, not only at a blind-first one.
    """
    rows = restrict(Referral.objects.exclude(is_late_reader(user, exam="exam")), user)
    return rows.exclude(exam__in=_ids_read_again(user)).order_by()


def _ids_read_again(user: User) -> QuerySet[Exam, uuid.UUID] | list[uuid.UUID]:
    return values_in_request(("read again", user.pk), lambda: _exams_read_again(user))


def _exams_read_again(user: User) -> QuerySet[Exam, uuid.UUID]:
    """Ids of exams that ``user`` has yet to read and that can have a referral.

    They were signed before, and are open again. They are few: a database finds them once, not for each referral.
    """
    if only_reads() and not can(user, Action.REVIEW_EXAM):  # on each page of a photographer
        return Exam.objects.none().values_list("pk", flat=True)
    again = Exam.objects.filter(reading_round__gt=0).exclude(status=ExamState.SIGNED)
    return unread_by(again, user).order_by().values_list("pk", flat=True)


def list_referrals(*, user: User, filters: ReferralFilters = ALL_OPEN) -> QuerySet[Referral]:
    """Referrals that match, those whose next step is due first, so that late ones lead; closed ones newest first.

    Each has ``site``, ``exam`` and its patient loaded.
    """
    rows = _filtered(referrals_for(user), filters, user).select_related("site", "exam__patient")
    if filters.state in CLOSED_STATES:
        return rows.order_by("-made_on", "pk")
    return rows.order_by("due_on", "made_on", "pk")


def search_referrals(*, user: User, filters: ReferralFilters, text: str) -> QuerySet[Referral]:
    """``list_referrals`` of the patients whom ``search_patients`` finds by ``text``."""
    return list_referrals(user=user, filters=filters).filter(exam__patient__in=matching_ids(text))


def count_referrals(*, user: User, site: Site | None = None) -> ReferralCounts:
    """How many referrals there are in each state, of one site or of all sites of the user; five queries.

    Closed ones are counted up to a limit (``selectors.list_rows``).
    """
    rows = referrals_for(user)
    if site is not None:
        rows = rows.filter(site=site)
    late = Count("pk", filter=late_referrals(user))
    found = list(rows.exclude(state__in=CLOSED_STATES).values_list("state").annotate(n=Count("pk"), n_late=late))
    states = {state: sum(n for one, n, _late in found if one == state) for state in ReferralState}
    states |= {state: count_up_to_limit(rows.filter(state=state)) for state in ReferralState if state in CLOSED_STATES}
    n_open = sum(n for state, n in states.items() if state not in CLOSED_STATES)
    return ReferralCounts(states, n_open, sum(n_late for *_rest, n_late in found))


def count_late_referrals(user: User) -> int | None:
    """Late referrals at the sites where ``user`` may act; None for a user who may not."""
    if not can(user, Action.UPDATE_REFERRAL):
        return None
    late = late_referrals(user) & Q(site__in=site_ids_for(user, Action.UPDATE_REFERRAL))
    n_late = Referral.objects.filter(late).count()  # on each page: most of the time none is hidden, and this is faster
    hides_none = only_reads() and not late_exam_ids(user) and not _ids_read_again(user)
    return n_late if not n_late or hides_none else referrals_for(user).filter(late).count()


def get_referral(*, user: User, referral_id: uuid.UUID) -> Referral:
    """A referral with its patient, history and results. Raises Http404."""
    rows = referrals_for(user).select_related("site", "exam__patient", "exam__site", "review__reviewer")
    return get_object_or_404(rows, pk=referral_id)


def events_of(referral: Referral) -> QuerySet[ReferralEvent]:
    """The history, oldest first."""
    return referral.events.select_related("recorded_by").order_by("created_at", "pk")


def feedback_of(referral: Referral) -> QuerySet[ReferralFeedback]:
    """Recorded results of the hospital, newest first: the first one counts."""
    return referral.feedback.select_related("recorded_by").order_by("-created_at", "pk")


def referrals_of_patient(*, user: User, patient_id: uuid.UUID) -> QuerySet[Referral]:
    """Referrals of the exams that a patient has now, newest first."""
    rows = referrals_for(user).filter(exam__patient=patient_id).select_related("site")
    return rows.order_by("-made_on", "-created_at", "pk")


def referrals_of_exam(*, user: User, exam_id: uuid.UUID) -> QuerySet[Referral]:
    """Referrals of an exam, newest first: at most one is not withdrawn."""
    return referrals_for(user).filter(exam=exam_id).select_related("site").order_by("-made_on", "-created_at", "pk")


def late_referrals(user: User) -> Q:
    """Filter of referrals whose next step is overdue, by the day at each site of ``user``."""
    days: dict[datetime.date, list[uuid.UUID]] = {}
    for site in zones_of_sites(user):
        days.setdefault(timezone.localdate(timezone=site.zone), []).append(site.site_id)
    late = Q(pk__in=())
    for today, sites in days.items():
        late |= Q(due_on__lt=today, site__in=sites)
    return late


def _filtered(rows: QuerySet[Referral], filters: ReferralFilters, user: User) -> QuerySet[Referral]:
    if filters.state is None:
        rows = rows.exclude(state__in=[state.value for state in CLOSED_STATES])
    else:
        rows = rows.filter(state=filters.state)
    if filters.site is not None:
        rows = rows.filter(site=filters.site)
    if filters.urgency is not None:
        rows = rows.filter(urgency=filters.urgency)
    return rows.filter(late_referrals(user)) if filters.is_late else rows
