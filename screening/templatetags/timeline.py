"""The grades of both eyes over the years, as a drawing and as a table, which has the visual acuities too."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django import template
from django.utils import timezone

from ml.vocabulary import Laterality
from screening.labels.dates import day_text
from screening.labels.grades import SHORT_GRADE_LABELS
from screening.models import Exam, EyeFinding
from screening.templatetags.visit_facts import newest_acuities

register = template.Library()

LEFT_PX, RIGHT_PX, TOP_PX, STEP_PX = 96, 584, 14, 24
"""The drawing is 600 wide; a grade is STEP_PX above the next lower one."""
_SHIFT_PX = 3
"""Of the left eye to the right, so that two eyes of one grade are both visible."""


@dataclass(frozen=True, slots=True)
class Point:
    """A signed grade of one eye: its position in the drawing."""

    x: int
    y: int


@register.inclusion_tag("screening/patients/_grades.html")
def grade_chart(exams: Iterable[Exam], zone: Any) -> dict[str, Any]:
    """Signed grades of exams with ``current_reviews`` and ``acuities`` (newest first), drawn from two visits on.

    The model's grades are no part of it: a reader may have to read one of these exams blind.
    """
    visits = [
        (timezone.localdate(exam.created_at, zone), findings, newest_acuities(exam))
        for exam in reversed(list(exams))
        for review in exam.current_reviews  # type: ignore[attr-defined]  # prefetched
        if (findings := {one.laterality: one for one in review.findings.all()})
    ]
    days = [day for day, _findings, _acuities in visits]
    lines = {
        eye: [
            Point(_x(day, days, eye), _y(findings[eye].grade or 0))
            for day, findings, _acuities in visits
            if eye in findings and findings[eye].is_gradable and findings[eye].grade is not None
        ]
        for eye in Laterality
    }
    return {
        "is_drawn": len(visits) > 1,
        "height": _y(0) + 34,
        "levels": [(grade, _y(grade), label) for grade, label in SHORT_GRADE_LABELS.items()],
        "right": lines[Laterality.RIGHT],
        "left": lines[Laterality.LEFT],
        "first": day_text(days[0]) if days else "",
        "last": day_text(days[-1]) if days else "",
        "bottom": _y(0) + 24,
        "rows": [
            (
                day_text(day),
                *(_text(findings.get(eye)) for eye in Laterality),
                *(acuities[eye].entered if eye in acuities else "–" for eye in Laterality),
            )
            for day, findings, acuities in reversed(visits)
        ],
    }


def _x(day: date, days: list[date], eye: str) -> int:
    span = (days[-1] - days[0]).days or 1
    return (
        LEFT_PX
        + round((RIGHT_PX - LEFT_PX) * (day - days[0]).days / span)
        + (_SHIFT_PX if eye == Laterality.LEFT else -_SHIFT_PX)
    )


def _y(grade: int) -> int:
    return TOP_PX + STEP_PX * (4 - grade)


def _text(finding: EyeFinding | None) -> str:
    if finding is None or not finding.is_gradable or finding.grade is None:
        return "–"
    text = f"{finding.grade} {SHORT_GRADE_LABELS[finding.grade]}"
    return f"{finding.grades_in_scale} (ICDR {text})" if finding.grades_in_scale else text
