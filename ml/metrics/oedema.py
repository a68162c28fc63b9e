"""Metrics of macular oedema, of photographs with that label."""

from typing import TYPE_CHECKING

import numpy as np

from ml.metrics.grading import area_under_curve, expected_calibration_error, sensitivity_specificity

if TYPE_CHECKING:
    from numpy.typing import NDArray

OEDEMA_METRICS = {
    "oedema_auc": "AUC, macular oedema",
    "oedema_sensitivity": "sensitivity, macular oedema",
    "oedema_specificity": "specificity, macular oedema",
    "oedema_calibration_error": "calibration error (ECE), macular oedema",
}
"""Titles by name. Referable macular oedema as each source defines it."""


def compute_oedema_metrics(
    oedema: "NDArray[np.bool_]", p: "NDArray[np.floating]", operating_point: float
) -> dict[str, float]:
    """The values of OEDEMA_METRICS for n photographs; NaN if one is undefined."""
    auc = area_under_curve(oedema, p)
    values = (
        float("nan") if auc is None else auc,
        *sensitivity_specificity(oedema, p, operating_point),
        expected_calibration_error(oedema, p),
    )
    return dict(zip(OEDEMA_METRICS, values, strict=True))
