"""Metrics of grading behind the quality gate, which refuses photographs that cannot be graded."""

from typing import TYPE_CHECKING

import numpy as np

from ml.metrics.grading import proportion, sensitivity_specificity

if TYPE_CHECKING:
    from numpy.typing import NDArray

GATE_METRICS = {
    "imageability": "gradable",
    "sensitivity_gradable": "sensitivity, gradable",
    "specificity_gradable": "specificity, gradable",
    "sensitivity_intention_to_screen": "sensitivity, intention to screen",
    "specificity_intention_to_screen": "specificity, intention to screen",
}
"""Titles by name. *Gradable*: of the accepted photographs. *Intention to screen*: of all photographs, an ungradable one
counts as positive, because it is taken again or sent to the slit lamp."""


def compute_gate_metrics(
    is_referable: "NDArray[np.bool_]",
    p_referable: "NDArray[np.floating]",
    is_gradable: "NDArray[np.bool_]",
    operating_point: float,
) -> dict[str, float]:
    """The values of GATE_METRICS for n photographs; ``p_referable`` of an ungradable one is not used."""
    gradable = sensitivity_specificity(is_referable[is_gradable], p_referable[is_gradable], operating_point)
    screened = sensitivity_specificity(is_referable, np.where(is_gradable, p_referable, 1.0), operating_point)
    return dict(zip(GATE_METRICS, (proportion(is_gradable), *gradable, *screened), strict=True))
