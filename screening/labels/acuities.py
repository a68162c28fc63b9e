"""Labels of visual acuity."""

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from screening.labels.choices import choices
from screening.policy.acuity import Correction

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

CORRECTION_LABELS: dict[Correction, "_StrPromise"] = {
    Correction.UNAIDED: _("without glasses"),
    Correction.GLASSES: _("with glasses or contact lenses"),
    Correction.PINHOLE: _("with pinhole"),
}
CORRECTION_CHOICES = choices(CORRECTION_LABELS)
