"""What a grading stores of a prediction."""

from dataclasses import asdict
from typing import Any

from ml.prediction import Prediction
from screening.models import Grading, Heatmap, Site
from screening.models.heatmaps import encode_heatmap
from screening.services.thresholds import with_site_threshold


def result_columns(prediction: Prediction, site: Site | None, *, own_point: float) -> dict[str, Any]:
    """The columns of a finished grading, judged by the threshold of the site or, without one, by ``own_point``.

    ``site`` is None if it had none when the grading began: then there is no query for it.
    """
    threshold = None
    if site is not None:
        prediction, threshold = with_site_threshold(prediction, site)
    return {
        "status": Grading.Status.DONE,
        "failure_code": "",
        "is_gradable": prediction.is_gradable,
        "quality_level": prediction.quality_level,
        "p_gradable": prediction.p_gradable,
        "quality_reasons": list(prediction.quality_reasons),
        "grade": None if prediction.grade is None else int(prediction.grade),
        "probabilities": None if prediction.probabilities is None else list(prediction.probabilities),
        "p_referable": prediction.p_referable,
        "is_referable": prediction.is_referable,
        "operating_point": own_point if threshold is None else threshold.operating_point,
        "threshold": threshold,
        "p_macular_oedema": prediction.p_macular_oedema,
        "suspects_oedema": prediction.suspects_oedema,
        "oedema_operating_point": prediction.oedema_operating_point,
        **({} if prediction.measurements is None else asdict(prediction.measurements)),
        "laterality_suggested": prediction.laterality or "",
        "laterality_confidence": prediction.laterality_confidence,
    }


def heatmap_of(prediction: Prediction, grading: Grading) -> Heatmap | None:
    """The heatmaps of a grading, to be stored with its result; None if there is none."""
    of_grade, of_oedema, box = prediction.heatmap, prediction.oedema_heatmap, prediction.heatmap_box
    if of_grade is None and of_oedema is None:
        return None
    return Heatmap(
        grading=grading,
        of_grade=None if of_grade is None else encode_heatmap(of_grade),
        of_oedema=None if of_oedema is None else encode_heatmap(of_oedema),
        box=None if box is None else list(box),
    )
