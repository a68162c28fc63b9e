"""Images of drawn eyes that are not one plain photograph of one retina."""

from dataclasses import replace
from functools import cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ml.serving.field_of_view import detect_fov
from ml.synthetic import FundusDrawing, draw_fundus, drawing_for_grade
from ml.synthetic.camera import Frame
from ml.synthetic.fundus import COMPLEXIONS
from ml.vocabulary import ICDRGrade, Laterality

BLACK, WHITE, GREY, BLUE = (0, 0, 0), (255, 255, 255), (128, 128, 128), (40, 90, 200)


@cache
def eye(seed: int = 1, *, frame: Frame = Frame.SQUARE, cut: float = 0.0, laterality: str = "OD") -> Image.Image:
    """A drawn eye, 480 px high."""
    drawing = FundusDrawing(
        seed=seed,
        frame=frame,
        cut=cut,
        laterality=Laterality(laterality),
        complexion=COMPLEXIONS[seed % len(COMPLEXIONS)],
        scale=480 / frame.size_px[1],
    )
    return draw_fundus(drawing)


@cache
def sick_eye() -> Image.Image:
    """A drawn eye with moderate retinopathy, whose grade is clear, 600 px high."""
    drawing = drawing_for_grade(ICDRGrade.MODERATE, Laterality.RIGHT, 7)
    return draw_fundus(replace(drawing, frame=Frame.SQUARE, cut=0.0, scale=0.5))


def joined(
    *images: Image.Image, gap: int = 0, stacked: bool = False, frame: tuple[int, int, int] = BLACK
) -> Image.Image:
    """Images beside each other, or one above the other, centred on a frame."""
    sizes = np.array([image.size for image in images])
    along, across = (1, 0) if stacked else (0, 1)
    size = [0, 0]
    size[along], size[across] = int(sizes[:, along].sum()) + gap * (len(images) - 1), int(sizes[:, across].max())
    canvas, at = Image.new("RGB", (size[0], size[1]), frame), 0
    for image in images:
        offset = (size[across] - image.size[across]) // 2
        canvas.paste(image, (offset, at) if stacked else (at, offset))
        at += image.size[along] + gap
    return canvas


def tight(image: Image.Image) -> Image.Image:
    """Cropped to the retina, so that neighbours touch."""
    return image.crop(image.point(lambda level: 255 * (level > 30)).getbbox())


def resized(image: Image.Image, factor: float) -> Image.Image:
    return image.resize((round(image.width * factor), round(image.height * factor)))


def on_surroundings(image: Image.Image, color: tuple[int, int, int], *, margin: int = 0) -> Image.Image:
    """The retina on a light or coloured background."""
    fov = detect_fov(image)
    assert fov is not None
    mask = Image.new("L", image.size)
    ImageDraw.Draw(mask).circle((fov.x_px, fov.y_px), fov.radius_px, fill=255)
    canvas = Image.new("RGB", (image.width + 2 * margin, image.height + 2 * margin), color)
    canvas.paste(image, (margin, margin), mask)
    return canvas


def montage(*images: Image.Image) -> Image.Image:
    """Retinas that overlap, each with a dark rim."""
    canvas = Image.new("RGB", (960, 960))
    for image, at in zip(images, [(40, 200), (420, 220), (230, 30), (240, 420)], strict=False):
        mask = Image.new("L", image.size)
        ImageDraw.Draw(mask).ellipse((3, 3, image.width - 4, image.height - 4), fill=255)
        canvas.paste(image, at, mask)
    return canvas


def ultra_wide(image: Image.Image) -> Image.Image:
    """An ellipse in red and green alone, as of a scanning laser camera."""
    red, green, _blue = image.split()
    bright = green.point(lambda level: min(255, round(level * 1.4)))
    wide = Image.merge("RGB", (red, bright, Image.new("L", image.size)))
    return wide.resize((round(image.width * 1.3), image.height))


def oct_scan(seed: int = 0) -> Image.Image:
    """Bright noisy layers on a dark frame, grey."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:380, :760]
    middle = 190 + 30 * np.sin(x / 140)
    layers = 170 * np.exp(-(((y - middle) / 38) ** 2)) * (0.7 + 0.3 * np.cos((y - middle) / 6))
    grey = np.clip(layers + rng.gamma(1.2, 6, y.shape), 0, 255).astype(np.uint8)
    return Image.fromarray(np.stack([grey] * 3, axis=-1))


def with_text(
    image: Image.Image, *lines: tuple[tuple[int, int], str], color: tuple[int, int, int] = WHITE
) -> Image.Image:
    """Text at positions."""
    written = image.copy()
    draw, font = ImageDraw.Draw(written), ImageFont.load_default(15)
    for at, line in lines:
        draw.text(at, line, fill=color, font=font)
    return written


def report_page(image: Image.Image) -> Image.Image:
    """A retina on a white page with many lines."""
    page = Image.new("RGB", (1200, 720), WHITE)
    page.paste(image, (40, 60))
    return with_text(page, *(((760, 60 + 40 * i), f"Patient report, line {i}: OD") for i in range(13)), color=BLACK)
