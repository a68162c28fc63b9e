"""Photographs in formats that browsers show."""

from io import BytesIO
from typing import IO

from PIL import Image, ImageCms, ImageOps

from ml.serving.preprocess import over_black
from screening.photos.decode_lock import large_image_lock

THUMBNAIL_PX = 640
SCREEN_PX = 1600


def thumbnail(file: IO[bytes], *, side_px: int = THUMBNAIL_PX) -> bytes:
    """An upright JPEG with no side longer than ``side_px``."""
    with Image.open(file) as photo, large_image_lock(photo.width * photo.height):
        photo.draft("RGB", (side_px, side_px))
        small = _upright(photo)
        small.thumbnail((side_px, side_px), Image.Resampling.BILINEAR, reducing_gap=2.0)
    out = BytesIO()
    small.convert("RGB").save(out, "JPEG", quality=86)
    return out.getvalue()


def as_png(file: IO[bytes]) -> bytes:
    """The whole photograph, upright, as PNG: for formats that browsers do not show."""
    out = BytesIO()
    with Image.open(file) as photo, large_image_lock(photo.width * photo.height):
        _upright(photo).save(out, "PNG", compress_level=1)  # speed matters more than size for one reader
    return out.getvalue()


def image_size(data: bytes) -> tuple[int, int]:
    """Width and height of an encoded photograph, px."""
    with Image.open(BytesIO(data)) as photo:
        return photo.size


def _upright(photo: Image.Image) -> Image.Image:
    profile = photo.info.get("icc_profile")
    upright = over_black(ImageOps.exif_transpose(photo))
    if profile and upright.mode == "RGB":
        try:
            upright = ImageCms.profileToProfile(upright, BytesIO(profile), ImageCms.createProfile("sRGB")) or upright
        except ImageCms.PyCMSError:
            return upright  # a broken profile: pixels are not converted
    return upright
