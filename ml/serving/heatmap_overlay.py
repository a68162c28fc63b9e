"""Blend a heatmap over its photograph, for the command line and the API."""

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.serving.preprocess import Box

#: Anchors of the colour map (value, red, green, blue), as in the browser (static/heatmap.js): one hue with rising
#: lightness, distinct for any colour vision and from the colours of a retina (orange, red bleeding, yellow exudate).
ANCHORS = ((0.0, 16, 24, 92), (0.25, 24, 68, 156), (0.5, 20, 128, 196), (0.75, 56, 194, 222), (1.0, 222, 255, 250))
#: The layer is transparent up to the first value, so that an empty heatmap leaves the photograph unchanged, and has
#: MAX_OPACITY from the second value on.
TRANSPARENT_BELOW, OPAQUE_FROM = 0.05, 0.5
MAX_OPACITY = 0.6


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
    layer = np.stack([*colors, opacity], axis=-1)  # (H, W, 4)
    return Image.fromarray(layer.astype(np.uint8), "RGBA")


def overlay(photo: Image.Image, heatmap: "NDArray[np.float32]", box: "Box") -> Image.Image:
    """Blend a heatmap over the upright RGB photograph."""
    blended = photo.convert("RGBA")
    blended.alpha_composite(heatmap_layer(heatmap, box, size_px=photo.size))
    return blended.convert("RGB")
