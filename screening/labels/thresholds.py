"""Texts on the threshold that a result was judged by."""

from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from ml.bundle import RocTable

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
    i = roc.thresholds.index(operating_point)
    sources = roc.sources.values()
    n_flagged = sum((source.sensitivity[i][0] or 0.0) * source.n_referable for source in sources)
    n_not_flagged = sum((source.specificity[i][0] or 0.0) * source.n_not_referable for source in sources)
    n_referable = sum(source.n_referable for source in sources)
    n_others = sum(source.n_not_referable for source in sources)
    if not n_referable or not n_others:
        return ""
    return _(
        "At this setting %(flagged)d of 100 referable photographs were flagged in validation (n = %(n_referable)d), "
        "and %(not_flagged)d of 100 others were not (n = %(n_others)d)."
    ) % {
        "flagged": int(100 * n_flagged / n_referable),  # rounded down: no claim of 100 that was not reached
        "n_referable": n_referable,
        "not_flagged": int(100 * n_not_flagged / n_others),
        "n_others": n_others,
    }


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.0f} %"
