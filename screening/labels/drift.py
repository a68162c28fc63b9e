"""Words of drift: what is compared."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from screening.labels.sentences import joined
from screening.policy.drift import Feature

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

FEATURE_LABELS: dict[Feature, "_StrPromise"] = {
    Feature.CAMERA: pgettext_lazy("device", "Camera"),
    Feature.QUALITY: _("Quality of photographs"),
    Feature.P_REFERABLE: _("Probability of a referable eye by the model"),
    Feature.BRIGHTNESS: _("Brightness"),
    Feature.REDNESS: _("Colour: red to green"),
    Feature.FOCUS: _("Focus"),
    Feature.FIELD_SIZE: _("Size of the field of view"),
}


def changed_text(codes: Iterable[str]) -> str:
    """What changed, in words: ``Camera, Brightness``; empty without a change."""
    return joined(str(FEATURE_LABELS[Feature(code)]) for code in codes)
