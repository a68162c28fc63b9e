"""Images that are no colour fundus photograph, to fit and test the quality gate.

Synthetic ones (documents, OCT scans, round objects, noise, gradients) and everyday photographs, whole or cropped to the
field of view of a fundus camera, in their own colours or in those of a retina.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import sklearn.datasets
from PIL import Image, ImageDraw, ImageFilter, ImageOps

from ml.data.labels import LabelledPhoto
from ml.data.splits import TRAIN
from ml.training.quality.dataset import Labelled, QualitySet, measure
from ml.training.quality.round_objects import ROUND_KINDS, draw_round_object
from ml.training.quality.sources import NEGATIVE, read_drimdb, split_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

Rng = np.random.Generator
Color = tuple[int, int, int]
N_SYNTHETIC, N_CROPS, N_FRAMED, N_ROUND = 14, 12, 6, 60
MAX_SIDE_PX = 1600
BLACK: Color = (0, 0, 0)
RETINA_COLORS: tuple[Color, ...] = ((255, 144, 72), (228, 108, 60), (204, 132, 96), (255, 180, 132))
#: Round objects on a black table: colours of rim and centre, radius of the centre, shading, texture of the centre.
ROUND_OBJECTS: dict[str, tuple[Color, Color, float, float, float]] = {
    "orange": ((240, 140, 30), (240, 140, 30), 1.0, 0.85, 0.2),
    "plate": ((205, 199, 189), (225, 218, 207), 0.68, 0.1, 0.0),
    "plate with food": ((225, 218, 207), (180, 90, 50), 0.4, 0.1, 0.1),
    "plain circle": ((200, 110, 60), (200, 110, 60), 1.0, 0.3, 0.0),
}
#: Textures: number of random values along the side, between which the brightness is interpolated.
TEXTURES = {"plain": 1, "gradient": 2, "coarse patches": 14, "fine patches": 60}
#: Layers of the retina on an OCT scan: depth, thickness, brightness.
LAYERS = ((0, 14, 150), (25, 8, 90), (45, 10, 120), (75, 7, 230), (90, 20, 160))


def negative_set(folders: Iterable[Path] = (), *, data: Path | None = None) -> QualitySet:
    """Features of synthetic images, scikit-learn's photographs and those of ``folders``, split by image.

    With ``data``, also of parts of DRIMDB's training photographs that show no retina.
    """
    rng = np.random.default_rng(4)
    images = [(name, image) for _ in range(N_SYNTHETIC) for name, image in synthetic_images(rng)]
    images += [(kind, draw_round_object(rng, kind)) for _ in range(N_ROUND) for kind in ROUND_KINDS]
    negatives = [("synthetic", f"{name} {i}", image) for i, (name, image) in enumerate(images)]
    folders = [*folders, Path(str(sklearn.datasets.__path__[0])) / "images"]
    negatives += [("natural", name, image) for folder in folders for name, image in natural_images(folder, rng)]
    everyday = measure(
        (LabelledPhoto(source, Path(name), None, name, NEGATIVE), image, split_of(name, {}), 0.0)
        for source, name, image in negatives
    )
    return everyday if data is None else everyday.joined(measure(_drimdb_crops(data, rng)))


def _drimdb_crops(data: Path, rng: Rng) -> Iterator[Labelled]:
    for photo, split in read_drimdb(data):
        if photo.quality == NEGATIVE and split == TRAIN:
            with Image.open(photo.path) as opened:
                image = opened.convert("RGB")
            for number in range(2 * N_CROPS):
                crop = in_frame(image, rng) if number % 2 else in_fov(random_square(image, rng), rng)
                yield photo, crop, split, 0.0


def synthetic_images(rng: Rng) -> Iterator[tuple[str, Image.Image]]:
    """One image of each kind by name, the flat ones also in a round field of view."""
    flat = {"document": document(rng), "OCT scan": oct_scan(rng), "noise": _image(rng.uniform(0, 256, (400, 500, 3)))}
    flat |= {name: texture(rng, n_cells) for name, n_cells in TEXTURES.items()}
    for name, image in flat.items():
        yield name, image
        yield f"{name} in a circle", in_fov(image, rng)
    yield "document in retina colours in a circle", in_fov(in_retina_colors(document(rng), rng), rng)
    for name in ROUND_OBJECTS:
        yield name, round_object(rng, name)


def natural_images(folder: Path, rng: Rng) -> Iterator[tuple[str, Image.Image]]:
    """Every photograph in ``folder``, and N_CROPS squares of it in a round field of view.

    Half of the crops are in retina colours, some are blurred.
    """
    for path in sorted(p for p in folder.rglob("*") if p.suffix.lower() in {".jpg", ".jpeg", ".png"}):
        with Image.open(path) as opened:
            image = opened.convert("RGB")
        image.thumbnail((MAX_SIDE_PX, MAX_SIDE_PX))
        yield path.name, image
        yield from ((path.name, in_frame(image, rng)) for _ in range(N_FRAMED))
        for number in range(N_CROPS):
            crop = random_square(image, rng)
            crop = in_retina_colors(crop, rng) if number % 2 else crop
            radius_px = crop.width * rng.uniform(0.004, 0.02)
            crop = crop.filter(ImageFilter.GaussianBlur(radius_px)) if number % 3 == 2 else crop
            yield path.name, in_fov(crop, rng)


def random_square(image: Image.Image, rng: Rng) -> Image.Image:
    """A square part of an image, at least 0.35 of its shorter side."""
    side = int(min(image.size) * rng.uniform(0.35, 1))
    x, y = (int(rng.integers(0, length - side + 1)) for length in image.size)
    return image.crop((x, y, x + side, y + side))


def in_frame(image: Image.Image, rng: Rng) -> Image.Image:
    """A crop of an image under another light, in a rectangle with cut corners, as of cameras that fill the frame."""
    width = int(rng.integers(420, 700))
    height = int(width * rng.uniform(0.66, 0.8))
    crop = ImageOps.fit(image, (width, height), bleed=rng.uniform(0, 0.3), centering=tuple(rng.uniform(0, 1, 2)))
    gains = rng.uniform(0.5, 1.2) * np.array([rng.uniform(0.8, 1.4), 1, rng.uniform(0.3, 1)])
    crop = in_retina_colors(crop, rng) if rng.random() < 0.4 else _image(np.asarray(crop, np.float64) * gains)
    crop = ImageOps.mirror(crop) if rng.random() < 0.5 else crop
    crop = crop.filter(ImageFilter.GaussianBlur(rng.uniform(1, 6))) if rng.random() < 0.3 else crop
    cut = int(rng.uniform(0, 0.2) * height)
    for x, y, dx, dy in ((0, 0, 1, 1), (width, 0, -1, 1), (0, height, 1, -1), (width, height, -1, -1)):
        ImageDraw.Draw(crop).polygon([(x, y), (x + dx * cut, y), (x, y + dy * cut)], fill=BLACK)
    return crop


def in_fov(image: Image.Image, rng: Rng) -> Image.Image:
    """The centre of an image in a circle on black, sometimes cut above and below."""
    side = int(rng.integers(300, 600))
    mask = Image.new("1", (side, side))
    ImageDraw.Draw(mask).ellipse((0, 0, side - 1, side - 1), fill=1)
    cut = int(0.065 * side) if rng.random() < 0.3 else 0
    mask = ImageOps.expand(ImageOps.crop(mask, (0, cut)), (0, cut))
    frame = Image.new("RGB", (side + 40 + int(rng.integers(0, 200)), side + 40))
    frame.paste(ImageOps.fit(image, (side, side)), ((frame.width - side) // 2, 20), mask)
    return frame


def in_retina_colors(image: Image.Image, rng: Rng) -> Image.Image:
    """The image's brightness in one of the colours of a retina."""
    return ImageOps.colorize(image.convert("L"), BLACK, RETINA_COLORS[rng.integers(len(RETINA_COLORS))])


def document(rng: Rng) -> Image.Image:
    """A printed page."""
    page = Image.new("RGB", (800, 1100), (250, 250, 246))
    for top in range(60, 1050, 25):
        line = "".join(rng.choice(list("abcdefghijklmnopqrstuvwxyz     "), 100))
        ImageDraw.Draw(page).text((60, top), line, fill=(20, 20, 30))
    return page


def oct_scan(rng: Rng) -> Image.Image:
    """A cross-section of the retina: speckled layers on black, in grey or in false colours."""
    x, y = np.arange(700), np.arange(400)[:, None]
    surface = 180 - 40 * np.sin(x / 700 * np.pi) + 25 * np.exp(-(((x - 350) / 60) ** 2))  # with the fovea
    scan = 17 + sum(light * np.exp(-(((y - surface - depth) / width) ** 2)) for depth, width, light in LAYERS)
    grey = _image((scan * rng.gamma(4, 1 / 4, scan.shape))[..., None])
    return grey if rng.random() < 0.5 else ImageOps.colorize(grey.convert("L"), "blue", "red", mid="yellow")


def round_object(rng: Rng, name: str) -> Image.Image:
    """A lit object of ROUND_OBJECTS on a black table."""
    rim, center, center_radius, shading, contrast = ROUND_OBJECTS[name]
    y, x = (np.mgrid[:400, :400] - 199.5) / 200
    radius = np.hypot(x, y)[..., None]
    light_x, light_y = rng.normal(0, 1, 2)
    slope = (1 - radius**2 + (x * light_x + y * light_y)[..., None]) / np.hypot(1, np.hypot(light_x, light_y))
    textured = np.array(center) * (1 + contrast * _patches(rng, 70, 400))
    pixels = np.where(radius < center_radius, textured, rim) * (1 - shading * (1 - np.clip(slope, 0, 1)))
    return ImageOps.expand(_image(np.where(radius > 1, 6, pixels)), (100, 50), fill=(6, 6, 6))


def texture(rng: Rng, n_cells: int) -> Image.Image:
    """Smooth patches in a colour of a retina."""
    color = np.array(RETINA_COLORS[rng.integers(len(RETINA_COLORS))]) * rng.uniform(0.4, 0.7)
    return _image(color * (1 + _patches(rng, n_cells, 400)))


def _patches(rng: Rng, n_cells: int, side: int) -> "Floats":
    """(side, side, 1) in -0.5 to 0.5, smooth between n_cells x n_cells random values."""
    cells = Image.fromarray(rng.uniform(0, 255, (n_cells, n_cells)).astype(np.uint8))
    return np.asarray(cells.resize((side, side), Image.Resampling.BICUBIC), np.float64)[..., None] / 255 - 0.5


def _image(pixels: "Floats") -> Image.Image:
    """(h, w, 1 or 3) grey levels as an RGB image."""
    return Image.fromarray(np.broadcast_to(np.clip(pixels, 0, 255).astype(np.uint8), (*pixels.shape[:2], 3)))
