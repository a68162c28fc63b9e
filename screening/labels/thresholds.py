"""Texts on the threshold that a result was judged by."""

from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from ml.bundle import RocTable
from screening.policy.operating_points import OperatingPoint, validation_points
from screening.policy.proportions import Proportion

if TYPE_CHECKING:
    from collections.abc import Mapping


def measured_text(measured: "Mapping[str, Any]") -> str:
    """The sentence on a threshold: what a fitted one (``SiteThreshold.measured``) reached at its site."""
    if not measured:
        return _("This site has chosen its threshold from the table of the model.")
    values = {
        "n": measured["n"],
        "sensitivity": _percent(measured["sensitivity"][0]),
        "specificity": _percent(measured["specificity"][0]),
    }
    return (
        _(
            "This site has its own threshold: on %(n)s of its photographs it flagged %(sensitivity)s of the referable "
            "eyes, and did not flag %(specificity)s of the others."
        )
        % values
    )


def validation_text(roc: RocTable, operating_point: float) -> str:
    """What the model reached in validation at a row of its table, over all sources; empty for another threshold."""
    if operating_point not in roc.thresholds:
        return ""
    point = validation_points(roc)[roc.thresholds.index(operating_point)]
    sensitivity, specificity = point.sensitivity, point.specificity
    if not sensitivity.n or not specificity.n:
        return ""
    return _(
        "At this setting %(flagged)d of 100 referable photographs were flagged in validation (n = %(n_referable)d), "
        "and %(not_flagged)d of 100 others were not (n = %(n_others)d)."
    ) % {
        "flagged": 100 * sensitivity.n_positive // sensitivity.n,  # rounded down: no claim of 100 that was not reached
        "n_referable": sensitivity.n,
        "not_flagged": 100 * specificity.n_positive // specificity.n,
        "n_others": specificity.n,
    }


def site_point_text(point: OperatingPoint) -> str:
    """What an operating point means by the signed exams of the site."""
    return _(
        "At this site: of 100 people with referable retinopathy about %(found)s are found, and of 100 people without "
        "it about %(sent)s are sent needlessly (%(n_referable)d and %(n_others)d signed exams)."
    ) % _of_100(point)


def validation_point_text(point: OperatingPoint) -> str:
    """What an operating point means by the validation of the model."""
    return _(
        "In validation: of 100 photographs with referable retinopathy about %(found)s are flagged, and of 100 "
        "photographs without it about %(sent)s are flagged too (%(n_referable)d and %(n_others)d photographs)."
    ) % _of_100(point)


def of_100(one: Proportion, *, is_inverse: bool = False) -> str:
    """``93 (85 to 97)``: how many of 100, with the 95 % interval; of the others if ``is_inverse``."""
    if one.value is None or one.interval is None:
        return "–"
    value, (low, high) = one.value, one.interval
    if is_inverse:
        value, low, high = 1 - value, 1 - high, 1 - low
    numbers = {"n": round(100 * value), "low": round(100 * low), "high": round(100 * high)}
    return _("%(n)d (%(low)d to %(high)d)") % numbers


def _of_100(point: OperatingPoint) -> dict[str, str | int]:
    return {
        "found": of_100(point.sensitivity),
        "sent": of_100(point.specificity, is_inverse=True),
        "n_referable": point.sensitivity.n,
        "n_others": point.specificity.n,
    }


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.0f} %"
