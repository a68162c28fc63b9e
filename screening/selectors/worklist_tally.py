"""The exams of the worklist, counted by all that its filters distinguish: one query for the counts of a page."""

import uuid
from dataclasses import dataclass
from typing import Any

from django.db.models import Case, Count, Value, When

from screening.models import User
from screening.policy import ExamQuality, WorklistRank
from screening.policy.exam_states import FIRST_READER_WAITED, PHOTOGRAPHED, WAITING, ExamState
from screening.request_facts import once_in_request
from screening.selectors.gradings import list_site_views
from screening.selectors.worklist_filters import Reading, WorklistFilters, mine, overdue, waits_for
from screening.selectors.worklist_masks import SiteViews, is_hidden_at, is_neutral_band, of_sites, rank_by_quality


@dataclass(frozen=True, slots=True)
class ExamGroup:
    """Exams that agree in all of this, and their number. ``rank`` is masked for a blind reader."""

    site_id: uuid.UUID
    status: ExamState
    quality: ExamQuality
    rank: WorklistRank
    has_hidden_band: bool
    """Whether the user reads the exams blind, and their band follows from the model's rank."""
    is_overdue: bool
    n: int

    def matches(self, filters: WorklistFilters) -> bool:
        """Whether its exams match the filters, apart from those that depend on the user (``tally``)."""
        is_at_site = filters.site is None or filters.site.pk == self.site_id
        is_of_kind = filters.quality in {None, self.quality} and filters.rank in {None, self.rank}
        is_in_state = self.status in filters.state.statuses and self.status in _STATUSES.get(filters.reading, WAITING)
        is_in_time = not filters.is_overdue or self.is_overdue
        return is_at_site and is_of_kind and is_in_state and is_in_time


SEVERAL_READINGS = (ExamState.SECOND_READING, ExamState.ARBITRATION)
_STATUSES: dict[Reading | None, frozenset[ExamState]] = {
    None: PHOTOGRAPHED | WAITING,
    Reading.FIRST: frozenset(FIRST_READER_WAITED),
    Reading.ARBITRATION: frozenset({ExamState.ARBITRATION}),
}


@dataclass(frozen=True, slots=True)
class Tally:
    """The groups of exams, and how the user sees each site."""

    views: SiteViews
    groups: tuple[ExamGroup, ...]

    def count(self, filters: WorklistFilters) -> int:
        """Number of exams that match the filters."""
        return sum(group.n for group in self.groups if group.matches(filters))

    @property
    def has_several_readings(self) -> bool:
        """Whether exams wait for a second reader or an arbiter."""
        return any(group.status in SEVERAL_READINGS for group in self.groups)

    @property
    def has_revealing_band(self) -> bool:
        """Whether a waiting exam that the user reads blind has a band that follows from the model's rank."""
        return any(group.has_hidden_band and group.status in WAITING for group in self.groups)


def tally(user: User, filters: WorklistFilters | None = None) -> Tally:
    """All exams of the user's sites by group; only the user's own ones if the filters ask for them.

    So it is for ``is_mine``, and for exams that wait for a second reading by the user. Two queries; none if a request
    that only reads has asked before.
    """
    filters = filters or WorklistFilters()
    key = WorklistFilters(
        state=filters.state if filters.is_mine else WorklistFilters().state,
        reading=filters.reading if filters.reading is Reading.SECOND else None,
        is_mine=filters.is_mine,
    )
    return once_in_request(("worklist", user.pk, key), lambda: _load(user, key))


def _load(user: User, filters: WorklistFilters) -> Tally:
    """NB: the ranks of a blind reader are masked here, by group: in the query they would be computed of each exam."""
    views = list_site_views(user)
    exams = of_sites(views).filter(status__in=sorted(PHOTOGRAPHED | WAITING)).order_by()
    if filters.is_mine:
        exams = exams.filter(mine(user, filters.state))
    if filters.reading is not None:
        exams = exams.filter(waits_for(filters.reading, user))
    is_late = Case(When(overdue(), then=Value(True)), default=Value(False))  # noqa: FBT003
    columns = ("site", "status", "quality", "worklist_rank", "worklist_band", "is_late")
    rows = exams.annotate(is_late=is_late).values_list(*columns).annotate(n=Count("pk"))
    return Tally(views, tuple(_group(views, *row) for row in rows))


def _group(views: SiteViews, site: uuid.UUID, status: str, quality: str, rank: int, band: int, *rest: Any) -> ExamGroup:
    is_hidden = is_hidden_at(views[site], status)
    shown = rank_by_quality(quality) if is_hidden else WorklistRank(rank)
    has_hidden_band = is_hidden and not is_neutral_band(views[site], band)
    return ExamGroup(site, ExamState(status), ExamQuality(quality), shown, has_hidden_band, *rest)
