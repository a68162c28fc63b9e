"""Drift: the photographs of the last whole week against those of the weeks before, as tables.

NB: no result of a single exam follows from them: fewer than MIN_PHOTOGRAPHS photographs of a week are not compared.
"""

from collections.abc import Callable, Mapping, Sequence

from django.utils.translation import gettext as _

from screening.labels.dashboards import level_label
from screening.labels.dates import day_text
from screening.labels.drift import FEATURE_LABELS, changed_text
from screening.models import DriftCheck, Site
from screening.policy.dashboard_tables import Cell, Table, row_of
from screening.policy.drift import MIN_PHOTOGRAPHS, PSI_LARGE, PSI_NOTABLE, Difference, Feature
from screening.selectors.drift import Counts, Drift, drift_of_stored


def drift_tables(site: Site, check: DriftCheck) -> list[Table]:
    """What changed in the week of a check, with the cameras and the quality levels, as it was stored; no query."""
    drift = drift_of_stored(check.result or {})
    camera, quality = (str(FEATURE_LABELS[feature]) for feature in (Feature.CAMERA, Feature.QUALITY))
    return [
        _summary(drift, check, site),
        _fractions("drift-cameras", camera, drift.cameras, lambda one: one or _("Camera not recorded")),
        _fractions("drift-quality", quality, drift.levels, level_label),
    ]


def drift_by_site(sites: Sequence[Site], checks: Mapping[object, DriftCheck]) -> Table:
    """What changed at each site in the last whole week: those with a change first. No query."""
    found = [(_change_of(checks.get(site.pk)), site.name) for site in sites]
    rows = sorted(found, key=lambda row: (not row[0], row[1]))  # those with a change first
    return Table(
        code="drift-sites",
        title=_("Photographs of the last whole week against the 12 weeks before"),
        head=(_("Site"), _("What changed")),
        rows=tuple(row_of(name, text or _("No change that matters")) for text, name in rows),
        note=_rule(),
    )


def _change_of(check: DriftCheck | None) -> str:
    return _("Not checked yet") if check is None else changed_text(check.changed)


def _summary(drift: Drift, check: DriftCheck, site: Site) -> Table:
    found = drift.differences
    rows = [_row(str(FEATURE_LABELS[feature]), one) for feature, one in found.items()]
    return Table(
        code="drift",
        title=_("Photographs of the week from %(day)s against the 12 weeks before") % {"day": day_text(check.week)},
        head=(_("Measurement"), _("Photographs"), _("Population stability index"), _("p"), _("Assessment")),
        rows=tuple(rows) if any(one.n for one in found.values()) else (),
        note=f"{_rule()} {_measured_from(drift, site)}",
    )


def _rule() -> str:
    return _(
        "An index from 0.1 is notable, from 0.25 large. p is by Kolmogorov and Smirnov or by chi-square. An alarm "
        "needs a notable index and a p so small that less than one alarm a quarter is false if nothing changes."
    )


def _measured_from(drift: Drift, site: Site) -> str:
    """From when there are values of those measurements that were not always stored."""
    if drift.measured_from is None:
        return _("Brightness, colour, focus and size of the field were not measured in the 12 weeks before.")
    return _("Brightness, colour, focus and size of the field: the values of the 12 weeks before begin on %(day)s.") % {
        "day": day_text(drift.measured_from, site.zone)
    }


def _row(name: str, one: Difference) -> tuple[Cell, ...]:
    if not one.is_comparable:
        return row_of(name, one.n, "–", "–", _("fewer than %(n)d photographs") % {"n": MIN_PHOTOGRAPHS})
    p = "< 0.001" if one.p < 0.001 else f"{one.p:.3f}"
    return row_of(name, one.n, f"{one.psi:.2f}", p, _assessment(one))


def _assessment(one: Difference) -> str:
    if one.is_alarm():
        return _("Alarm: a large change") if one.psi >= PSI_LARGE else _("Alarm: a notable change")
    return _("Notable, may be by accident") if one.psi >= PSI_NOTABLE else _("No change that matters")


def _fractions(code: str, title: str, counts: Sequence[Counts], label: Callable[[str], str]) -> Table:
    """The share of each code then and in the week."""
    then, now = counts
    codes = sorted({*then, *now}, key=lambda one: (-then[one] - now[one], one))
    rows = [row_of(label(one), _percent(then, one), _percent(now, one)) for one in codes]
    return Table(code=code, title=title, head=(title, _("12 weeks before"), _("The week")), rows=tuple(rows))


def _percent(counts: Counts, code: str) -> str:
    n = sum(counts.values())
    return _("%(share)d %%") % {"share": round(100 * counts[code] / n)} if n else "–"
