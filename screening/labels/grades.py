"""Labels of the ICDR grades (Wilkinson et al., Ophthalmology 2003)."""

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from ml.vocabulary import ICDRGrade

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

GRADE_LABELS: dict[int, "_StrPromise"] = {
    ICDRGrade.NONE: _("No apparent retinopathy"),
    ICDRGrade.MILD: _("Mild non-proliferative"),
    ICDRGrade.MODERATE: _("Moderate non-proliferative"),
    ICDRGrade.SEVERE: _("Severe non-proliferative"),
    ICDRGrade.PROLIFERATIVE: _("Proliferative"),
}
SHORT_GRADE_LABELS: dict[int, "_StrPromise"] = {
    ICDRGrade.NONE: pgettext_lazy("retinopathy", "None"),
    ICDRGrade.MILD: _("Mild"),
    ICDRGrade.MODERATE: _("Moderate"),
    ICDRGrade.SEVERE: _("Severe"),
    ICDRGrade.PROLIFERATIVE: _("Proliferative"),
}
CUMULATIVE_LABELS: tuple["_StrPromise", ...] = (
    _("At least mild"),
    _("At least moderate: referable"),
    _("At least severe"),
    _("Proliferative"),
)
"""Of the cumulative probabilities P(grade >= 1) to P(grade >= 4)."""
