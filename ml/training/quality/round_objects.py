"""Round objects that are no retina: fruit, plates, balls, coins, eyes seen from outside, and textures in a circle.

Each call draws another colour, light, size and pattern, so that the gate learns what they have in common.
"""

import colorsys
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

Rng = np.random.Generator
SIDE_PX = 400
_Y, _X = (np.mgrid[:SIDE_PX, :SIDE_PX] - (SIDE_PX - 1) / 2) / (SIDE_PX / 2)
_RADIUS, _ANGLE = np.hypot(_X, _Y), np.arctan2(_Y, _X)


def draw_round_object(rng: Rng, kind: str) -> Image.Image:
    """One object of ROUND_KINDS in a dark frame, sharp or slightly out of focus."""
    pixels = np.clip(ROUND_KINDS[kind](rng), 0, 255)
    background = rng.uniform(0, 14, 3)
    pixels = np.where(_RADIUS[..., None] > 0.985, background, pixels)
    pixels = pixels + rng.normal(0, rng.uniform(0, 4), pixels.shape)
    image = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    frame = Image.new(
        "RGB",
        (SIDE_PX + int(rng.integers(10, 260)), SIDE_PX + int(rng.integers(10, 60))),
        tuple(background.astype(int)),
    )
    frame.paste(image, ((frame.width - SIDE_PX) // 2, (frame.height - SIDE_PX) // 2))
    return frame.filter(ImageFilter.GaussianBlur(rng.uniform(0, 2.5)))


def _color(rng: Rng, hue: tuple[float, float], saturation: tuple[float, float], value: tuple[float, float]) -> "Floats":
    return 255 * np.array(colorsys.hsv_to_rgb(rng.uniform(*hue) % 1, rng.uniform(*saturation), rng.uniform(*value)))


def _any_color(rng: Rng) -> "Floats":
    return _color(rng, (0, 1), (0, 1), (0.15, 1))


def _warm(rng: Rng) -> "Floats":
    """A colour of fruit, skin, bread and retinas."""
    return _color(rng, (-0.04, 0.14), (0.35, 1), (0.35, 1))


def _noise(rng: Rng, *n_cells: int) -> "Floats":
    """(S, S, 1) smooth noise in -0.5 to 0.5, the mean over grids of so many cells."""
    total = np.zeros((SIDE_PX, SIDE_PX))
    for n in n_cells:
        cells = Image.fromarray(rng.uniform(0, 255, (n, n)).astype(np.uint8))
        total += np.asarray(cells.resize((SIDE_PX, SIDE_PX), Image.Resampling.BICUBIC), np.float64) / 255 - 0.5
    mean: Floats = total[..., None] / len(n_cells)
    return mean


def _lit_sphere(rng: Rng, color: "Floats") -> "Floats":
    """A shaded ball with a highlight."""
    light = np.array([rng.uniform(-0.7, 0.7), rng.uniform(-0.7, 0.7)])
    depth = np.sqrt(np.clip(1 - _RADIUS**2, 0, 1))
    slope = (depth + _X * light[0] + _Y * light[1]) / np.sqrt(1 + light @ light)
    shaded = color * (1 - rng.uniform(0.2, 0.95) * (1 - np.clip(slope, 0, 1)))[..., None]
    spot = np.hypot(_X - 0.7 * light[0], _Y - 0.7 * light[1])
    highlight = rng.uniform(0, 1) * np.exp(-((spot / rng.uniform(0.04, 0.3)) ** 2))[..., None]
    ball: Floats = shaded * (1 - highlight) + 255 * highlight
    return ball


def _star(rng: Rng, n: int, size: float) -> "NDArray[np.bool_]":
    """The leaves on a fruit, or a flower."""
    x, y = rng.uniform(-0.4, 0.4, 2)
    radius, angle = np.hypot(_X - x, _Y - y), np.arctan2(_Y - y, _X - x)
    star: NDArray[np.bool_] = radius < size * np.abs(np.cos(n / 2 * angle + rng.uniform(0, 6))) ** 3 + 0.04
    return star


def _fruit(rng: Rng) -> "Floats":
    pixels = _lit_sphere(rng, _warm(rng) if rng.random() < 0.8 else _any_color(rng))
    pixels = pixels * (1 + rng.uniform(0, 0.5) * _noise(rng, 5, 20, 90))
    if rng.random() < 0.4:  # stripes of an apple, or segments of a pumpkin
        pixels = pixels * (1 - rng.uniform(0, 0.4) * np.cos(_ANGLE * rng.integers(5, 40))[..., None] ** 2)
    if rng.random() < 0.5:  # a stalk with leaves
        leaves = _star(rng, int(rng.integers(4, 8)), rng.uniform(0.15, 0.5))
        pixels = np.where(leaves[..., None], _color(rng, (0.15, 0.4), (0.3, 1), (0.1, 0.6)), pixels)
    return pixels


def _plate(rng: Rng) -> "Floats":
    pale = _color(rng, (0, 1), (0, 0.3), (0.5, 1)) if rng.random() < 0.6 else _any_color(rng)
    pixels = np.broadcast_to(pale, (SIDE_PX, SIDE_PX, 3)) * (1 + rng.uniform(0, 0.3) * _noise(rng, 2, 4))
    for _ in range(int(rng.integers(1, 6))):  # rims
        at, width = rng.uniform(0.3, 0.98), rng.uniform(0.005, 0.06)
        ring = np.exp(-(((_RADIUS - at) / width) ** 2))[..., None]
        pixels = pixels * (1 - ring) + ring * (_any_color(rng) if rng.random() < 0.4 else pale * rng.uniform(0.5, 1.2))
    if rng.random() < 0.6:  # food
        pixels = _with_blobs(rng, pixels, int(rng.integers(1, 14)), 0.35)
    if rng.random() < 0.3:  # a painted border
        dots = (_RADIUS > 0.75) & (_RADIUS < 0.9) & (np.cos(_ANGLE * rng.integers(8, 50)) > rng.uniform(0, 0.9))
        pixels = np.where(dots[..., None], _any_color(rng), pixels)
    return pixels


def _with_blobs(rng: Rng, pixels: "Floats", n: int, size: float) -> "Floats":
    for _ in range(n):
        x, y = rng.uniform(-0.6, 0.6, 2)
        inside = np.hypot((_X - x) / rng.uniform(0.3, 1), _Y - y) < rng.uniform(0.02, size)
        color = (_warm(rng) if rng.random() < 0.6 else _any_color(rng)) * (1 + 0.6 * _noise(rng, 30, 100))
        pixels = np.where(inside[..., None], color, pixels)
    return pixels


def _ball(rng: Rng) -> "Floats":
    pixels = _lit_sphere(rng, _warm(rng) if rng.random() < 0.5 else _any_color(rng))
    for _ in range(int(rng.integers(1, 6))):  # seams
        a, b, c = rng.uniform(-1, 1), rng.uniform(-1, 1), rng.uniform(-0.5, 0.5)
        line = np.abs(a * _X + b * _Y + c + rng.uniform(-0.8, 0.8) * _X * _Y) < rng.uniform(0.005, 0.03)
        pixels = np.where(line[..., None], pixels * rng.uniform(0.1, 0.6), pixels)
    return pixels


def _coin(rng: Rng) -> "Floats":
    """Also a wheel or a clock: spokes and rings."""
    pixels = _any_color(rng) * (0.8 + rng.uniform(0, 0.8) * _noise(rng, 3, 30))
    spokes = np.cos(_ANGLE * rng.integers(3, 36)) * (rng.uniform(0, 0.7) < _RADIUS)
    pixels = pixels * (1 - rng.uniform(0, 0.7) * (spokes > rng.uniform(0.2, 0.95))[..., None])
    rings: Floats = pixels * (1 - rng.uniform(0, 0.4) * (np.cos(_RADIUS * rng.uniform(5, 60)) > 0.7)[..., None])
    return rings


def _outer_eye(rng: Rng) -> "Floats":
    """Skin, sclera, iris, pupil and lids."""
    skin = _warm(rng) * (1 + 0.3 * _noise(rng, 4, 60))
    dark_radius, iris, opening = rng.uniform(0.08, 0.25), rng.uniform(0.3, 0.5), rng.uniform(0.35, 0.8)
    fibres = 1 + 0.5 * np.cos(_ANGLE * rng.integers(20, 90) + 9 * _noise(rng, 12)[..., 0])[..., None]
    pixels = np.where(_RADIUS[..., None] < iris, _color(rng, (0, 0.6), (0.2, 0.8), (0.1, 0.5)) * fibres, 225)
    pixels = np.where(_RADIUS[..., None] < dark_radius, 12.0, pixels)
    is_open = np.abs(_Y) < opening * np.sqrt(np.clip(1 - (_X * 0.9) ** 2, 0, 1))
    return np.where(is_open[..., None], pixels, skin)


def _pizza(rng: Rng) -> "Floats":
    base = _color(rng, (0.05, 0.14), (0.3, 0.8), (0.6, 1)) * (1 + 0.7 * _noise(rng, 12, 50))
    return _with_blobs(rng, base, int(rng.integers(5, 40)), 0.16)


def _petri_dish(rng: Rng) -> "Floats":
    pixels = _warm(rng) * (1 + 0.2 * _noise(rng, 3))
    return _with_blobs(rng, np.broadcast_to(pixels, (SIDE_PX, SIDE_PX, 3)), int(rng.integers(10, 60)), 0.05)


def _leaf(rng: Rng) -> "Floats":
    """Straight veins from one rib, or the cracks of glaze: lines that branch unlike vessels."""
    canvas = Image.new("L", (SIDE_PX, SIDE_PX))
    draw, rotation = ImageDraw.Draw(canvas), rng.uniform(0, np.pi)
    for start in np.linspace(-1, 1, int(rng.integers(6, 24))):
        for side in (-1, 1):
            angle = rotation + side * rng.uniform(0.5, 1.2)
            x, y = start * np.cos(rotation), start * np.sin(rotation)
            ends = [(x, y), (x + 1.5 * np.cos(angle), y + 1.5 * np.sin(angle))]
            draw.line([tuple((np.array(p) + 1) * SIDE_PX / 2) for p in ends], fill=255, width=int(rng.integers(1, 7)))
    lines = np.asarray(canvas, np.float64)[..., None] / 255
    base = (_color(rng, (0.15, 0.4), (0.3, 1), (0.2, 0.8)) if rng.random() < 0.4 else _warm(rng)) * (
        1 + 0.4 * _noise(rng, 6, 60)
    )
    pixels: Floats = base * (1 + rng.uniform(-0.5, 0.5) * lines)
    return pixels


def _texture(rng: Rng) -> "Floats":
    """Bread, skin, wood or cloth: any texture under even or uneven light."""
    cells = [int(n) for n in rng.integers(2, 160, 3)]
    pixels = (_warm(rng) if rng.random() < 0.7 else _any_color(rng)) * (1 + rng.uniform(0, 1.2) * _noise(rng, *cells))
    waves = np.sin((_X * rng.uniform(-1, 1) + _Y) * rng.uniform(10, 120) + 6 * _noise(rng, 4)[..., 0])[..., None]
    lit: Floats = pixels * (1 + rng.choice((0, 0.25)) * waves) * (1 - rng.uniform(0, 0.7) * (_RADIUS**2)[..., None])
    return lit


ROUND_KINDS: dict[str, Callable[[Rng], "Floats"]] = {
    "fruit": _fruit,
    "plate": _plate,
    "ball": _ball,
    "coin": _coin,
    "eye from outside": _outer_eye,
    "pizza": _pizza,
    "petri dish": _petri_dish,
    "leaf": _leaf,
    "texture": _texture,
}
