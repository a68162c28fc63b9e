"""How many exams the worklist has: in each view, of each choice of a filter, and in the menu."""

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, replace

from django.core.cache import cache
from django.db.models import Count
from redis import RedisError

from screening.access import Action, can
from screening.models import Site, User
from screening.policy import ExamQuality, WorklistRank
from screening.policy.exam_states import PHOTOGRAPHED, WAITING
from screening.selectors.gradings import list_site_views
from screening.selectors.readings import is_arbiter_waited, is_second_reader_waited
from screening.selectors.worklist_filters import (
    WorklistFilters,
    WorklistState,
    filtered,
    mine,
    overdue,
)
from screening.selectors.worklist_masks import masked_rank, of_sites

MENU_CACHED_S = 20
_CACHE_ERRORS = (RedisError, OSError)


@dataclass(frozen=True, slots=True)
class WorklistCounts:
    """Number of exams in each view of the worklist.

    ``second``: waiting for a second reading, by the user. ``arbitration``: waiting for a decision by the user.
    """

    waiting: int
    overdue: int
    open: int
    returned: int
    mine: int
    second: int
    arbitration: int


@dataclass(frozen=True, slots=True)
class ChoiceCounts:
    """Number of exams of each rank and of each quality, among those that match the other filters."""

    ranks: dict[WorklistRank, int]
    qualities: dict[ExamQuality, int]


def count_choices(*, user: User, filters: WorklistFilters) -> ChoiceCounts:
    """How many exams there would be with another rank or quality in the filters; two queries."""
    views = list_site_views(user)
    exams = filtered(of_sites(views), replace(filters, quality=None), user).annotate(rank=masked_rank(views))
    ranks, qualities = Counter[int](), Counter[str]()
    for rank, quality, n in exams.order_by().values_list("rank", "quality").annotate(n=Count("pk")):
        if filters.quality in {None, quality}:
            ranks[rank] += n
        if filters.rank in {None, rank}:
            qualities[quality] += n
    return ChoiceCounts({one: ranks[one] for one in WorklistRank}, {one: qualities[one] for one in ExamQuality})


def count_worklist(*, user: User, site: Site | None = None) -> WorklistCounts:
    """Exams in each view of the worklist, of one site or of all sites of the user; five queries."""
    exams = of_sites(list_site_views(user)).order_by()
    if site is not None:
        exams = exams.filter(site=site)
    waiting = exams.filter(WorklistState.WAITING.exams)
    by_state = exams.filter(status__in=PHOTOGRAPHED | WAITING).aggregate(
        waiting=Count("pk", filter=WorklistState.WAITING.exams),
        overdue=Count("pk", filter=WorklistState.WAITING.exams & overdue()),
        open=Count("pk", filter=WorklistState.OPEN.exams),
        returned=Count("pk", filter=WorklistState.RETURNED.exams),
    )
    return WorklistCounts(
        mine=waiting.filter(mine(user)).count(),
        second=waiting.filter(is_second_reader_waited(user)).count(),
        arbitration=waiting.filter(is_arbiter_waited(user)).count(),
        **by_state,
    )


def menu_counts(user: User) -> WorklistCounts | None:
    """The counts in the menu of a reviewer, at most ``MENU_CACHED_S`` old; None for a user who reads no exams."""
    key, counts = _menu_key(user), None
    with suppress(*_CACHE_ERRORS):
        if (cached := cache.get(key)) is not None:
            return cached or None
    if can(user, Action.REVIEW_EXAM):
        counts = count_worklist(user=user)
    with suppress(*_CACHE_ERRORS):
        cache.set(key, counts or False, MENU_CACHED_S)
    return counts


def store_menu_counts(user: User, counts: WorklistCounts) -> None:
    """Show these counts in the menu, so that it agrees with the page."""
    with suppress(*_CACHE_ERRORS):
        cache.set(_menu_key(user), counts, MENU_CACHED_S)


def _menu_key(user: User) -> str:
    return f"worklist-counts-2:{user.pk}"
