"""Images that are no colour fundus photograph, to train and test the quality gate.

Synthetic ones (documents, OCT scans, fruit, plates, noise, gradients) and everyday photographs, whole or cropped to the
round field of view of a fundus camera, in their own colours or in those of a retina.
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
RETINA_COLORS = ((220, 120, 60), (190, 90, 50), (170, 110, 80), (235, 150, 110))
MAX_SIDE_PX = 1600


def synthetic_images(rng: Rng) -> Iterator[tuple[str, Image.Image]]:
    """One image of each kind by name, most of them also in a round field of view."""
    for name, make in KINDS.items():
        image = make(rng)
        yield name, image
        if name not in {"orange", "plate", "plain circle"}:
            yield f"{name} in a circle", in_fov(_center_crop(image), rng)
    page = _center_crop(document(rng)).resize((500, 500))
    yield "document in retina colours in a circle", in_fov(in_retina_colors(page, rng), rng)


def natural_images(folders: list[Path], rng: Rng, *, n_crops: int = 12) -> Iterator[tuple[str, Image.Image]]:
    """Every photograph in ``folders``, and ``n_crops`` squares in a round field of view.

    Half of the crops are in retina colours, some are blurred.
    """
    for path in sorted(p for f in folders for p in f.rglob("*") if p.suffix.lower() in {".jpg", ".jpeg", ".png"}):
        with Image.open(path) as opened:
            image = opened.convert("RGB")
        if min(image.size) < 64:
            continue
        image.thumbnail((MAX_SIDE_PX, MAX_SIDE_PX))
        yield path.name, image
        for number in range(n_crops):
            side = int(min(image.size) * rng.uniform(0.35, 1))
            x, y = (int(rng.integers(0, length - side + 1)) for length in image.size)
            crop = image.crop((x, y, x + side, y + side))
            crop = in_retina_colors(crop, rng) if number % 2 else crop
            crop = crop.filter(ImageFilter.GaussianBlur(side * rng.uniform(0.004, 0.02))) if number % 3 == 2 else crop
            yield f"{path.name} crop {number}", in_fov(crop, rng)


def in_fov(image: Image.Image, rng: Rng) -> Image.Image:
    """Mask a square image to a circle on black, sometimes cut above and below."""
    side = int(rng.integers(300, 600))
    x, y = _axes(side)
    shape = np.hypot(x, y) <= 1
    if rng.random() < 0.3:
        shape &= np.abs(y) < 0.87
    pixels = np.asarray(image.resize((side, side), Image.Resampling.BICUBIC)) * shape[..., None]
    width, height = side + 40 + int(rng.integers(0, 200)), side + 40
    frame = Image.new("RGB", (width, height))
    frame.paste(Image.fromarray(pixels.astype(np.uint8)), ((width - side) // 2, 20))
    return frame


def in_retina_colors(image: Image.Image, rng: Rng) -> Image.Image:
    """The image's brightness in one of the colours of a retina."""
    grey = np.asarray(image.convert("L"), np.float64)[..., None] / 255
    return _image(grey * 1.2 * np.array(RETINA_COLORS[int(rng.integers(len(RETINA_COLORS)))]))


def document(rng: Rng) -> Image.Image:
    """A printed page."""
    page = Image.new("RGB", (800, 1100), (250, 250, 246))
    draw = ImageDraw.Draw(page)
    for top in range(60, 1050, 25):
        left = 60
        while left < 700:
            letters = "".join(chr(97 + c) for c in rng.integers(0, 26, int(rng.integers(2, 11))))
            draw.text((left, top), letters, fill=(20, 20, 30))
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
    radius = np.hypot(x, y)
    light = rng.normal(0, 1, 3)
    light[2] = abs(light[2]) + 1
    light /= np.linalg.norm(light)
    shade = np.clip(x * light[0] + y * light[1] + np.sqrt(np.clip(1 - radius**2, 0, 1)) * light[2], 0, 1) * 0.85 + 0.15
    color = np.array([(240, 140, 30), (225, 110, 40), (230, 160, 80), (200, 60, 40)][int(rng.integers(4))])
    ball = (shade * (1 + rng.uniform(0, 0.25) * _patches(rng, 70, 400)))[..., None] * color
    ball += (np.clip(shade, 0.9, 1) - 0.9)[..., None] * rng.choice((0, 600))  # a shining spot
    return _on_table(ball, radius)


def plate(rng: Rng) -> Image.Image:
    """A plate with a rim on a black table, empty or with food."""
    x, y = _axes(400)
    radius = np.hypot(x, y)
    grey = np.where(radius < 0.68, 225, 205) - 20 * np.exp(-(((radius - 0.68) / 0.02) ** 2)) + 10 * x
    dish = grey[..., None] * np.array((1, 0.97, 0.92))
    if rng.random() < 0.5:
        food = np.hypot(x - 0.1, y + 0.1) < 0.4
        dish[food] = np.array((180, 90, 50)) * (1 + 0.3 * _patches(rng, 70, 400)[food])[:, None]
    return _on_table(dish, radius)


def plain_circle(rng: Rng) -> Image.Image:
    """A circle in a retina's colour with nothing on it but grain."""
    x, y = _axes(400)
    radius = np.hypot(x, y)
    circle = np.array((200, 110, 60)) * rng.uniform(0.6, 1.1) * (1 - 0.3 * radius**2)[..., None]
    return _on_table(circle + rng.normal(0, 2, circle.shape), radius)


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
    "plain circle": plain_circle,
    "noise": noise,
    "plain": plain,
    "gradient": gradient,
    "soft patches": soft_patches,
}


def _image(pixels: "NDArray[np.float64] | NDArray[np.int64]") -> Image.Image:
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def _center_crop(image: Image.Image) -> Image.Image:
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    return image.crop((left, top, left + side, top + side))


def _axes(side: int) -> "tuple[Floats, Floats]":
    y, x = (np.mgrid[:side, :side] - (side - 1) / 2) / (side / 2)
    return x, y


def _patches(rng: Rng, n_cells: int, side: int) -> "Floats":
    """(side, side) in -0.5 to 0.5, smooth between n_cells x n_cells random values."""
    cells = Image.fromarray(rng.uniform(0, 255, (n_cells, n_cells)).astype(np.uint8))
    return np.asarray(cells.resize((side, side), Image.Resampling.BICUBIC), np.float64) / 255 - 0.5


def _on_table(item: "Floats", radius: "Floats") -> Image.Image:
    item[radius > 1] = 6
    table = np.full((500, 600, 3), 6.0)
    table[50:450, 100:500] = item
    return _image(table)
