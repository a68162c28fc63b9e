"""What a Grader says about one photograph."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ml.vocabulary import ICDRGrade

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """What a Grader says about one photograph. An ungradable photograph has no grade.

    ``probabilities`` holds K = 5 calibrated values that sum to 1, index = grade. ``heatmap`` is (h, w) float32
    in [0, 1] on the network's own grid, for ``grade``; ``heatmap_box`` says where it lies on the upright
    photograph as (left, top, right, bottom), shares of its width and height (it may reach outside [0, 1] where the
    retina is cut by the frame).
    """

    model_version: str
    p_gradable: float
    is_gradable: bool
    quality_reasons: tuple[str, ...] = ()
    grade: ICDRGrade | None = None
    probabilities: tuple[float, ...] | None = None
    p_referable: float | None = None
    is_referable: bool | None = None
    heatmap: "NDArray[np.float32] | None" = None
    heatmap_box: tuple[float, float, float, float] | None = None
