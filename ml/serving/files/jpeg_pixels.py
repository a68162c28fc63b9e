"""Whether the scans of a JPEG hold every coded pixel, and nothing behind them.

libjpeg-turbo fills missing pixels with grey and goes on after damaged ones, with a warning that Pillow does not pass
on: shifted or grey rows would be graded. Here a warning is an error.
"""

import hashlib
import re
from collections.abc import Iterator
from io import BytesIO

import simplejpeg
from PIL import Image

from ml.serving.files.jpeg import EOI, Jpeg
from ml.serving.files.segments import JPEG_SOS, CorruptImage, jpeg_segments

_METADATA = frozenset({*range(0xE0, 0xF0), 0xFE})
_ENDS_EARLY, _HAS_MORE = "premature end", "extraneous bytes"
_UNKNOWN_SAMPLING = "subsampling"
_NO_MEMORY = re.compile("memory", re.IGNORECASE)
_PADDINGS = (b"\x00", b"\x55", b"\xfe")
_PADDING_BYTES = 64
_MAX_COMPARED_PIXELS = 16_000_000
"""A larger photograph is compared at a reduced scale, so that three times take a second."""
_MAX_COPIED_PIXELS = 8_000_000
_RESTART = re.compile(rb"\xff[\xd0-\xd7]")
_BAND_PX = 128


def whole_pixels(jpeg: Jpeg, size_px: tuple[int, int]) -> Image.Image | None:
    """The photograph at a reduced scale, decoded once, without any warning: the pixels are those of Pillow.

    None if there is a warning, of which ``require_all_pixels`` finds whether it matters, or for a large image, of
    which there is no memory for two copies.
    """
    width_px, height_px = size_px
    if width_px * height_px > _MAX_COPIED_PIXELS:
        return None
    try:
        pixels = simplejpeg.decode_jpeg(jpeg.data, colorspace="RGB", min_height=height_px, min_width=width_px)
    except ValueError:
        return None
    return Image.fromarray(pixels) if pixels.shape == (height_px, width_px, 3) else None


def require_all_pixels(jpeg: Jpeg) -> None:
    """Decode at 1/8 of the size. Raises CorruptImage if coded pixels are missing, damaged, or more than the frame has.

    NB: there is no check sum. Up to 16 lost bytes of a scan go unnoticed in half of the files: the codes behind them
    happen to fill the frame.
    """
    pieces = list(_coded(jpeg))
    warning = _warning(b"".join(pieces))
    if _HAS_MORE in warning:
        warning = _warning(b"".join(_without_zeros(piece) for piece in pieces))
    if _UNKNOWN_SAMPLING in warning:
        if not _has_same_pixels(jpeg):
            raise CorruptImage
    elif warning:
        raise CorruptImage


def require_nothing_behind(jpeg: Jpeg) -> None:
    """Raises CorruptImage if the last scan has bytes that no pixel needs: they could be a text.

    ``require_all_pixels`` finds those that are longer than the eight bytes that a decoder reads ahead.
    """
    pieces = list(_coded(jpeg))
    last = max(index for index, piece in enumerate(pieces) if piece[1] == JPEG_SOS)
    warning = _warning(b"".join([*pieces[:last], pieces[last].rstrip(b"\x00")[:-1], EOI]))
    if not (_ENDS_EARLY in warning or _UNKNOWN_SAMPLING in warning):
        raise CorruptImage


def _coded(jpeg: Jpeg) -> Iterator[bytes]:
    """The segments of the file without metadata, whose faults do not matter; a scan with its coded pixels."""
    yield b"\xff\xd8"
    for marker, start, end in jpeg_segments(jpeg.data):
        if marker not in _METADATA:
            yield jpeg.data[start:end]


def _without_zeros(piece: bytes) -> bytes:
    """A scan without the zeros that some cameras write behind its pixels."""
    if piece[1] != JPEG_SOS:
        return piece
    shorter = piece.rstrip(b"\x00")
    return shorter + b"\x00" if shorter.endswith(b"\xff") else shorter


def _warning(data: bytes) -> str:
    """The first warning or error of the decoder; empty if there is none. Raises MemoryError."""
    try:
        simplejpeg.decode_jpeg(
            data, colorspace="GRAY", fastdct=True, fastupsample=True, min_height=1, min_width=1, min_factor=8
        )
    except ValueError as error:
        if _NO_MEMORY.search(str(error)):
            raise MemoryError from None
        return str(error)
    return ""


def _has_same_pixels(jpeg: Jpeg) -> bool:
    """Whether no coded pixel is missing, for a sampling that ``simplejpeg`` does not know. Decodes three times.

    A decoder that lacks bits takes them from what follows, so that different paddings behind each run of coded
    pixels give different pixels.
    """
    scale = 1
    while jpeg.size_px[0] * jpeg.size_px[1] > _MAX_COMPARED_PIXELS * scale**2:
        scale *= 2
    size_px = (jpeg.size_px[0] // scale, jpeg.size_px[1] // scale)
    return len({_digest(_padded(jpeg, padding * _PADDING_BYTES), size_px) for padding in _PADDINGS}) == 1


def _padded(jpeg: Jpeg, padding: bytes) -> bytes:
    """The file with ``padding`` before every marker that ends coded pixels."""
    pieces, at = [], 0
    for start, end in jpeg.scans:
        for marker in (*(found.start() for found in _RESTART.finditer(jpeg.data, start, end)), end):
            pieces += [jpeg.data[at:marker], padding]
            at = marker
    return b"".join([*pieces, jpeg.data[at:]])


def _digest(data: bytes, size_px: tuple[int, int]) -> bytes:
    """Hash of the pixels at a reduced scale, without a second copy of them."""
    with Image.open(BytesIO(data), formats=["JPEG"]) as image:
        image.draft("RGB", size_px)
        image.load()
        digest = hashlib.sha256()
        for top in range(0, image.height, _BAND_PX):
            digest.update(image.crop((0, top, image.width, min(image.height, top + _BAND_PX))).tobytes())
    return digest.digest()
