"""The heatmap is painted over the photograph in the colours of the browser."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ml.serving.heatmap_overlay import ANCHORS, CONTOUR_OF_MAX, DARK, TRANSPARENT_BELOW, WHITE, heatmap_layer, overlay


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
    constants = dict(re.findall(r"const (\w+) = ([\d.]+);", script))
    assert (float(constants["CONTOUR_OF_MAX"]), float(constants["TRANSPARENT_BELOW"])) == (
        CONTOUR_OF_MAX,
        TRANSPARENT_BELOW,
    )
    lines = dict(re.findall(r"const (WHITE|DARK) = \[([\d, ]+)\]", script))
    assert {name: tuple(map(int, text.split(","))) for name, text in lines.items()} == {"WHITE": WHITE, "DARK": DARK}


def test_equal_steps_of_the_value_are_equal_differences_of_colour() -> None:
    colours = np.array([cielab(anchor[1:]) for anchor in ANCHORS])
    steps = np.linalg.norm(np.diff(colours, axis=0), axis=1)
    assert steps.max() / steps.min() < 1.2
    assert (np.diff(colours[:, 0]) > 8).all()  # lightness rises, for those who do not see the colours


@pytest.mark.parametrize("peak", [1.0, 0.4])
def test_a_line_is_at_half_of_the_maximum(peak: float) -> None:
    heatmap = np.tile(np.linspace(0, peak, 64, dtype=np.float32), (64, 1))
    layer = np.asarray(heatmap_layer(heatmap, (0, 0, 1, 1), size_px=(64, 64)))
    is_white = (layer == WHITE).all(axis=-1)
    assert set(np.flatnonzero(is_white.any(axis=0))) <= {31, 32}
    assert is_white.any()


def test_a_map_without_evidence_has_no_line() -> None:
    heatmap = np.tile(np.linspace(0, 0.09, 64, dtype=np.float32), (64, 1))
    layer = np.asarray(heatmap_layer(heatmap, (0, 0, 1, 1), size_px=(64, 64)))
    assert not (layer == WHITE).all(axis=-1).any()
    assert not (layer == DARK).all(axis=-1).any()


def cielab(colour: tuple[float, ...]) -> "np.ndarray[Any, Any]":
    """L*, a*, b* of an sRGB colour, white point D65."""
    c = np.asarray(colour) / 255
    linear = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
    matrix = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = matrix @ linear / np.array([0.9505, 1.0, 1.089])
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])
