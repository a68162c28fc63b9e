"""The result of a Grader for one photograph."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ml.vocabulary import ICDRGrade, Laterality, QualityLevel

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurements:
    """Of the light and the optics of one photograph, to compare those of a camera over time.

    ``brightness`` is the median of the brightest channel inside the field of view, 0..255; ``redness`` the mean natural
    logarithm of red over green there. ``focus`` is that of the contrast of structures of one to two pixels over those
    of six to eight; None if the photograph is too small or too dark to tell. ``field_size`` is the diameter of the
    field of view as a fraction of the height of the photograph, above 1 if the frame cuts it.
    """

    brightness: float
    redness: float
    focus: float | None
    field_size: float


def p_at_least(probabilities: Sequence[float]) -> tuple[float, ...]:
    """P(grade >= 1) to P(grade >= 4), of the K probabilities of the grades; they descend."""
    return tuple(min(1.0, sum(probabilities[grade:])) for grade in range(1, len(probabilities)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """The result of a Grader for one photograph. An ungradable photograph has no grade.

    ``quality_reasons`` says why ``quality_level`` is not good.
    ``probabilities`` holds K = 5 calibrated values that sum to 1, index = grade. ``heatmap`` is the Grad-CAM of
    ``grade``, (h, w) float32 in [0, 1], on the grid of the network's last feature map. ``heatmap_box`` is its position
    on the upright photograph (left, top, right, bottom) as fractions of width and height; it reaches outside [0, 1] if
    the field of view is cut by the frame. ``p_macular_oedema`` is the calibrated probability of referable macular
    oedema, None if the model or the photograph does not allow it; ``oedema_heatmap`` is its Grad-CAM on the same grid.
    Oedema is suspected from ``oedema_operating_point``, which a graded photograph has if the model assesses oedema,
    also if the macula is not visible.
    ``laterality`` is the eye that a gradable photograph shows, None if that is not clear; ``laterality_confidence`` in
    [0, 1] is the calibrated probability of the likelier eye. ``has_writing`` says whether something is written outside
    the retina. ``measurements`` is None if the photograph is not of one retina.
    """

    model_version: str
    p_gradable: float
    quality_level: QualityLevel
    quality_reasons: tuple[str, ...] = ()
    grade: ICDRGrade | None = None
    probabilities: tuple[float, ...] | None = None
    p_referable: float | None = None
    is_referable: bool | None = None
    p_macular_oedema: float | None = None
    suspects_oedema: bool | None = None
    oedema_operating_point: float | None = None
    oedema_heatmap: "NDArray[np.float32] | None" = None
    heatmap: "NDArray[np.float32] | None" = None
    heatmap_box: tuple[float, float, float, float] | None = None
    laterality: Laterality | None = None
    laterality_confidence: float | None = None
    has_writing: bool = False
    measurements: Measurements | None = None

    @property
    def is_gradable(self) -> bool:
        return self.quality_level.is_gradable

    @property
    def is_limited_negative(self) -> bool:
        """Whether it is negative, but not a clear negative: see the function of this name."""
        return is_limited_negative(self.quality_level, is_referable=self.is_referable)


def is_limited_negative(quality_level: str, *, is_referable: bool | None) -> bool:
    """Whether small lesions could be missed in a negative result: the photograph is only usable with limits.

    A person reads such a photograph in any case. ``is_referable`` is None without a grade.
    """
    return quality_level == QualityLevel.USABLE and is_referable is False
