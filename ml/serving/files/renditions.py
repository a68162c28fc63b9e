"""Photographs in formats and sizes that browsers show."""

from io import BytesIO

from PIL import Image, ImageCms

from ml.serving.files.decoding import over_black, upright
from ml.serving.files.formats import sniff_format
from ml.serving.files.photo_file import check_file, invalid_if_broken
from ml.serving.files.rejections import InvalidFile

THUMBNAIL_PX = 640
SCREEN_PX = 1600
_JPEG_QUALITY = 86
LOGO_FORMATS = ("PNG", "JPEG", "WEBP")
MIN_LOGO_PX, MAX_LOGO_PX = 16, 4000
LOGO_SIZE_PX = (1000, 400)
"""Of the stored logo: over 500 pixels an inch at its size on paper."""


def reduced_jpeg(data: bytes, *, side_px: int) -> tuple[bytes, tuple[int, int]]:
    """An upright JPEG with no side longer than ``side_px``, and its width and height. Raises InvalidFile."""
    with check_file(data).open() as photo:
        photo.draft("RGB", (side_px, side_px))
        small = _for_screens(photo)
        small.thumbnail((side_px, side_px), Image.Resampling.BILINEAR, reducing_gap=2.0)
    out = BytesIO()
    small.convert("RGB").save(out, "JPEG", quality=_JPEG_QUALITY, exif=b"", icc_profile=None)
    return out.getvalue(), small.size


def whole_png(data: bytes) -> bytes:
    """The whole photograph, upright, as PNG: for formats that browsers do not show. Raises InvalidFile."""
    out = BytesIO()
    with check_file(data).open() as photo:
        _for_screens(photo).save(out, "PNG", compress_level=1, exif=b"", icc_profile=None)
    return out.getvalue()


def logo_png(data: bytes) -> bytes:
    """A logo over white as PNG of at most LOGO_SIZE_PX, without anything else of the file. Raises InvalidFile."""
    kind = sniff_format(data)
    if kind not in LOGO_FORMATS:
        raise InvalidFile("not_a_photograph")
    with invalid_if_broken(), Image.open(BytesIO(data), formats=[kind]) as image:
        if not all(MIN_LOGO_PX <= side_px <= MAX_LOGO_PX for side_px in image.size):
            raise InvalidFile("too_small" if min(image.size) < MIN_LOGO_PX else "too_many_pixels")
        pixels = upright(image).convert("RGBA")
    pixels.thumbnail(LOGO_SIZE_PX)
    white = Image.new("RGBA", pixels.size, "white")
    white.alpha_composite(pixels)
    out = BytesIO()
    white.convert("RGB").save(out, "PNG", optimize=True)
    return out.getvalue()


def _for_screens(photo: Image.Image) -> Image.Image:
    """Upright, over black, in sRGB."""
    profile = photo.info.get("icc_profile")
    photo.load()
    image = over_black(upright(photo))
    if profile and image.mode == "RGB":
        try:
            image = ImageCms.profileToProfile(image, BytesIO(profile), ImageCms.createProfile("sRGB")) or image
        except ImageCms.PyCMSError:
            return image  # a broken profile: pixels are not converted
    return image
