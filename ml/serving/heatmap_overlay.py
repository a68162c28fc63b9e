"""Lay a heatmap over its photograph, for people outside the browser: the command line and the API."""

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.serving.preprocess import Box

ANCHORS = ((0.0, 16, 24, 92), (0.25, 24, 68, 156), (0.5, 20, 128, 196), (0.75, 56, 194, 222), (1.0, 222, 255, 250))
"""Value, red, green, blue, as in the browser (static/heatmap.js): one hue with rising lightness, told apart with
any colour vision, and unlike anything on a retina (orange ground, red bleeding, yellow exudate)."""
FAINT_BELOW, FULL_FROM = 0.05, 0.5
"""Values up to the first are clear, so that the photograph under a blank map is untouched; from the second on the layer
is as opaque as it gets."""
MAX_OPACITY = 0.6


def heatmap_layer(heatmap: "NDArray[np.float32]", box: "Box", *, size_px: tuple[int, int]) -> Image.Image:
    """An RGBA picture of ``size_px`` (W, H) to lay over the upright photograph; clear where there is no evidence.

    ``heatmap`` is (h, w) in [0, 1], ``box`` where it lies, as shares of W and H (see Prediction).
    """
    width, height = size_px
    left, top, right, bottom = box
    whole = Image.fromarray(heatmap.astype(np.float32)).resize(
        (max(1, round((right - left) * width)), max(1, round((bottom - top) * height))), Image.Resampling.BICUBIC
    )
    placed = Image.new("F", size_px, 0.0)
    placed.paste(whole, (round(left * width), round(top * height)))
    heat = np.clip(np.asarray(placed), 0, 1)  # (H, W)
    levels, *channels = zip(*ANCHORS, strict=True)
    colours = [np.interp(heat, levels, channel) for channel in channels]
    rise = np.clip((heat - FAINT_BELOW) / (FULL_FROM - FAINT_BELOW), 0, 1)
    opacity = 255 * MAX_OPACITY * rise * rise * (3 - 2 * rise)
    layers = np.stack([*colours, opacity], axis=-1)  # (H, W, 4)
    return Image.fromarray(layers.astype(np.uint8), "RGBA")


def overlay(photo: Image.Image, heatmap: "NDArray[np.float32]", box: "Box") -> Image.Image:
    """The upright RGB photograph with its heatmap blended over it."""
    blended = photo.convert("RGBA")
    blended.alpha_composite(heatmap_layer(heatmap, box, size_px=photo.size))
    return blended.convert("RGB")
