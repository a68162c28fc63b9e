"""Canvas to paint the masks of a synthetic retina on.

Coordinates are retina units: the centre of the field is (0, 0), its edge is at radius 1, x grows to the right and y
downwards.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

FloatArray = NDArray[np.floating[Any]]
Point = tuple[float, float]


class Canvas:
    """Square of retina units to paint a mask on, at twice its size; ``ink`` is 0..255, sizes are in retina units."""

    def __init__(self, side_px: int) -> None:
        self.side_px, self.scale = side_px, float(side_px)
        self.image = Image.new("L", (2 * side_px, 2 * side_px))
        self.draw = ImageDraw.Draw(self.image)

    def polygon(self, outline: Iterable[Point], ink: int) -> None:
        """Fill a polygon."""
        self.draw.polygon([((x + 1) * self.scale, (y + 1) * self.scale) for x, y in outline], fill=ink)

    def dot(self, at: Point, radius: float, ink: int) -> None:
        """Fill a circle."""
        x, y, r_px = (at[0] + 1) * self.scale, (at[1] + 1) * self.scale, radius * self.scale
        self.draw.ellipse((x - r_px, y - r_px, x + r_px, y + r_px), fill=ink)

    def line(self, start: Point, end: Point, width: float, ink: int) -> None:
        """Paint a line of at least one pixel."""
        ends = [(x + 1) * self.scale for x in (*start, *end)]
        self.draw.line(ends, fill=ink, width=max(1, round(width * self.scale)))

    def mask(self, *, blur: float = 0.0) -> FloatArray:
        """The canvas at its size, blurred: (side, side) in [0, 1]."""
        if self.image.getbbox() is None:  # nothing is painted: skip the resampling
            return np.zeros((self.side_px, self.side_px), dtype=np.float32)
        small = self.image.resize((self.side_px, self.side_px), Image.Resampling.BOX)
        small = small.filter(ImageFilter.GaussianBlur(blur * self.side_px / 2))
        return np.asarray(small, dtype=np.float32) / 255
