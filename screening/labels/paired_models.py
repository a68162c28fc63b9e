"""Texts of a comparison of two models, and of the gate of a promotion."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from screening.labels.numbers import decimal_text
from screening.policy.paired_models import (
    KAPPA_MARGIN,
    MARGIN,
    MIN_REFERABLE,
    Difference,
    GateFailure,
    PairedComparison,
)


def difference_text(difference: Difference, *, is_percent: bool) -> str:
    """``+2.0 (-1.0 to +5.0)`` in percentage points, or with two decimals; a dash without a value."""
    if difference.value is None:
        return "–"
    value = _signed(difference.value, is_percent=is_percent)
    if difference.interval is None:
        return value
    low, high = (_signed(limit, is_percent=is_percent) for limit in difference.interval)
    return _("%(value)s (%(low)s to %(high)s)") % {"value": value, "low": low, "high": high}


def p_text(p: float) -> str:
    """``0.031``, or ``< 0.001``."""
    least = 0.001
    return f"< {decimal_text(least, 3)}" if p < least else decimal_text(p, 3)


def failure_text(failure: GateFailure, comparison: PairedComparison) -> str:
    """Why a candidate does not pass the gate."""
    if failure is GateFailure.TOO_FEW:
        n = comparison.served_sensitivity.n
        text = ngettext(
            "%(n)d signed referable eye that both models saw; at least %(least)d are needed.",
            "%(n)d signed referable eyes that both models saw; at least %(least)d are needed.",
            n,
        )
        return text % {"n": n, "least": MIN_REFERABLE}
    return {
        GateFailure.SENSITIVITY: _("Its sensitivity may be lower by %(margin)s percentage points or more."),
        GateFailure.SPECIFICITY: _("Its specificity may be lower by %(margin)s percentage points or more."),
        GateFailure.KAPPA: _("Its kappa may be lower by %(kappa_margin)s or more."),
    }[failure] % {"margin": round(100 * MARGIN), "kappa_margin": decimal_text(KAPPA_MARGIN, 2)}


def _signed(value: float, *, is_percent: bool) -> str:
    number = 100 * value if is_percent else value
    text = decimal_text(abs(number), 1 if is_percent else 2)
    return f"{'−' if number < 0 else '+'}{text}"


def report_text(report: Mapping[str, Any]) -> str:
    """What the gate found, from the report that an activation stores; empty without one."""
    if not report:
        return ""
    text = ngettext(
        "Gate passed against %(replaced)s on %(n)d referable eye: sensitivity %(sensitivity)s, specificity "
        "%(specificity)s percentage points, kappa %(kappa)s.",
        "Gate passed against %(replaced)s on %(n)d referable eyes: sensitivity %(sensitivity)s, specificity "
        "%(specificity)s percentage points, kappa %(kappa)s.",
        report["served_sensitivity"]["n"],
    )
    return text % {
        "replaced": report["replaced"],
        "n": report["served_sensitivity"]["n"],
        "sensitivity": difference_text(_stored_difference(report["sensitivity"]), is_percent=True),
        "specificity": difference_text(_stored_difference(report["specificity"]), is_percent=True),
        "kappa": difference_text(_stored_difference(report["kappa"]), is_percent=False),
    }


def _stored_difference(stored: Mapping[str, Any]) -> Difference:
    interval = stored["interval"]
    return Difference(stored["value"], None if interval is None else (interval[0], interval[1]))
