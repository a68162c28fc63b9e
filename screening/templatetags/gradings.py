"""Result of the model, drawn without inline styles: the Content-Security-Policy forbids them."""

from typing import Any

from django import template
from django.utils.html import json_script
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from ml.vocabulary import N_GRADES, REFERABLE_FROM, Laterality
from screening.labels.eyes import EYE_LABELS
from screening.labels.grades import GRADE_LABELS, SHORT_GRADE_LABELS
from screening.labels.quality import QualityAdvice, advice_for

register = template.Library()


@register.filter
def grade_label(grade: int | None) -> str:
    """Name an ICDR grade; no grade is said as such and never looks like grade 0."""
    return _("No grade") if grade is None else str(GRADE_LABELS[grade])


@register.filter
def short_grade_label(grade: int | None) -> str:
    """Name an ICDR grade in one word, for tables."""
    return _("No grade") if grade is None else str(SHORT_GRADE_LABELS[grade])


@register.filter
def eye_label(laterality: str) -> str:
    """Name an eye: "Right eye" for OD."""
    return str(EYE_LABELS[Laterality(laterality)])


@register.filter
def other_eye(laterality: str) -> str:
    """Name the eye that ``laterality`` is not: "OS" for OD."""
    return Laterality.LEFT if laterality == Laterality.RIGHT else Laterality.RIGHT


@register.filter
def quality_advice(quality_reasons: list[str]) -> list[QualityAdvice]:
    """Say what the photographer does about each code."""
    return advice_for(quality_reasons)


@register.simple_tag
def heatmap_json(image: Any, grading: Any) -> SafeString:
    """Put the heatmap's grid and its place on the photograph into the page, as data for ``static/heatmap.js``."""
    return json_script({"rows": grading.heatmap, "box": grading.heatmap_box}, f"heatmap-{image.pk}")


@register.filter
def same(one: object, other: object) -> bool:
    """Whether two ids are the same; for ``include ... with``, which takes filters and no comparisons."""
    return one == other


@register.filter
def percent(fraction: float | None) -> str:
    """Write a fraction as a percentage; never 0 % or 100 %, because no model is that certain."""
    if fraction is None:
        return "–"
    if fraction < 0.01:
        return _("< 1 %")
    if fraction > 0.99:
        return _("> 99 %")
    return _("%(percent)d %%") % {"percent": round(fraction * 100)}


@register.filter
def svg_units(fraction: float | None) -> str:
    """Turn a fraction in [0, 1] into a coordinate of a drawing 100 wide, with a point in every language."""
    return f"{100 * (fraction or 0.0):.2f}"


@register.inclusion_tag("screening/gradings/_bars.html")
def grade_bars(result: Any) -> dict[str, Any]:
    """Draw the five probabilities of a Grading or a Prediction."""
    probabilities = result.probabilities or [0.0] * N_GRADES
    return {
        "bars": [
            (grade, SHORT_GRADE_LABELS[grade], fraction, grade == result.grade)
            for grade, fraction in enumerate(probabilities)
        ],
        # The bundle cuts the mean grade, which is not always the most probable one.
        "is_longest": probabilities[result.grade] == max(probabilities),
    }


@register.inclusion_tag("screening/gradings/_risk.html")
def risk_bar(result: Any, operating_point: float | None = None) -> dict[str, Any]:
    """Draw P(referable) of a Grading or a Prediction against the operating point."""
    point = operating_point if operating_point is not None else result.operating_point
    return {
        "p_referable": result.p_referable,
        "is_referable": result.is_referable,
        "is_flagged_below_referable": result.is_referable and result.grade < REFERABLE_FROM,
        "operating_point": point,
    }
