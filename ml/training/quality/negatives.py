"""Pictures that are no colour fundus photograph, to teach and test the gate before the grader.

Drawn ones (documents, OCT scans, fruit, plates, noise, gradients) and everyday photographs, whole or cut into the round
black frame of a fundus camera, in their own colours or in a retina's.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

Rng = np.random.Generator
RETINA_COLOURS = ((220, 120, 60), (190, 90, 50), (170, 110, 80), (235, 150, 110))
LARGEST_SIDE_PX = 1600


def drawn(rng: Rng) -> Iterator[tuple[str, Image.Image]]:
    """One of each kind by name, each also inside a camera's round frame where that looks more like a retina."""
    for name, draw in KINDS.items():
        picture = draw(rng)
        yield name, picture
        if name not in {"orange", "plate", "plain disc"}:
            yield f"{name} in a disc", in_round_frame(_square(picture), rng)
    page = _square(document(rng)).resize((500, 500))
    yield "document in retina colours in a disc", in_round_frame(in_retina_colours(page, rng), rng)


def photographed(folders: list[Path], rng: Rng, *, n_cuts: int = 12) -> Iterator[tuple[str, Image.Image]]:
    """Every picture in ``folders`` whole, and ``n_cuts`` squares of it in a round frame: half tinted, some blurred."""
    for path in sorted(p for f in folders for p in f.rglob("*") if p.suffix.lower() in {".jpg", ".jpeg", ".png"}):
        with Image.open(path) as opened:
            picture = opened.convert("RGB")
        if min(picture.size) < 64:
            continue
        picture.thumbnail((LARGEST_SIDE_PX, LARGEST_SIDE_PX))
        yield path.name, picture
        for number in range(n_cuts):
            side = int(min(picture.size) * rng.uniform(0.35, 1))
            x, y = (int(rng.integers(0, length - side + 1)) for length in picture.size)
            cut = picture.crop((x, y, x + side, y + side))
            cut = in_retina_colours(cut, rng) if number % 2 else cut
            cut = cut.filter(ImageFilter.GaussianBlur(side * rng.uniform(0.004, 0.02))) if number % 3 == 2 else cut
            yield f"{path.name} cut {number}", in_round_frame(cut, rng)


def in_round_frame(picture: Image.Image, rng: Rng) -> Image.Image:
    """A square picture as a fundus camera would frame it: a disc on black, sometimes cut above and below."""
    side = int(rng.integers(300, 600))
    x, y = _axes(side)
    shape = np.hypot(x, y) <= 1
    if rng.random() < 0.3:
        shape &= np.abs(y) < 0.87
    pixels = np.asarray(picture.resize((side, side), Image.Resampling.BICUBIC)) * shape[..., None]
    width, height = side + 40 + int(rng.integers(0, 200)), side + 40
    frame = Image.new("RGB", (width, height))
    frame.paste(Image.fromarray(pixels.astype(np.uint8)), ((width - side) // 2, 20))
    return frame


def in_retina_colours(picture: Image.Image, rng: Rng) -> Image.Image:
    """The picture's light and shade in one of the colours of a retina."""
    grey = np.asarray(picture.convert("L"), np.float64)[..., None] / 255
    return _image(grey * 1.2 * np.array(RETINA_COLOURS[int(rng.integers(len(RETINA_COLOURS)))]))


def document(rng: Rng) -> Image.Image:
    """A printed page."""
    page = Image.new("RGB", (800, 1100), (250, 250, 246))
    pen = ImageDraw.Draw(page)
    for top in range(60, 1050, 25):
        left = 60
        while left < 700:
            letters = "".join(chr(97 + c) for c in rng.integers(0, 26, int(rng.integers(2, 11))))
            pen.text((left, top), letters, fill=(20, 20, 30))
            left += 7 * len(letters) + 8
    return page


def oct_scan(rng: Rng) -> Image.Image:
    """A cross-section of the retina: speckled layers on black, in grey or in false colours."""
    scan = rng.gamma(1.2, 14, (400, 700))
    x, y = np.arange(700), np.arange(400)[:, None]
    base = 180 - 40 * np.sin(x / 700 * np.pi) + 25 * np.exp(-(((x - 350) / 60) ** 2)) + rng.normal(0, 3)
    for depth, thickness, light in ((0, 14, 150), (25, 8, 90), (45, 10, 120), (75, 7, 230), (90, 20, 160)):
        scan += light * np.exp(-(((y - base - depth) / thickness) ** 2)) * rng.gamma(6, 1 / 6, scan.shape)
    scan = np.clip(scan, 0, 255)
    if rng.random() < 0.5:
        return _image(np.repeat(scan[..., None], 3, axis=2))
    return _image(np.stack([2 * scan - 150, 255 - np.abs(scan - 128) * 2, 200 - scan * 1.5], axis=-1))


def orange(rng: Rng) -> Image.Image:
    """A lit, dimpled ball on a black table."""
    x, y = _axes(400)
    away = np.hypot(x, y)
    light = rng.normal(0, 1, 3)
    light[2] = abs(light[2]) + 1
    light /= np.linalg.norm(light)
    shade = np.clip(x * light[0] + y * light[1] + np.sqrt(np.clip(1 - away**2, 0, 1)) * light[2], 0, 1) * 0.85 + 0.15
    colour = np.array([(240, 140, 30), (225, 110, 40), (230, 160, 80), (200, 60, 40)][int(rng.integers(4))])
    ball = (shade * (1 + rng.uniform(0, 0.25) * _patches(rng, 70, 400)))[..., None] * colour
    ball += (np.clip(shade, 0.9, 1) - 0.9)[..., None] * rng.choice((0, 600))  # a shining spot
    return _on_table(ball, away)


def plate(rng: Rng) -> Image.Image:
    """A plate with a rim on a black table, empty or with food."""
    x, y = _axes(400)
    away = np.hypot(x, y)
    grey = np.where(away < 0.68, 225, 205) - 20 * np.exp(-(((away - 0.68) / 0.02) ** 2)) + 10 * x
    dish = grey[..., None] * np.array((1, 0.97, 0.92))
    if rng.random() < 0.5:
        food = np.hypot(x - 0.1, y + 0.1) < 0.4
        dish[food] = np.array((180, 90, 50)) * (1 + 0.3 * _patches(rng, 70, 400)[food])[:, None]
    return _on_table(dish, away)


def plain_disc(rng: Rng) -> Image.Image:
    """A disc of a retina's colour with nothing on it but grain."""
    x, y = _axes(400)
    away = np.hypot(x, y)
    disc = np.array((200, 110, 60)) * rng.uniform(0.6, 1.1) * (1 - 0.3 * away**2)[..., None]
    return _on_table(disc + rng.normal(0, 2, disc.shape), away)


def noise(rng: Rng) -> Image.Image:
    """Independent pixels, coloured or grey."""
    return _image(np.broadcast_to(rng.integers(0, 256, (400, 500, int(rng.choice((1, 3))))), (400, 500, 3)))


def plain(rng: Rng) -> Image.Image:
    """One colour."""
    return _image(np.broadcast_to(rng.integers(30, 256, 3), (400, 500, 3)))


def gradient(rng: Rng) -> Image.Image:
    """One colour fading from left to right."""
    return _image(np.linspace(0, 1, 500)[None, :, None] * np.ones((400, 1, 1)) * rng.integers(60, 256, 3))


def soft_patches(rng: Rng) -> Image.Image:
    """Smooth patches of a retina's colours, coarse or fine."""
    patches = _patches(rng, int(rng.choice((14, 60))), 500)[:400, :, None]
    return _image(np.array((200, 110, 60)) * (0.9 + 0.6 * patches))


KINDS: dict[str, Callable[[Rng], Image.Image]] = {
    "document": document,
    "oct scan": oct_scan,
    "orange": orange,
    "plate": plate,
    "plain disc": plain_disc,
    "noise": noise,
    "plain": plain,
    "gradient": gradient,
    "soft patches": soft_patches,
}


def _image(pixels: "NDArray[np.float64] | NDArray[np.int64]") -> Image.Image:
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def _square(picture: Image.Image) -> Image.Image:
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    return picture.crop((left, top, left + side, top + side))


def _axes(side: int) -> "tuple[Floats, Floats]":
    y, x = (np.mgrid[:side, :side] - (side - 1) / 2) / (side / 2)
    return x, y


def _patches(rng: Rng, n_cells: int, side: int) -> "Floats":
    """(side, side) in -0.5 to 0.5, smooth between n_cells x n_cells random values."""
    cells = Image.fromarray(rng.uniform(0, 255, (n_cells, n_cells)).astype(np.uint8))
    return np.asarray(cells.resize((side, side), Image.Resampling.BICUBIC), np.float64) / 255 - 0.5


def _on_table(thing: "Floats", away: "Floats") -> Image.Image:
    thing[away > 1] = 6
    table = np.full((500, 600, 3), 6.0)
    table[50:450, 100:500] = thing
    return _image(table)
