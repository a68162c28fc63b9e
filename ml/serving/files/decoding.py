"""Decoding of a checked file to an upright RGB image."""

from collections.abc import Iterator

from PIL import ExifTags, Image, ImageOps

from ml.serving.files.jpeg_pixels import require_all_pixels, whole_pixels
from ml.serving.files.photo_file import PhotoFile

BAND_PX = 128
"""Rows that are processed at once, so that no second copy of a large image is needed."""


def decode_file(file: PhotoFile, *, min_side_px: int) -> Image.Image:
    """Decode to an upright RGB image over black, a JPEG at a reduced scale if ``min_side_px`` allows it.

    JPEG is decoded at 1/2, 1/4 or 1/8 of its size inside the DCT, which skips most of the work.
    Raises InvalidFile, and what decoders raise on broken files.
    """
    with file.open() as image:
        if file.jpeg is None:
            return upright_rgb(image)
        scale = max(1, min(image.size) // min_side_px)
        image.draft("RGB", (image.width // scale, image.height // scale))
        whole = whole_pixels(file.jpeg, image.size)
        if whole is not None:
            whole.info = dict(image.info)  # the orientation
            return upright_rgb(whole)
        require_all_pixels(file.jpeg)
        return upright_rgb(image)


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
