"""Drift: the photographs of a week against those of the weeks before, by each measurement."""

import datetime
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import F

from screening.models import DriftCheck, Grading, Site
from screening.policy.daily_counts import Dimension, Measure, Period
from screening.policy.drift import REFERENCE_WEEKS, Difference, Feature, compare_codes, compare_values, last_whole_week
from screening.selectors.dashboards import sum_counts

MAX_REFERENCE = 2000
"""Values of the reference that are compared, evenly over its days: more make no difference, and take long."""
MAX_ALERTS = 20
"""On one page; the dashboard of each site has its own."""
COLUMNS = {
    Feature.P_REFERABLE: "p_referable",
    Feature.BRIGHTNESS: "brightness",
    Feature.REDNESS: "redness",
    Feature.FOCUS: "focus",
    Feature.FIELD_SIZE: "field_size",
}
Counts = Counter[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """The differences of a week; counts of cameras and of quality levels, before and in the week.

    ``measured_from``: the first visit of the reference with a photograph that was measured; None without one.
    """

    differences: dict[Feature, Difference]
    cameras: tuple[Counts, Counts]
    levels: tuple[Counts, Counts]
    measured_from: datetime.datetime | None


@dataclass(frozen=True, slots=True)
class _Values:
    """Of the photographs of a period, in the order of the visits."""

    by_feature: dict[Feature, list[float]]
    measured_from: datetime.datetime | None


def drift_of(sites: Sequence[Site], week: Period) -> Drift:
    """Compare a week with the REFERENCE_WEEKS before; six queries."""
    before = Period(week.from_on - datetime.timedelta(weeks=REFERENCE_WEEKS), week.from_on - datetime.timedelta(days=1))
    cameras = [_photos(sites, period, Dimension.CAMERA, by_subject=True) for period in (before, week)]
    levels = [_photos(sites, period, Dimension.SITE, by_subject=False) for period in (before, week)]
    then, now = (_values(sites, period) for period in (before, week))
    differences = {Feature.CAMERA: compare_codes(*cameras), Feature.QUALITY: compare_codes(*levels)}
    for feature in COLUMNS:
        reference = then.by_feature[feature]
        step = max(1, len(reference) // MAX_REFERENCE)
        differences[feature] = compare_values(reference[::step], now.by_feature[feature])
    return Drift(
        differences=differences,
        cameras=(cameras[0], cameras[1]),
        levels=(levels[0], levels[1]),
        measured_from=then.measured_from,
    )


def _photos(sites: Sequence[Site], period: Period, dimension: Dimension, *, by_subject: bool) -> Counts:
    rows = sum_counts([site.pk for site in sites], period, dimension, [Measure.PHOTOS])[Measure.PHOTOS]
    found: Counts = Counter()
    for (subject, code), n in rows.items():
        found[subject if by_subject else code] += n
    return found


def _values(sites: Sequence[Site], period: Period) -> _Values:
    """Of photographs in use, by the model that grades exams of the site now."""
    zone = sites[0].zone if sites else datetime.UTC
    begin = datetime.datetime.combine(period.from_on, datetime.time.min, tzinfo=zone)
    gradings = Grading.objects.filter(
        image__exam__site__in=sites,
        image__exam__created_at__gte=begin,
        image__exam__created_at__lt=begin + datetime.timedelta(days=period.n_days),
        image__withdrawn_at__isnull=True,
        model=F("image__exam__site__model"),
        status=Grading.Status.DONE,
    ).order_by("image__exam__created_at", "pk")
    rows = list(gradings.values_list("image__exam__created_at", *COLUMNS.values()))
    by_feature = {
        feature: [row[index] for row in rows if row[index] is not None] for index, feature in enumerate(COLUMNS, 1)
    }
    brightness = list(COLUMNS).index(Feature.BRIGHTNESS) + 1
    return _Values(by_feature, next((row[0] for row in rows if row[brightness] is not None), None))


def drift_alerts(sites: Sequence[Site], today: datetime.date) -> list[DriftCheck]:
    """Checks of the last whole week that found a change, at most MAX_ALERTS, by the name of the site."""
    week = last_whole_week(today)[0]
    checks = DriftCheck.objects.filter(site__in=sites, week=week).exclude(changed=[])
    return list(checks.select_related("site").order_by("site__name", "pk")[:MAX_ALERTS])
