"""Drift: the photographs of the last whole week against those of the weeks before, as tables.

NB: no result of a single exam follows from them: fewer than MIN_PHOTOGRAPHS photographs of a week are not compared.
"""

import datetime
from collections import Counter
from collections.abc import Callable, Sequence

from django.db.models import F
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from screening.labels.dashboards import level_label
from screening.models import Grading, Site
from screening.policy.daily_counts import Dimension, Measure, Period
from screening.policy.dashboard_tables import Cell, Table, row_of
from screening.policy.drift import (
    MIN_PHOTOGRAPHS,
    PSI_LARGE,
    PSI_NOTABLE,
    REFERENCE_WEEKS,
    Difference,
    compare_codes,
    compare_values,
)
from screening.selectors.dashboards import sum_counts

N_FEATURES = 3
MAX_REFERENCE = 2000
"""Values of the reference that are compared, evenly over its days: more make no difference, and take long."""
Counts = Counter[str]


def drift_tables(sites: Sequence[Site], today: datetime.date) -> list[Table]:
    """Camera, quality and probability of a referable eye; five queries."""
    end = today - datetime.timedelta(days=today.weekday() + 1)
    week = Period(end - datetime.timedelta(days=6), end)
    before = Period(week.from_on - datetime.timedelta(weeks=REFERENCE_WEEKS), week.from_on - datetime.timedelta(days=1))
    cameras = [_photos(sites, period, Dimension.CAMERA, by_subject=True) for period in (before, week)]
    levels = [_photos(sites, period, Dimension.SITE, by_subject=False) for period in (before, week)]
    values = [_p_referable(sites, period) for period in (before, week)]
    step = max(1, len(values[0]) // MAX_REFERENCE)
    found = {
        pgettext("device", "Camera"): compare_codes(*cameras),
        _("Quality of photographs"): compare_codes(*levels),
        _("Probability of a referable eye by the model"): compare_values(values[0][::step], values[1]),
    }
    return [
        _summary(found),
        _fractions("drift-cameras", pgettext("device", "Camera"), cameras, lambda one: one or _("Camera not recorded")),
        _fractions("drift-quality", _("Quality of photographs"), levels, level_label),
    ]


def _photos(sites: Sequence[Site], period: Period, dimension: Dimension, *, by_subject: bool) -> Counts:
    rows = sum_counts([site.pk for site in sites], period, dimension, [Measure.PHOTOS])[Measure.PHOTOS]
    found: Counts = Counter()
    for (subject, code), n in rows.items():
        found[subject if by_subject else code] += n
    return found


def _p_referable(sites: Sequence[Site], period: Period) -> list[float]:
    """Of photographs in use, by the model that grades exams of the site now, in the order of the visits."""
    zone = sites[0].zone if sites else datetime.UTC
    begin = datetime.datetime.combine(period.from_on, datetime.time.min, tzinfo=zone)
    rows = Grading.objects.filter(
        image__exam__site__in=sites,
        image__exam__created_at__gte=begin,
        image__exam__created_at__lt=begin + datetime.timedelta(days=period.n_days),
        image__withdrawn_at__isnull=True,
        model=F("image__exam__site__model"),
        p_referable__isnull=False,
    )
    found = rows.order_by("image__exam__created_at", "pk").values_list("p_referable", flat=True)
    return [p for p in found if p is not None]


def _summary(found: dict[str, Difference]) -> Table:
    rows = [_row(name, one) for name, one in found.items()]
    return Table(
        code="drift",
        title=_("Photographs of the last whole week against the 12 weeks before"),
        head=(_("Measurement"), _("Photographs"), _("Population stability index"), _("p"), _("Assessment")),
        rows=tuple(rows) if any(one.n for one in found.values()) else (),
        note=_(
            "An index from 0.1 is notable, from 0.25 large. p is by Kolmogorov and Smirnov or by chi-square. An alarm "
            "needs a notable index and a p so small that less than one alarm a quarter is false if nothing changes."
        ),
    )


def _row(name: str, one: Difference) -> tuple[Cell, ...]:
    if one.n < MIN_PHOTOGRAPHS:
        return row_of(name, one.n, "–", "–", _("fewer than %(n)d photographs") % {"n": MIN_PHOTOGRAPHS})
    p = "< 0.001" if one.p < 0.001 else f"{one.p:.3f}"
    return row_of(name, one.n, f"{one.psi:.2f}", p, _assessment(one))


def _assessment(one: Difference) -> str:
    if one.is_alarm(N_FEATURES):
        return _("Alarm: a large change") if one.psi >= PSI_LARGE else _("Alarm: a notable change")
    return _("Notable, may be by accident") if one.psi >= PSI_NOTABLE else _("No change that matters")


def _fractions(code: str, title: str, counts: Sequence[Counts], label: Callable[[str], str]) -> Table:
    """The share of each code then and in the week."""
    then, now = counts
    codes = sorted({*then, *now}, key=lambda one: (-then[one] - now[one], one))
    rows = [row_of(label(one), _percent(then, one), _percent(now, one)) for one in codes]
    return Table(code=code, title=title, head=(title, _("12 weeks before"), _("Last whole week")), rows=tuple(rows))


def _percent(counts: Counts, code: str) -> str:
    n = sum(counts.values())
    return _("%(share)d %%") % {"share": round(100 * counts[code] / n)} if n else "–"
