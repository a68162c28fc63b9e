"""The check that every file passes before it is stored or graded: on the page, in the API, on the command line."""

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import BytesIO
from typing import Any

from PIL import Image

from ml.serving.files.costs import require_affordable, require_affordable_jpeg
from ml.serving.files.dicom_header import DicomHeader
from ml.serving.files.formats import DICOM, sniff_format
from ml.serving.files.jpeg import Jpeg, has_second_picture, is_thumbnail, read_jpeg
from ml.serving.files.rejections import MAX_BYTES, MAX_PIXELS, MIN_SIDE_PX, InvalidFile
from ml.serving.files.segments import png_chunks, webp_chunks, webp_size
from ml.serving.files.tiff import MAX_PAGES, check_directories

_MODES = frozenset({"L", "LA", "RGB", "RGBA"})
_DEEP_MODES = frozenset({"I", "F", "I;16", "I;16B", "I;16L", "I;16N"})
_BITS_PER_SAMPLE = 258
_WEBP_IS_ANIMATED = 0x02
DECODER_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    KeyError,
    IndexError,
    TypeError,
    EOFError,
    OverflowError,
    struct.error,
    zlib.error,
)
"""What Pillow's decoders raise on broken files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoFile:
    """A file that holds one photograph. ``page`` is its index among the pages of a TIFF; ``size_px`` as stored.

    Of a DICOM file: the JPEG or PNG in it, and its header.
    """

    format: str
    data: bytes
    size_px: tuple[int, int]
    page: int = 0
    jpeg: Jpeg | None = None
    dicom: DicomHeader | None = None

    @contextmanager
    def open(self) -> "Iterator[Image.Image]":
        """The photograph, not decoded yet. Raises InvalidFile if the block damages it."""
        with invalid_if_broken(), Image.open(BytesIO(self.data), formats=[self.format]) as image:
            if self.page:
                image.seek(self.page)
            yield image


@contextmanager
def invalid_if_broken() -> Iterator[None]:
    """Raise InvalidFile for what decoders raise on broken files."""
    try:
        yield
    except InvalidFile:
        raise
    except Image.DecompressionBombError:
        raise InvalidFile("too_many_pixels") from None
    except MemoryError:
        raise InvalidFile("over_limits") from None
    except DECODER_ERRORS:
        # NB: "from None": the message of a decoder may quote text of the file, such as a name.
        raise InvalidFile("damaged") from None


def check_file(data: bytes) -> PhotoFile:
    """Check that ``data`` is one photograph within the limits, without decoding its pixels. Raises InvalidFile.

    The format is found from the content, not from a file name. A smaller page of the file, such as a thumbnail, is
    ignored; a second picture of the same size is refused, because only one of them would be graded.
    """
    if not data:
        raise InvalidFile("empty")
    if len(data) > MAX_BYTES:
        raise InvalidFile("too_large")
    kind = sniff_format(data)
    with invalid_if_broken():
        if kind == DICOM:
            return _check_dicom(data)
        if kind == "JPEG":
            jpeg = read_jpeg(data)
            _check_jpeg(jpeg)
            return PhotoFile(format=kind, data=jpeg.data, size_px=jpeg.size_px, jpeg=jpeg)
        _check_structure(data, kind)
        with Image.open(BytesIO(data), formats=[kind]) as image:
            page = _main_page(image) if kind == "TIFF" else 0
            _check_pixels(image)
            require_affordable(kind, image.mode, image.size)
            return PhotoFile(format=kind, data=data, size_px=image.size, page=page)


def _check_dicom(data: bytes) -> PhotoFile:
    from ml.serving.files.dicom import read_dicom  # its library takes 0.3 s to import, and few clinics send DICOM

    photo, header = read_dicom(data)
    return replace(check_file(photo), dicom=header)


def _check_jpeg(jpeg: Jpeg) -> None:
    if jpeg.precision != 8:
        raise InvalidFile("bit_depth")
    _check_size(*jpeg.size_px)
    if jpeg.n_components not in {1, 3}:
        raise InvalidFile("cmyk" if jpeg.n_components == 4 else "colours")
    require_affordable_jpeg(jpeg)
    if has_second_picture(jpeg):
        raise InvalidFile("multi_frame")


def _check_structure(data: bytes, kind: str) -> None:
    """Refuse animations, 16-bit PNG and costly TIFF; raises CorruptImage for an incomplete file."""
    if kind == "TIFF":
        check_directories(data)
    if kind == "PNG":
        for name, body in png_chunks(data):
            if name == b"acTL":
                raise InvalidFile("multi_frame")
            if name == b"IHDR" and body[8:9] == b"\x10":  # Pillow reads 16-bit colour as if it had 8 bits
                raise InvalidFile("bit_depth")
    if kind == "WEBP":
        for name, body in webp_chunks(data):
            if name in {b"ANIM", b"ANMF"} or (name == b"VP8X" and body[0] & _WEBP_IS_ANIMATED):
                raise InvalidFile("multi_frame")
        _check_size(*webp_size(data), is_small_allowed=True)
        require_affordable(kind, "RGBA", webp_size(data))


def _check_size(width_px: int, height_px: int, *, is_small_allowed: bool = False) -> None:
    if width_px * height_px > MAX_PIXELS:
        raise InvalidFile("too_many_pixels")
    if min(width_px, height_px) < MIN_SIDE_PX and not is_small_allowed:
        raise InvalidFile("too_small")


def _check_pixels(image: Image.Image) -> None:
    _check_size(*image.size)
    bits: Any = getattr(image, "tag_v2", {}).get(_BITS_PER_SAMPLE, (8,))
    n_bits = set(bits) if isinstance(bits, tuple) else {bits}
    if image.mode in _DEEP_MODES or (n_bits - {8} and image.mode != "1"):
        raise InvalidFile("bit_depth")
    if image.mode == "CMYK":
        raise InvalidFile("cmyk")
    if image.mode not in _MODES:
        raise InvalidFile("colours")


def _main_page(image: Image.Image) -> int:
    """Index of the largest page of a TIFF, and seek to it. Raises InvalidFile if another is no thumbnail of it."""
    sizes = []
    for page in range(MAX_PAGES + 1):
        try:
            image.seek(page)
        except EOFError:
            break
        sizes.append(image.size)
    else:
        raise InvalidFile("multi_frame")
    main = max(range(len(sizes)), key=lambda page: sizes[page][0] * sizes[page][1])
    if not all(page == main or is_thumbnail(size, of=sizes[main]) for page, size in enumerate(sizes)):
        raise InvalidFile("multi_frame")
    image.seek(main)
    return main
