"""Drawn photographs, and copies of them in other forms: the same picture as another file."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from io import BytesIO
from typing import Any

from PIL import Image, ImageOps

from ml.synthetic import draw_fundus, drawing_for_grade
from ml.vocabulary import ICDRGrade, Laterality


@cache
def synthetic_photo(seed: int = 7, laterality: str = "OD", grade: int = 2) -> Image.Image:
    """A drawn photograph of one eye; each seed is another person."""
    return draw_fundus(replace(drawing_for_grade(ICDRGrade(grade), Laterality(laterality), seed), scale=0.4))


def encoded(image: Image.Image, format: str = "JPEG", **options: Any) -> bytes:  # noqa: A002 (Pillow's name for it)
    """An image as a file."""
    written = BytesIO()
    image.save(written, format=format, **{"quality": 90, **options})
    return written.getvalue()


def eye_file(seed: int = 7, laterality: str = "OD") -> bytes:
    """A drawn photograph as a JPEG file."""
    return encoded(synthetic_photo(seed, laterality))


def _margins_cut(image: Image.Image) -> Image.Image:
    return image.crop(ImageOps.grayscale(image).point(lambda level: 255 * (level > 20)).getbbox())


SAME_PICTURE: dict[str, Callable[[Image.Image], bytes]] = {
    "other metadata": lambda image: encoded(image, comment=b"exported again"),
    "lower quality": lambda image: encoded(image, quality=45),
    "PNG": lambda image: encoded(image, "PNG"),
    "WebP": lambda image: encoded(image, "WEBP", quality=70),
    "half the size": lambda image: encoded(ImageOps.scale(image, 0.5)),
    "mirrored": lambda image: encoded(ImageOps.mirror(image)),
    "turned by 180 degrees": lambda image: encoded(image.rotate(180)),
    "mirrored, smaller, lower quality": lambda image: encoded(ImageOps.mirror(ImageOps.scale(image, 0.6)), quality=60),
    "margins cut off": lambda image: encoded(_margins_cut(image)),
    "margins added": lambda image: encoded(ImageOps.expand(image, 40)),
    "trimmed": lambda image: encoded(ImageOps.crop(image, 12)),
}
"""Ways in which an export or a viewer changes a file and not what it shows."""
