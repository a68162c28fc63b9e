"""Drift: the photographs of a week against those of the weeks before, by each measurement."""

import datetime
import uuid
from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.db.models import F, QuerySet

from screening.models import FundusImage, Grading, Site
from screening.policy.daily_counts import Dimension, Measure, Period
from screening.policy.drift import Difference, Feature, compare_codes, compare_values, reference_of, sample_pictures
from screening.selectors.dashboards import sum_counts

MAX_REFERENCE = 2000
"""Values of the reference that are compared, evenly over its days: more make no difference, and take long."""
COLUMNS = {
    Feature.P_REFERABLE: "p_referable",
    Feature.BRIGHTNESS: "brightness",
    Feature.REDNESS: "redness",
    Feature.FOCUS: "focus",
    Feature.FIELD_SIZE: "field_size",
}
THEN, NOW = "then", "now"
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


def drift_of(site: Site, week: Period) -> Drift:
    """Compare a week with the weeks before; six queries."""
    before = Period(*reference_of(week.from_on))
    cameras = [_photos(site, period, Dimension.CAMERA, by_subject=True) for period in (before, week)]
    levels = [_photos(site, period, Dimension.SITE, by_subject=False) for period in (before, week)]
    then, now = (_values(site, period) for period in (before, week))
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


def stored_values(drift: Drift) -> dict[str, Any]:
    """The differences as plain values, for ``DriftCheck.result``."""
    differences = {
        feature.value: [one.psi, one.p, one.n, one.n_reference] for feature, one in drift.differences.items()
    }
    at = drift.measured_from
    return {
        "differences": differences,
        "cameras": drift.cameras,
        "levels": drift.levels,
        "measured_from": None if at is None else at.isoformat(),
    }


def drift_of_stored(result: dict[str, Any]) -> Drift:
    """The differences from what ``stored_values`` returned."""
    at, stored = result["measured_from"], result["differences"]  # NB: PostgreSQL does not keep the order of keys
    cameras, levels = ([Counter(counts) for counts in result[name]] for name in ("cameras", "levels"))
    return Drift(
        differences={one: Difference(*stored[one.value]) for one in Feature if one.value in stored},
        cameras=(cameras[0], cameras[1]),
        levels=(levels[0], levels[1]),
        measured_from=None if at is None else datetime.datetime.fromisoformat(at),
    )


def photographs_of_drift(site: Site, week: Period) -> dict[str, list[str]]:
    """Ids of photographs at random of the weeks before and of the week, the same ones each time; two queries."""
    periods = {THEN: Period(*reference_of(week.from_on)), NOW: week}
    return {
        name: sample_pictures(map(str, _showable(site, period)), f"{site.pk} {week.from_on} {name}")
        for name, period in periods.items()
    }


def without_writing(images: QuerySet[FundusImage]) -> QuerySet[FundusImage]:
    """Those in use, without the ones that could have a name outside the retina."""
    return images.filter(withdrawn_at__isnull=True).exclude(writing=FundusImage.Writing.KEPT)


def _showable(site: Site, period: Period) -> QuerySet[FundusImage, uuid.UUID]:
    begin, end = _moments(site, period)
    images = FundusImage.objects.filter(exam__site=site, exam__created_at__gte=begin, exam__created_at__lt=end)
    return without_writing(images).order_by().values_list("pk", flat=True)


def _photos(site: Site, period: Period, dimension: Dimension, *, by_subject: bool) -> Counts:
    rows = sum_counts([site.pk], period, dimension, [Measure.PHOTOS])[Measure.PHOTOS]
    found: Counts = Counter()
    for (subject, code), n in rows.items():
        found[subject if by_subject else code] += n
    return found


def _values(site: Site, period: Period) -> _Values:
    """Of photographs in use, by the model that grades exams of the site now."""
    begin, end = _moments(site, period)
    gradings = Grading.objects.filter(
        image__exam__site=site,
        image__exam__created_at__gte=begin,
        image__exam__created_at__lt=end,
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


def _moments(site: Site, period: Period) -> tuple[datetime.datetime, datetime.datetime]:
    """The begin of the first day at the site, and that of the day after the last one."""
    days = period.from_on, period.to_on + datetime.timedelta(days=1)
    begin, end = (datetime.datetime.combine(day, datetime.time.min, tzinfo=site.zone) for day in days)
    return begin, end
