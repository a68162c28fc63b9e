"""Whether glare or a shadow hides the macula, which lies near the centre of a macula-centred photograph."""

from typing import TYPE_CHECKING

import numpy as np

from ml.serving.order_statistics import median
from ml.serving.quality.cells import Cells

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bools = NDArray[np.bool_]

#: Half of the central square that is searched, and side of the square that must be clear, in radii of the field.
SEARCHED, CLEAR = 0.3, 0.3
#: Glare is brighter than this (grey levels of green), than this many medians of the field, and whiter: its red exceeds
#: green by less than this fraction of the median. An optic disc in the centre fills less than half of the square.
GLARE_LEVEL, GLARE_RATIO, GLARE_TINT = 150.0, 1.45, 0.6
#: A shadow is darker than this fraction of the median of the brightest channel; the macula has at least 0.7 of it.
SHADOW_RATIO = 0.45


def hidden_fraction(cells: Cells) -> float:
    """Largest fraction, in [0, 1], of a square of CLEAR near the centre that is under glare, or that is in shadow."""
    lit, (red, green, _blue) = cells.lit, cells.planes
    n = len(lit)
    half, side = round(SEARCHED * n / 2), round(CLEAR * n / 2)
    centre = slice(n // 2 - half, n // 2 + half)
    median_green = float(median(green[lit]))
    tint, inner_green = (red - green), green[centre, centre]
    is_glare = (inner_green > max(GLARE_LEVEL, GLARE_RATIO * median_green)) & (
        tint[centre, centre] < GLARE_TINT * median(tint[lit])
    )
    is_shadow = (cells.brightest[centre, centre] < SHADOW_RATIO * cells.brightness) | ~lit[centre, centre]
    return max(_largest_mean(is_glare, side), _largest_mean(is_shadow, side))


def _largest_mean(mask: "Bools", side: int) -> float:
    """Largest mean of a mask over squares of ``side``."""
    sums = np.zeros((mask.shape[0] + 1, mask.shape[1] + 1), np.int32)
    sums[1:, 1:] = mask.cumsum(axis=0, dtype=np.int32).cumsum(axis=1)
    counts = sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side]
    return float(counts.max() / side**2)
