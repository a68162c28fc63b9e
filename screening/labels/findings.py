"""A finding of one eye in words: signed findings and first readings."""

from typing import Any

from django.utils.translation import gettext as _

from screening.labels.grades import GRADE_LABELS


def finding_text(finding: Any) -> str:
    """The grade in words, with those of the scale of the site; else why there is none."""
    if getattr(finding, "is_absent", False):
        return _("Eye is absent")
    if not getattr(finding, "is_photographed", True):
        return _("Not photographed")
    if not finding.is_gradable:
        return _("Ungradable")
    grade = str(GRADE_LABELS[finding.grade])
    return f"{grade} ({finding.grades_in_scale})" if finding.grades_in_scale else grade
