"""Blend a heatmap over its photograph, for the command line and the API."""

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.serving.preprocess import Box

#: Anchors of the colour map (value, red, green, blue), as in the browser (static/heatmap.js): deep blue to pale cyan,
#: distinct for any colour vision and from the colours of a retina (orange, red bleeding, yellow exudate). Perceptually
#: uniform: equal steps of the value are equal differences of colour in CIELAB.
ANCHORS = (
    (0.0, 16, 24, 92),
    (0.125, 22, 56, 139),
    (0.25, 23, 87, 169),
    (0.375, 21, 118, 189),
    (0.5, 30, 146, 203),
    (0.625, 46, 175, 215),
    (0.75, 89, 206, 227),
    (0.875, 161, 233, 240),
    (1.0, 222, 255, 250),
)
#: The layer is transparent up to the first value, so that an empty heatmap leaves the photograph unchanged, and has
#: MAX_OPACITY from the second value on.
TRANSPARENT_BELOW, OPAQUE_FROM = 0.05, 0.5
MAX_OPACITY = 0.6
#: A white line with a dark side at this fraction of the map's maximum; none if that value is transparent.
CONTOUR_OF_MAX = 0.5
WHITE, DARK = (255, 255, 255, 255), (8, 12, 46, 255)
LINES_A_SIDE = 720
"""The line is this fraction of the longer side of the photograph wide, at least 1 px."""


def heatmap_layer(heatmap: "NDArray[np.float32]", box: "Box", *, size_px: tuple[int, int]) -> Image.Image:
    """Heatmap as an RGBA layer of ``size_px`` (W, H) over the upright photograph.

    ``heatmap`` is (h, w) in [0, 1]; ``box`` is its position in fractions of W and H (see Prediction).
    """
    width, height = size_px
    left, top, right, bottom = box
    resized = Image.fromarray(heatmap.astype(np.float32)).resize(
        (max(1, round((right - left) * width)), max(1, round((bottom - top) * height))), Image.Resampling.BICUBIC
    )
    canvas = Image.new("F", size_px, 0.0)
    canvas.paste(resized, (round(left * width), round(top * height)))
    heat = np.clip(np.asarray(canvas), 0, 1)  # (H, W)
    levels, *channels = zip(*ANCHORS, strict=True)
    colors = [np.interp(heat, levels, channel) for channel in channels]
    t = np.clip((heat - TRANSPARENT_BELOW) / (OPAQUE_FROM - TRANSPARENT_BELOW), 0, 1)
    opacity = 255 * MAX_OPACITY * t * t * (3 - 2 * t)  # smoothstep
    layer = np.stack([*colors, opacity], axis=-1).astype(np.uint8)  # (H, W, 4)
    _draw_contour(layer, heat)
    return Image.fromarray(layer, "RGBA")


def _draw_contour(layer: "NDArray[np.uint8]", heat: "NDArray[np.float32]") -> None:
    """Draw the line between values below and above CONTOUR_OF_MAX; ``layer`` (H, W, 4), ``heat`` (H, W)."""
    level = CONTOUR_OF_MAX * float(heat.max())
    if level < TRANSPARENT_BELOW:
        return
    width_px = max(1, round(max(heat.shape) / LINES_A_SIDE))
    is_above = heat >= level
    is_line = np.zeros_like(is_above)
    for side, above in ((is_line, is_above), (is_line.T, is_above.T)):  # views: columns, then rows
        differs = above[:, :-width_px] != above[:, width_px:]
        side[:, :-width_px] |= differs
        side[:, width_px:] |= differs
    layer[is_line & is_above] = WHITE
    layer[is_line & ~is_above & (heat > TRANSPARENT_BELOW)] = DARK


def overlay(photo: Image.Image, heatmap: "NDArray[np.float32]", box: "Box") -> Image.Image:
    """Blend a heatmap over the upright RGB photograph."""
    blended = photo.convert("RGBA")
    blended.alpha_composite(heatmap_layer(heatmap, box, size_px=photo.size))
    return blended.convert("RGB")
