"""Decoding of a checked file to an upright RGB image."""

from collections.abc import Iterator

from PIL import ExifTags, Image, ImageOps

from ml.serving.files.jpeg_pixels import require_all_pixels, whole_pixels
from ml.serving.files.photo_file import PhotoFile

BAND_PX = 128
"""Rows that are processed at once, so that no second copy of a large image is needed."""


def decode_file(file: PhotoFile, *, min_side_px: int, reduce_all: bool = False) -> Image.Image:
    """Decode to an upright RGB image over black, a JPEG at a reduced scale if ``min_side_px`` allows it.

    JPEG is decoded at 1/2, 1/4 or 1/8 of its size inside the DCT, which skips most of the work. With ``reduce_all``
    other formats are reduced by the same factor after decoding, as means of blocks of pixels.
    Raises InvalidFile, and what decoders raise on broken files.
    """
    with file.open() as image:
        if file.jpeg is None:
            whole = upright_rgb(image)
            return whole.reduce(_jpeg_factor(whole.size, min_side_px)) if reduce_all else whole
        scale = max(1, min(image.size) // min_side_px)
        image.draft("RGB", (image.width // scale, image.height // scale))
        pixels = whole_pixels(file.jpeg, image.size)
        if pixels is not None:
            pixels.info = dict(image.info)  # the orientation
            return upright_rgb(pixels)
        require_all_pixels(file.jpeg)
        return upright_rgb(image)


def _jpeg_factor(size_px: tuple[int, int], min_side_px: int) -> int:
    """By how much a JPEG of this size is reduced: 1, 2, 4 or 8."""
    return max(factor for factor in (1, 2, 4, 8) if factor == 1 or min(size_px) // factor >= min_side_px)


def upright_rgb(image: Image.Image) -> Image.Image:
    """An upright RGB image over black; ``image`` itself, loaded, if it is one."""
    image.load()
    opaque = over_black(upright(image))
    return opaque if opaque.mode == "RGB" else opaque.convert("RGB")


def upright(image: Image.Image) -> Image.Image:
    """``image`` turned as its EXIF orientation says; itself if it is upright."""
    orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
    return image if orientation == 1 else ImageOps.exif_transpose(image)


def over_black(image: Image.Image) -> Image.Image:
    """A transparent image over black, as RGB; any other as it is.

    What lies under transparent pixels is not shown on any screen, so it must not be graded.
    """
    if not image.has_transparency_data:
        return image
    opaque = Image.new("RGB", image.size)
    for top, band in bands(image):
        colours = band.convert("RGBA")
        black = Image.new("RGBA", colours.size, (0, 0, 0, 255))
        opaque.paste(Image.alpha_composite(black, colours).convert("RGB"), (0, top))
    return opaque


def bands(image: Image.Image, n_rows: int = BAND_PX) -> Iterator[tuple[int, Image.Image]]:
    """The first row and the pixels of each band of rows."""
    for top in range(0, image.height, n_rows):
        yield top, image.crop((0, top, image.width, min(image.height, top + n_rows)))
