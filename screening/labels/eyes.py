"""Labels of the eyes."""

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from ml.vocabulary import Laterality
from screening.labels.choices import choices

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

EYE_LABELS: dict[Laterality, "_StrPromise"] = {
    Laterality.RIGHT: _("Right eye"),
    Laterality.LEFT: _("Left eye"),
}
LATERALITY_LABELS: dict[Laterality, "_StrPromise"] = {
    Laterality.RIGHT: _("Right eye (OD)"),
    Laterality.LEFT: _("Left eye (OS)"),
}
LATERALITY_CHOICES = choices(LATERALITY_LABELS)
