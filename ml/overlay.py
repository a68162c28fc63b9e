"""Lay a heatmap over its photograph, for people outside the browser: the command line and the API."""

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.preprocess import Box

ANCHORS = ((0, 32, 77), (66, 78, 108), (124, 123, 120), (188, 175, 111), (255, 234, 70))
"""Dark blue to yellow in steps of equal lightness, told apart with any colour vision (after Nunez et al. 2018)."""
MAX_OPACITY = 0.65


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
    levels = np.linspace(0, 1, len(ANCHORS))
    colours = [np.interp(heat, levels, [anchor[c] for anchor in ANCHORS]) for c in range(3)]
    layers = np.stack([*colours, 255 * MAX_OPACITY * heat], axis=-1)  # (H, W, 4)
    return Image.fromarray(layers.astype(np.uint8), "RGBA")


def overlay(photo: Image.Image, heatmap: "NDArray[np.float32]", box: "Box") -> Image.Image:
    """The upright RGB photograph with its heatmap blended over it."""
    blended = photo.convert("RGBA")
    blended.alpha_composite(heatmap_layer(heatmap, box, size_px=photo.size))
    return blended.convert("RGB")
