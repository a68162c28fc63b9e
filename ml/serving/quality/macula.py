"""Whether glare or a shadow hides the macula, which lies near the centre of a macula-centred photograph."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Bools = NDArray[np.bool_]

#: Half of the central square that is searched, and side of the square that must be clear, in radii of the field.
SEARCHED, CLEAR = 0.3, 0.3
#: Glare is brighter than this (grey levels of green), than this many medians of the field, and whiter: its red exceeds
#: green by less than this fraction of the median. An optic disc in the centre fills less than half of the square.
GLARE_LEVEL, GLARE_RATIO, GLARE_TINT = 150.0, 1.45, 0.6
#: A shadow is darker than this fraction of the median of the brightest channel; the macula has at least 0.7 of it.
SHADOW_RATIO = 0.45


def hidden_fraction(cells: "Floats", lit: "Bools") -> float:
    """Largest fraction, in [0, 1], of a square of CLEAR near the centre that is under glare, or that is in shadow.

    ``cells`` (n, n, 3) are mean colours of the field of view, ``lit`` (n, n) the cells inside it.
    """
    n = len(cells)
    half, side = round(SEARCHED * n / 2), round(CLEAR * n / 2)
    centre = slice(n // 2 - half, n // 2 + half)
    red, green = cells[..., 0], cells[..., 1]
    brightest = cells.max(axis=2)
    median_green = float(np.median(green[lit]))
    tint, inner_green = (red - green), green[centre, centre]
    is_glare = (inner_green > max(GLARE_LEVEL, GLARE_RATIO * median_green)) & (
        tint[centre, centre] < GLARE_TINT * np.median(tint[lit])
    )
    is_shadow = (brightest[centre, centre] < SHADOW_RATIO * np.median(brightest[lit])) | ~lit[centre, centre]
    return max(_largest_mean(is_glare, side), _largest_mean(is_shadow, side))


def _largest_mean(mask: "Bools", side: int) -> float:
    """Largest mean of a mask over squares of ``side``."""
    sums = np.pad(mask, ((1, 0), (1, 0))).astype(np.int32).cumsum(axis=0).cumsum(axis=1)
    counts = sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side]
    return float(counts.max() / side**2)
