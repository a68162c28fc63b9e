"""Photographs: the largest upload, quality, what was signed for an eye."""

from django import template
from django.utils.translation import gettext as _

from ml.vocabulary import QualityLevel
from screening.labels.grades import SHORT_GRADE_LABELS
from screening.labels.quality import QUALITY_LEVEL_LABELS
from screening.models import EyeFinding, Grading
from screening.photos.validation import MAX_MB

register = template.Library()


@register.simple_tag
def max_photo_mb() -> int:
    """The largest size of a photograph in MB."""
    return MAX_MB


@register.filter
def quality_text(grading: Grading | None) -> str:
    """The quality of a photograph, which is shown to everyone, also before the first reading."""
    if grading is None or not grading.quality_level:
        return _("Quality not assessed")
    return str(QUALITY_LEVEL_LABELS[QualityLevel(grading.quality_level)])


@register.filter
def signed_grade(finding: EyeFinding) -> str:
    """The signed grade of an eye in short: "Moderate (2)", or "R1 M0 P0" in another scale."""
    if finding.is_absent:
        return _("Absent")
    if not finding.is_photographed:
        return _("Not photographed")
    if finding.grade is None:
        return _("Ungradable")
    if finding.grades_in_scale:
        return finding.grades_in_scale
    return f"{SHORT_GRADE_LABELS[finding.grade]} ({finding.grade})"
