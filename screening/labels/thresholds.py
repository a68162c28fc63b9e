"""Texts on the threshold that a result was judged by."""

from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

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


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.0f} %"
