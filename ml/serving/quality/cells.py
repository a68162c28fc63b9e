"""Mean colours of the cells of a field of view, from which quality features are computed."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from ml.serving.order_statistics import median
from ml.serving.preprocess import FundusCrop

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Bools = NDArray[np.bool_]

GRID = 80
#: Grey levels added before the logarithm, so that noise in near-black cells does not count as contrast.
LOG_OFFSET = 12.0
_LOGS = np.log(np.arange(256, dtype=np.float32) + np.float32(LOG_OFFSET))


@dataclass(frozen=True)  # without slots: it caches
class Cells:
    """``planes`` (3, n, n) are red, green and blue in 0..255, whole numbers; ``lit`` (n, n) the cells that count."""

    planes: "Floats"
    lit: "Bools"

    @cached_property
    def brightest(self) -> "Floats":
        """(n, n) the brightest channel."""
        red, green, blue = self.planes
        brightest: Floats = np.maximum(np.maximum(red, green), blue)
        return brightest

    @cached_property
    def largest(self) -> "Floats":
        """The brightest channel of the lit cells."""
        return self.brightest[self.lit]

    @cached_property
    def brightness(self) -> np.floating[Any]:
        """Median of the brightest channel."""
        return median(self.largest)

    @cached_property
    def colorfulness(self) -> np.floating[Any]:
        """Median distance between the largest and the smallest channel."""
        red, green, blue = self.planes
        return median(self.largest - np.minimum(np.minimum(red, green), blue)[self.lit])

    @cached_property
    def logs(self) -> "Floats":
        """(3, n, n) logarithms of the levels above LOG_OFFSET."""
        return np.take(_LOGS, self.planes.astype(np.uint8), mode="clip")


def cells_of(crop: FundusCrop) -> Cells:
    """The 80 x 80 cells of a crop; one is lit if all its pixels are."""
    size = (GRID, GRID)
    colors = np.asarray(crop.image.resize(size, Image.Resampling.BOX))
    lit = np.asarray(Image.fromarray(crop.lit.view(np.uint8) * np.uint8(255)).resize(size, Image.Resampling.BOX))
    return Cells(colors.transpose(2, 0, 1).astype(np.float32, order="C"), lit >= 250)
