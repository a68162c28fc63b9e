"""The model's suspicion of macular oedema in words: never a diagnosis, and never an exclusion."""

from typing import TYPE_CHECKING, Protocol

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

SUSPICION = _("Suspicion of macular oedema in the photograph")
NO_SUSPICION = _("No suspicion of macular oedema in the photograph")
NOT_ASSESSED = _("Macular oedema: not assessed, the macula is not visible")
CANNOT_EXCLUDE = _("A colour photograph cannot exclude macular oedema.")
"""Beside each result. Oedema is thickening of the retina, and to see that requires a three-dimensional assessment (ICO
Guidelines for Diabetic Eye Care, 2017, classification of macular oedema), which no single photograph allows."""


class _Assessed(Protocol):
    @property
    def suspects_oedema(self) -> bool | None: ...

    @property
    def oedema_operating_point(self) -> float | None: ...


def oedema_label(result: _Assessed) -> "_StrPromise | None":
    """What a Grading or a Prediction says about macular oedema; None if its model does not assess it."""
    if result.oedema_operating_point is None:
        return None
    if result.suspects_oedema is None:
        return NOT_ASSESSED
    return SUSPICION if result.suspects_oedema else NO_SUSPICION


def short_oedema_label(result: _Assessed) -> str:
    """``oedema_label`` under the heading of macular oedema."""
    if result.oedema_operating_point is None or result.suspects_oedema is None:
        return gettext("not assessed")
    return gettext("suspected") if result.suspects_oedema else gettext("not suspected")


def oedema_text(result: _Assessed) -> str:
    """``oedema_label`` and ``CANNOT_EXCLUDE`` as sentences; empty if the model does not assess macular oedema."""
    label = oedema_label(result)
    return "" if label is None else f"{label}. {CANNOT_EXCLUDE}"
