"""What a grading stores of a prediction."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ml.prediction import Prediction
from screening.models import Grading, Site
from screening.services.thresholds import with_site_threshold

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


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
        "heatmap": _rows(prediction.heatmap),
        "heatmap_box": None if prediction.heatmap_box is None else list(prediction.heatmap_box),
        "p_macular_oedema": prediction.p_macular_oedema,
        "suspects_oedema": prediction.suspects_oedema,
        "oedema_operating_point": prediction.oedema_operating_point,
        "oedema_heatmap": _rows(prediction.oedema_heatmap),
        **({} if prediction.measurements is None else asdict(prediction.measurements)),
        "laterality_suggested": prediction.laterality or "",
        "laterality_confidence": prediction.laterality_confidence,
    }


def _rows(heatmap: "NDArray[np.float32] | None") -> list[list[float]] | None:
    """A heatmap as it is stored."""
    return None if heatmap is None else heatmap.round(4).tolist()
