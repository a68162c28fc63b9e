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
from screening.selectors.readings import is_arbiter_waited, is_second_reader_waited
from screening.selectors.worklist_filters import WorklistFilters, WorklistState, mine
from screening.selectors.worklist_masks import of_sites
from screening.selectors.worklist_tally import SEVERAL_READINGS, Tally, tally

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
    """How many exams there would be with another rank or quality in the filters; two queries (``tally``)."""
    ranks, qualities = Counter[int](), Counter[str]()
    others = replace(filters, rank=None, quality=None)
    for group in tally(user, filters).groups:
        if group.matches(others):
            ranks[group.rank] += group.n if filters.quality in {None, group.quality} else 0
            qualities[group.quality] += group.n if filters.rank in {None, group.rank} else 0
    return ChoiceCounts({one: ranks[one] for one in WorklistRank}, {one: qualities[one] for one in ExamQuality})


def count_worklist(*, user: User, site: Site | None = None) -> WorklistCounts:
    """Exams in each view of the worklist, of one site or of all sites of the user.

    Three queries; four if exams wait for a second reader or an arbiter.
    """
    found, in_state = tally(user), {state: WorklistFilters(state=state, site=site) for state in WorklistState}
    return WorklistCounts(
        waiting=found.count(in_state[WorklistState.WAITING]),
        overdue=found.count(replace(in_state[WorklistState.WAITING], is_overdue=True)),
        open=found.count(in_state[WorklistState.OPEN]),
        returned=found.count(in_state[WorklistState.RETURNED]),
        **_count_own(user, site, found),
    )


def _count_own(user: User, site: Site | None, found: Tally) -> dict[str, int]:
    """Waiting exams that the user began, or that wait for the user's second reading or decision."""
    exams = of_sites(found.views).filter(WorklistState.WAITING.exams).order_by()
    if site is not None:
        exams = exams.filter(site=site)
    counts = {"mine": exams.filter(mine(user, WorklistState.WAITING)).count(), "second": 0, "arbitration": 0}
    if found.has_several_readings:
        counts |= exams.filter(status__in=SEVERAL_READINGS).aggregate(
            second=Count("pk", filter=is_second_reader_waited(user)),
            arbitration=Count("pk", filter=is_arbiter_waited(user)),
        )
    return counts


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
