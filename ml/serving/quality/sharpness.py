"""Sharpness of a photograph relative to its field of view.

It is measured on two bands of the decoded photograph, above and below the macula, at the vascular arcades: the crop for
the networks is too coarse. Gaussian blur of 0.3 % of the field's width leaves the great vessels and erases
microaneurysms; the finest structures of a photograph vanish before.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.serving.preprocess import FundusCrop

    Floats = NDArray[np.float32]

#: Of the field of view as decoded; below it a photograph does not hold the finest structures, sharp or not.
MIN_DIAMETER_PX = 280
#: Grey levels of green; a darker pixel belongs to the frame or to a shadow, and its border is no structure.
MIN_GREEN = 16
#: Fewer pixels away from frame and shadow give no features.
MIN_PIXELS = 1500
LOG_OFFSET = 12.0
#: Width of a structure in pixels doubles from each level of the wavelet transform to the next.
HOLES = (1, 2, 4)
#: Pixels that the transform loses on each side.
MARGIN_PX = 2 * sum(HOLES)
#: Of the pixels, the fraction with the strongest structures.
STRONG_FRACTION = 0.1
_EPS = 1e-5
_LOGS = np.log(np.arange(256, dtype=np.float32) + np.float32(LOG_OFFSET))


@dataclass(frozen=True, slots=True, kw_only=True)
class SharpnessFeatures:
    """Finer against coarser structures; all fall with blur.

    Levels 1, 2 and 3 of the wavelet transform hold structures of one to two, three to four and six to eight pixels.
    """

    #: Natural logarithm of the diameter of the field of view in pixels.
    log_diameter: float
    #: Log of the contrast of level 1 over that of level 2, and over that of level 3.
    fine_to_middle: float
    fine_to_coarse: float
    #: Regression slope of level 1 on 2, of 2 on 3 and of 1 on 3, at the strongest structures of the coarser level.
    slope_fine_middle: float
    slope_middle_coarse: float
    slope_fine_coarse: float


def extract_sharpness(crop: "FundusCrop") -> SharpnessFeatures | None:
    """Extract the features; None if the photograph is too small or too dark to tell."""
    if crop.detail_diameter_px < MIN_DIAMETER_PX or min(crop.detail.shape[1:]) <= 2 * MARGIN_PX:
        return None
    levels = _wavelet_levels(np.take(_LOGS, crop.detail, mode="clip"))
    is_dark = crop.detail < MIN_GREEN
    if is_dark.any():
        inside = ~_is_near(is_dark, MARGIN_PX)
        levels = [level[inside] for level in levels]
    else:
        levels = [level.ravel() for level in levels]
    fine, middle, coarse = levels
    if fine.size < MIN_PIXELS:
        return None
    rms = [float(np.log(np.sqrt(np.mean(level * level)) + _EPS)) for level in levels]
    at_middle, at_coarse = _strong(middle), _strong(coarse)
    return SharpnessFeatures(
        log_diameter=float(np.log(crop.detail_diameter_px)),
        fine_to_middle=rms[0] - rms[1],
        fine_to_coarse=rms[0] - rms[2],
        slope_fine_middle=_slope(fine[at_middle], middle[at_middle]),
        slope_middle_coarse=_slope(middle[at_coarse], coarse[at_coarse]),
        slope_fine_coarse=_slope(fine[at_coarse], coarse[at_coarse]),
    )


def _wavelet_levels(values: "Floats") -> "list[Floats]":
    """Levels of the undecimated B3-spline wavelet transform (Starck and Murtagh 1994) of (2, h, w), without margin."""
    levels = []
    lost = 0
    for holes in HOLES:
        smooth = _smoothed(_smoothed(values, holes).swapaxes(1, 2), holes).swapaxes(1, 2)
        centre = values[:, 2 * holes : -2 * holes, 2 * holes : -2 * holes]
        lost += 2 * holes
        rest = MARGIN_PX - lost
        cut = slice(rest, -rest or None)
        levels.append((centre - smooth)[:, cut, cut])
        values = smooth
    return levels


def _smoothed(values: "Floats", holes: int) -> "Floats":
    """Convolve the second axis with (1, 4, 6, 4, 1) / 16, the taps ``holes`` pixels apart; it loses 4 ``holes``."""
    n = values.shape[1] - 4 * holes
    a, b, c, d, e = (values[:, k * holes : k * holes + n] for k in range(5))
    result: Floats = a + e
    inner = b + d
    inner *= np.float32(4)
    result += inner
    result += np.float32(6) * c
    result *= np.float32(1 / 16)
    return result


def _is_near(mask: "NDArray[np.bool_]", distance_px: int) -> "NDArray[np.bool_]":
    """(2, h, w) -> (2, h - 2 d, w - 2 d): whether the square of 2 d + 1 pixels around a pixel holds one of ``mask``."""
    counts = np.pad(mask, ((0, 0), (1, 0), (1, 0))).astype(np.int32).cumsum(axis=1).cumsum(axis=2)
    side = 2 * distance_px + 1
    inside: NDArray[np.bool_] = (
        counts[:, side:, side:] - counts[:, :-side, side:] - counts[:, side:, :-side] + counts[:, :-side, :-side]
    ) > 0
    return inside


def _strong(level: "Floats") -> "NDArray[np.int64]":
    """Indices of the strongest structures of a level."""
    sizes = np.abs(level)
    sample = sizes[::4]
    nth = int(len(sample) * (1 - STRONG_FRACTION))
    return np.flatnonzero(sizes >= np.partition(sample, nth)[nth])


def _slope(finer: "Floats", coarser: "Floats") -> float:
    return float(np.dot(finer, coarser) / (np.dot(coarser, coarser) + np.float32(_EPS**2)))
