"""Sums of the daily counts of some sites over a period. NB: the caller has checked access to the sites."""

import datetime
import uuid
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, Max, QuerySet, Sum
from django.db.models.functions import TruncMonth, TruncWeek

from screening.models import CountedDay, CountRun, DailyCount, Exam
from screening.policy.daily_counts import Dimension, Measure, Period, Stage
from screening.policy.exam_states import WAITING
from screening.selectors.worklist_filters import overdue

SiteIds = Collection[uuid.UUID]
MAX_DAYS_BY_DAY = 60
MAX_DAYS_BY_WEEK = 400
"""A longer period is divided into months."""
MAX_DAYS_OF_READERS = 180
"""The same for the figures of each reader: fewer rows, and still more than ten months of a year for an interval."""


def sum_counts(
    site_ids: SiteIds, period: Period, dimension: Dimension, measures: Iterable[Measure]
) -> dict[Measure, Counter[tuple[str, str]]]:
    """Numbers by subject and code, for each measure. One query."""
    rows = _rows(site_ids, period, dimension, measures).order_by().values_list("measure", "subject", "code")
    found: dict[Measure, Counter[tuple[str, str]]] = {measure: Counter() for measure in measures}
    for measure, subject, code, n in rows.annotate(total=Sum("n")):
        found[Measure(measure)][subject, code] += n
    return found


def sum_by_code(site_ids: SiteIds, period: Period, measures: Iterable[Measure]) -> dict[Measure, Counter[str]]:
    """Numbers of the sites as a whole, by code. One query."""
    found = sum_counts(site_ids, period, Dimension.SITE, measures)
    return {measure: _by_code(counts) for measure, counts in found.items()}


def sum_by_site(
    site_ids: SiteIds, period: Period, measures: Iterable[Measure]
) -> dict[uuid.UUID, dict[Measure, Counter[str]]]:
    """As ``sum_by_code``, for each site. One query."""
    rows = _rows(site_ids, period, Dimension.SITE, measures).order_by().values_list("site", "measure", "code")
    found: dict[uuid.UUID, dict[Measure, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    for site_id, measure, code, n in rows.annotate(total=Sum("n")):
        found[site_id][Measure(measure)][code] += n
    return found


def sum_by_group(
    site_ids: SiteIds,
    period: Period,
    dimension: Dimension,
    measures: Iterable[Measure],
    *,
    max_days_by_week: int = MAX_DAYS_BY_WEEK,
) -> dict[tuple[Measure, str], dict[datetime.date, Counter[str]]]:
    """Numbers by measure and subject, then by the day, week or month of the period, by its first day. One query."""
    rows: Any = _rows(site_ids, period, dimension, measures).order_by().annotate(group=_group(period, max_days_by_week))
    rows = rows.values_list("measure", "subject", "group", "code").annotate(total=Sum("n"))
    found: dict[tuple[Measure, str], dict[datetime.date, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    for measure, subject, group, code, n in rows:
        found[Measure(measure), subject][group][code] += n
    return found


@dataclass(frozen=True, slots=True)
class Standing:
    """People of the register and exams that wait, of each site as it is now."""

    register: dict[uuid.UUID, dict[Measure, Counter[str]]]
    backlog: dict[uuid.UUID, tuple[int, int]]


def standing_of(site_ids: SiteIds) -> Standing:
    """What does not depend on the period. Three queries."""
    return Standing(newest_register(site_ids), count_backlog(site_ids))


def newest_register(site_ids: SiteIds) -> dict[uuid.UUID, dict[Measure, Counter[str]]]:
    """People of each site by state, at the last time when they were counted. Two queries."""
    counted = CountedDay.objects.filter(site__in=site_ids, register_counted_at__isnull=False).order_by()
    newest = dict(counted.values_list("site").annotate(Max("day")))
    rows = DailyCount.objects.filter(
        site__in=newest,
        dimension=Dimension.SITE,
        measure__in=[Measure.REGISTER, Measure.COVERED],
        day__in=set(newest.values()),
    )
    found: dict[uuid.UUID, dict[Measure, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    for site_id, day, measure, code, n in rows.order_by().values_list("site", "day", "measure", "code", "n"):
        if day == newest[site_id]:
            found[site_id][Measure(measure)][code] += n
    return found


def count_backlog(site_ids: SiteIds) -> dict[uuid.UUID, tuple[int, int]]:
    """Exams of each site that wait for a reader now, and how many of them are overdue. One query, of an index alone."""
    waiting = Exam.objects.filter(site__in=site_ids, status__in=WAITING).order_by()
    rows = waiting.values_list("site").annotate(n=Count("status"), n_overdue=Count("status", filter=overdue()))
    return {site_id: (n, n_overdue) for site_id, n, n_overdue in rows}


def last_count_run() -> CountRun | None:
    """When the counts were brought up to date; None: never."""
    return CountRun.objects.first()


def groups_of(period: Period) -> list[datetime.date]:
    """The first day of each day, week or month of a period, also of those without an exam."""
    found: dict[datetime.date, None] = {}
    for offset in range(period.n_days):
        day = period.from_on + datetime.timedelta(days=offset)
        if period.n_days > MAX_DAYS_BY_WEEK:
            day = day.replace(day=1)
        elif period.n_days > MAX_DAYS_BY_DAY:
            day -= datetime.timedelta(days=day.weekday())
        found[day] = None
    return list(found)


def n_exams(counts: Counter[str]) -> int:
    """Exams that are not cancelled, of the counts of ``Measure.EXAMS``."""
    return sum(n for code, n in counts.items() if code != Stage.CANCELLED)


def _rows(site_ids: SiteIds, period: Period, dimension: Dimension, measures: Iterable[Measure]) -> QuerySet[DailyCount]:
    return DailyCount.objects.filter(
        site__in=site_ids,
        dimension=dimension,
        measure__in=list(measures),
        day__gte=period.from_on,
        day__lte=period.to_on,
    )


def _group(period: Period, max_days_by_week: int) -> Any:
    if period.n_days > max_days_by_week:
        return TruncMonth("day")
    return TruncWeek("day") if period.n_days > MAX_DAYS_BY_DAY else F("day")


def _by_code(counts: Counter[tuple[str, str]]) -> Counter[str]:
    found: Counter[str] = Counter()
    for (_subject, code), n in counts.items():
        found[code] += n
    return found
