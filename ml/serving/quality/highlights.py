"""Small white reflections of a flash: wet lids, lashes and skin have many, a retina few."""

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bools = NDArray[np.bool_]
    Levels = NDArray[np.uint8]

#: Radius that is searched, in radii of the field: its rim is bright on some cameras.
INNER_RADIUS = 0.9
#: Grey levels above the surroundings, in green and in blue: exudates and the optic disc are yellow.
MIN_CONTRAST = 40
DARK_LEVEL = 25


def highlight_fraction(view: "Levels") -> float:
    """Pixels of reflections in a crop of (192, 192, 3), in thousandths of the lit pixels away from the rim."""
    red, green, blue = (np.ascontiguousarray(view[..., i]) for i in range(3))
    inside = _inner(len(view)) & (np.maximum(np.maximum(red, green), blue) > DARK_LEVEL)
    contrast = np.minimum(green - _opened(green), blue - _opened(blue))
    return float(1000 * ((contrast > MIN_CONTRAST) & inside).sum() / max(inside.sum(), 1))


@cache
def _inner(side_px: int) -> "Bools":
    """(S, S) True within INNER_RADIUS of the centre."""
    offsets = np.arange(side_px) - (side_px - 1) / 2
    inner: Bools = offsets**2 + offsets[:, None] ** 2 < (INNER_RADIUS * side_px / 2) ** 2
    return inner


def _opened(levels: "Levels") -> "Levels":
    """Morphological opening of (h, w) with a square of 3 x 3: bright details up to 2 pixels wide are removed."""
    for operation in (np.minimum, np.maximum):
        for axis in (0, 1):
            levels = _of_neighbours(operation, levels, axis)
    return levels


def _of_neighbours(operation: "np.ufunc", levels: "Levels", axis: int) -> "Levels":
    """Minimum or maximum of each pixel and its two neighbours along an axis."""
    result = levels.copy()
    source, target = np.moveaxis(levels, axis, 0), np.moveaxis(result, axis, 0)
    operation(target[1:], source[:-1], out=target[1:])
    operation(target[:-1], source[1:], out=target[:-1])
    return result
