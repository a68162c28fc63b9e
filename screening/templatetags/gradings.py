"""Result of the model. The Content-Security-Policy forbids inline styles, so that bars are SVG."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

import numpy as np
from django import template
from django.utils.html import json_script
from django.utils.safestring import SafeString
from django.utils.translation import get_language_bidi
from django.utils.translation import gettext as _

from ml.prediction import Prediction, p_at_least
from ml.vocabulary import N_GRADES, REFERABLE_FROM, Laterality, QualityLevel, ServedModel
from screening.labels.directions import END_OF_ISOLATE, LEFT_TO_RIGHT
from screening.labels.eyes import EYE_LABELS
from screening.labels.grades import CUMULATIVE_LABELS, GRADE_LABELS, SHORT_GRADE_LABELS
from screening.labels.heatmaps import HeatmapLayer, heatmap_text
from screening.labels.models import SHORT_MODEL_LABELS
from screening.labels.oedema import CANNOT_EXCLUDE, oedema_label
from screening.labels.oedema import short_oedema_label as short_oedema_label_of
from screening.labels.quality import QUALITY_LEVEL_LABELS, advice_for, limitation_of
from screening.labels.thresholds import validation_text
from screening.models import Grading
from screening.services.active_bundles import bundle_of_version

register = template.Library()


class ResultState(StrEnum):
    """What can be displayed of the model's result for one photograph."""

    MISSING = "missing"
    QUEUED = Grading.Status.QUEUED.value
    RUNNING = Grading.Status.RUNNING.value
    FAILED = Grading.Status.FAILED.value
    UNGRADABLE = "ungradable"
    HIDDEN = "hidden"
    """Graded, but the user has to record a first reading before."""
    GRADED = "graded"


def result_state(result: Grading | Prediction | None, *, shows_model: bool = True) -> ResultState:
    """The state of a result; ``shows_model``: the user may see the model's grade."""
    if result is None:
        return ResultState.MISSING
    if isinstance(result, Grading) and result.status != Grading.Status.DONE:
        return ResultState(result.status)
    if not result.is_gradable:
        return ResultState.UNGRADABLE
    return ResultState.GRADED if shows_model else ResultState.HIDDEN


@register.inclusion_tag("screening/gradings/_result.html")
def model_result(
    result: Grading | Prediction | None,
    *,
    shows_model: bool = True,
    shows_advice: bool = False,
    is_reader: bool = True,
    may_retry: bool = False,
    is_late: bool = False,
    operating_point: float | None = None,
    model: str = "",
) -> dict[str, Any]:
    """The model's result for one photograph; ``operating_point``, ``model``: of a Prediction, which has none itself.

    ``is_reader``: the user reads photographs, and sees a hidden result after the first reading.
    """
    return {
        "result": result,
        "state": result_state(result, shows_model=shows_model),
        "is_usable": result is not None and result.quality_level == QualityLevel.USABLE,
        "level_label": QUALITY_LEVEL_LABELS[QualityLevel.USABLE],
        "advice": advice_for(result.quality_reasons) if result else [],
        "limitation": limitation_of(result) if result else "",
        "oedema_label": oedema_label(result) if result else None,
        "shows_advice": shows_advice,
        "is_reader": is_reader,
        "may_retry": may_retry,
        "is_late": is_late,
        "operating_point": getattr(result, "operating_point", operating_point),
        "model_label": SHORT_MODEL_LABELS[ServedModel(getattr(result, "model", model))] if result else "",
    }


@register.filter
def short_result(result: Grading | Prediction | None) -> str:
    """The model's result in one line."""
    match result_state(result):
        case ResultState.FAILED:
            return _("Grading failed")
        case ResultState.UNGRADABLE:
            return _("Not gradable")
        case ResultState.GRADED if result is not None:
            text = f"{grade_label(result.grade)}, {percent(result.p_referable)}"
            oedema = oedema_label(result)
            more = [limitation_of(result), f"{oedema}." if oedema else ""]
            return ". ".join(filter(None, [text, " ".join(filter(None, more))]))
    return _("Not graded yet")


@register.inclusion_tag("screening/gradings/_brief.html")
def model_brief(eyes: Iterable[Any]) -> dict[str, Any]:
    """The model's result in one line for each eye that was photographed; ``eyes`` are EyeReviewForm.

    Macular oedema is suspected if it is in any photograph of the eye. NB: for a reader who may see the result.
    Its links are for the pointer: with the keyboard, Tab leads from the note to the button that signs.
    """
    lines = [_brief_line(eye) for eye in eyes if eye.decisive_image is not None]
    points = {line["grading"].operating_point for line in lines if line["grading"]}
    return {"lines": lines, "point": points.pop() if len(points) == 1 else None}


def _brief_line(eye: Any) -> dict[str, Any]:
    grading = eye.decisive_image.grading
    is_graded = result_state(grading) is ResultState.GRADED
    return {
        "laterality": eye.laterality,
        "text": SHORT_GRADE_LABELS[grading.grade] if is_graded else short_result(grading),
        "grading": grading if is_graded else None,
        "oedema": max(filter(None, (one.grading for one in eye.images)), key=_suspicion, default=None),
    }


def _suspicion(grading: Grading) -> int:
    """Order of gradings by macular oedema: not assessed, not suspected, suspected."""
    return -1 if grading.suspects_oedema is None else int(grading.suspects_oedema)


@register.filter
def short_oedema_label(grading: Grading) -> str:
    """What a grading found on macular oedema, under a heading that names it."""
    return short_oedema_label_of(grading)


@register.filter
def has_heatmap(result: Grading | Prediction | None) -> bool:
    """Whether there is a heatmap to display; grade 0 has none, because no lesion supports it."""
    return bool(result and result.grade and result.heatmap is not None and result.heatmap_box)


@register.filter
def has_oedema_heatmap(result: Grading | Prediction | None) -> bool:
    """Whether there is a heatmap of macular oedema to display: only for a suspicion, as for grades from 1."""
    return bool(result and result.suspects_oedema and result.oedema_heatmap is not None and result.heatmap_box)


@register.simple_tag
def heatmap_json(photo_id: Any, result: Any) -> SafeString:
    """Grid, box and text of each heatmap as JSON for ``static/heatmap.js``; empty without a heatmap."""
    maps = []
    if has_heatmap(result):
        maps.append((f"heatmap-{photo_id}", HeatmapLayer.GRADE, result.heatmap))
    if has_oedema_heatmap(result):
        maps.append((f"oedema-heatmap-{photo_id}", HeatmapLayer.OEDEMA, result.oedema_heatmap))
    return SafeString("".join(_heatmap_script(*one, list(result.heatmap_box)) for one in maps))


def _heatmap_script(element_id: str, layer: HeatmapLayer, heatmap: Any, box: list[float]) -> SafeString:
    content = {"rows": np.round(heatmap, 4).tolist(), "box": box, "text": heatmap_text(layer, heatmap, box)}
    return json_script(content, element_id)


@register.filter
def grade_label(grade: int | None) -> str:
    """The name of an ICDR grade."""
    return _("No grade") if grade is None else str(GRADE_LABELS[grade])


@register.filter
def eye_label(laterality: str) -> str:
    """The name of an eye: "Right eye" for OD."""
    return str(EYE_LABELS[Laterality(laterality)])


@register.filter
def other_eye(laterality: str) -> str:
    """The code of the other eye: OS for OD."""
    return Laterality.LEFT if laterality == Laterality.RIGHT else Laterality.RIGHT


@register.filter
def same(one: object, other: object) -> bool:
    """Whether two values are equal, for the arguments of ``include``, which take filters but no comparisons."""
    return one == other


@register.filter
def percent(fraction: float | None) -> str:
    """A fraction as a percentage; never 0 % or 100 %, because no prediction is certain.

    Isolated within a text from right to left, which would turn ``<`` into ``>``.
    """
    if fraction is None:
        return "–"
    text = _("%(percent)d %%") % {"percent": round(fraction * 100)}
    if not 0.01 <= fraction <= 0.99:
        text = _("< 1 %") if fraction < 0.01 else _("> 99 %")
    return f"{LEFT_TO_RIGHT}{text}{END_OF_ISOLATE}" if get_language_bidi() else text


@register.filter
def svg_units(fraction: float | None) -> str:
    """A fraction as a coordinate of an SVG image 100 wide, with a decimal point in every language."""
    return f"{100 * (fraction or 0.0):.2f}"


@register.inclusion_tag("screening/gradings/_bars.html")
def grade_bars(result: Any) -> dict[str, Any]:
    """Bar chart of P(grade >= 1) to P(grade >= 4) of a Grading or a Prediction.

    The bar of REFERABLE_FROM is P(referable), so that it never contradicts the headline.
    """
    at_least = p_at_least(result.probabilities or [0.0] * N_GRADES)
    return {
        "bars": [
            (label, p, grade == REFERABLE_FROM)
            for grade, (label, p) in enumerate(zip(CUMULATIVE_LABELS, at_least, strict=True), start=1)
        ],
        # The grade is a cut of the mean grade: not always the highest one that is more probable than not.
        "is_most_probable": result.grade == sum(p >= 0.5 for p in at_least),
    }


@register.inclusion_tag("screening/gradings/_risk.html")
def risk_bar(result: Any, operating_point: float) -> dict[str, Any]:
    """P(referable) of a Grading or a Prediction against the operating point."""
    return {
        "p_referable": result.p_referable,
        "is_referable": result.is_referable,
        "is_limited_negative": result.is_limited_negative,
        "suspects_oedema": result.suspects_oedema,
        "is_flagged_below_referable": result.is_referable and result.grade < REFERABLE_FROM,
        "operating_point": operating_point,
        "texts": [
            text for text in (getattr(result, "threshold_text", ""), _validated(result, operating_point)) if text
        ],
    }


def _validated(result: Any, operating_point: float) -> str:
    """What the bundle of this result reached in validation at this setting; empty if it has no such figures."""
    bundle = bundle_of_version(result.model_version)
    return "" if bundle is None or bundle.roc is None else validation_text(bundle.roc, operating_point)


@register.inclusion_tag("screening/gradings/_oedema.html")
def oedema_bar(result: Any) -> dict[str, Any]:
    """P(macular oedema) of a Grading or a Prediction against its operating point, or why there is none."""
    return {
        "p_macular_oedema": result.p_macular_oedema,
        "suspects_oedema": result.suspects_oedema,
        "operating_point": result.oedema_operating_point,
        "oedema_label": oedema_label(result),
        "cannot_exclude": CANNOT_EXCLUDE,
    }
