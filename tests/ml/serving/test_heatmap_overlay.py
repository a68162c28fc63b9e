"""The heatmap is painted over the photograph in the colours of the browser."""

import re
from pathlib import Path

import numpy as np
from PIL import Image

from ml.serving.heatmap_overlay import ANCHORS, heatmap_layer, overlay


def test_the_heatmap_lies_in_its_box() -> None:
    heatmap = np.zeros((7, 7), np.float32)
    heatmap[0, 0] = 1
    layer = np.asarray(heatmap_layer(heatmap, (0.5, 0.0, 1.0, 1.0), size_px=(200, 100)))
    assert layer.shape == (100, 200, 4)
    y, x = np.unravel_index(layer[..., 3].argmax(), (100, 200))
    assert 95 <= x <= 120
    assert y <= 20
    assert layer[:, :95, 3].max() == 0


def test_only_evidence_that_is_not_faint_is_visible() -> None:
    photo = Image.new("RGB", (60, 40), (180, 90, 50))
    blank, faint, half = (np.full((7, 7), value, np.float32) for value in (0, 0.05, 0.5))
    assert overlay(photo, blank, (0, -0.2, 1, 1.2)).tobytes() == photo.tobytes()
    assert overlay(photo, faint, (0, 0, 1, 1)).tobytes() == photo.tobytes()
    red, _, blue = overlay(photo, half, (0, 0, 1, 1)).getpixel((30, 20))  # type: ignore[misc]  # three channels
    assert blue > 120 > red


def test_the_browser_and_the_command_line_use_the_same_colours() -> None:
    script = (Path(__file__).parents[3] / "static" / "heatmap.js").read_text()
    table = script.partition("const ANCHORS = [")[2].partition("];")[0]
    rows = re.findall(r"\[([\d., ]+)\]", table)
    assert [tuple(float(number) for number in row.split(",")) for row in rows] == [tuple(a) for a in ANCHORS]
