"""Memory and time that a file needs to be decoded, from its headers alone."""

from ml.serving.files.jpeg import Jpeg
from ml.serving.files.rejections import InvalidFile

MAX_DECODED_BYTES = 300 * 1024 * 1024
"""Of one image while it is decoded, as Pillow and its libraries hold it; the process needs 150 MB besides."""
MAX_SCANNED_PIXELS = 400_000_000
"""Pixels times scans of a JPEG with several scans: about three seconds. One of 24 megapixels with 10 scans has 240."""
_BYTES_PER_PIXEL = {"PNG": 0, "TIFF": 4, "WEBP": 14}
"""Of the buffers of a decoder, beside the image: libtiff holds strips, libwebp two canvases and a copy of one."""
_IMAGE_BYTES_PER_PIXEL = {"L": 5, "RGB": 4, "LA": 8, "RGBA": 8}
"""Pillow stores colours in four bytes; grey and transparent images are converted to RGB."""


def require_affordable(kind: str, mode: str, size_px: tuple[int, int]) -> None:
    """Raises InvalidFile if a PNG, TIFF or WebP needs more memory than MAX_DECODED_BYTES."""
    n_bytes = _BYTES_PER_PIXEL[kind] + _IMAGE_BYTES_PER_PIXEL[mode]
    if size_px[0] * size_px[1] * n_bytes > MAX_DECODED_BYTES:
        raise InvalidFile("over_limits")


def require_affordable_jpeg(jpeg: Jpeg) -> None:
    """Raises InvalidFile for several scans that need too much memory or time.

    A decoder then holds all coefficients, and visits them with each scan. A file of one scan is decoded at a reduced
    scale, row by row.
    """
    if len(jpeg.scans) == 1 and not jpeg.is_progressive:
        return
    width_px, height_px = jpeg.size_px
    is_slow = width_px * height_px * len(jpeg.scans) > MAX_SCANNED_PIXELS
    if is_slow or jpeg.coefficient_bytes > MAX_DECODED_BYTES:
        raise InvalidFile("over_limits")
