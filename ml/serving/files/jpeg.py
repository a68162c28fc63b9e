"""Whether a JPEG holds all of its pixels, and one picture alone."""

import hashlib
import re
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from PIL import Image

from ml.serving.files.restarts import MAX_MISSING_FRACTION, Frame, coded_start, require_restart_markers
from ml.serving.files.segments import JPEG_FRAMES, JPEG_SOS, CorruptImage, jpeg_segments

EOI = b"\xff\xd9"
_START = b"\xff\xd8\xff"
_PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
_PADDINGS = (b"\x00", b"\x55", b"\xfe")
_PADDING_BYTES = 64
#: Grey that libjpeg writes for blocks without data, and how far rounding moves it.
_FILL_LEVEL, _FILL_TOLERANCE = 128, 2
_RESTART = re.compile(rb"\xff[\xd0-\xd7]")
_BAND_PX = 128
#: Starts of another picture that are looked at behind the first one.
_MAX_STARTS = 64
_MAX_COMPARED_PIXELS = 16_000_000
"""A larger photograph is compared at a reduced scale, so that three times take a second."""
_SEQUENTIAL = frozenset({0xC0, 0xC1})
_MIN_BITS_PER_BLOCK = 2
"""One Huffman code for the mean and one for the end of the block."""


@dataclass(frozen=True, slots=True)
class Jpeg:
    """A JPEG whose structure is whole. Its coded pixels end at ``end``; ``data`` has an end marker.

    ``has_end`` is False if the file came without the marker; ``precision`` is in bits, ``size_px``
    width and height; ``scans`` are the start and end of the coded pixels of each scan.
    """

    data: bytes
    end: int
    has_end: bool
    precision: int
    size_px: tuple[int, int]
    n_components: int
    is_progressive: bool
    scans: tuple[tuple[int, int], ...]
    coefficient_bytes: int

    def is_complete(self) -> bool:
        """Whether no coded pixel is missing. Decodes three times.

        A decoder that lacks bits takes them from what follows, so that different paddings behind each run of coded
        pixels give different pixels.
        """
        scale = 1
        while self.size_px[0] * self.size_px[1] > _MAX_COMPARED_PIXELS * scale**2:
            scale *= 2
        size_px = (self.size_px[0] // scale, self.size_px[1] // scale)
        return len({self._digest_with(padding, size_px) for padding in _PADDINGS}) == 1

    def is_whole(self, decoded: Image.Image, size_px: tuple[int, int]) -> bool:
        """Whether no coded pixel is missing in ``decoded``, which was decoded at the reduced scale of ``size_px``.

        The scans of a progressive file are slow: it is decoded once more, and not three times.
        """
        if self.is_progressive:
            return self._digest_with(_PADDINGS[-1], size_px) == _digest(decoded)
        return not self.may_lack_pixels(decoded) or self.is_complete()

    def _digest_with(self, padding: bytes, size_px: tuple[int, int]) -> bytes:
        with Image.open(BytesIO(self._padded(padding * _PADDING_BYTES)), formats=["JPEG"]) as image:
            image.draft("RGB", size_px)
            return _digest(image)

    def _padded(self, padding: bytes) -> bytes:
        """The file with ``padding`` before every marker that ends coded pixels."""
        pieces, at = [], 0
        for start, end in self.scans:
            for marker in (*(found.start() for found in _RESTART.finditer(self.data, start, end)), end):
                pieces += [self.data[at:marker], padding]
                at = marker
        return b"".join([*pieces, self.data[at:]])

    def may_lack_pixels(self, decoded: Image.Image) -> bool:
        """Whether there is a sign of missing data, so that ``is_complete`` must be asked.

        Missing blocks are grey: the last pixel, or a share of the rows over MAX_MISSING_FRACTION.
        """
        is_grey = np.ones((decoded.height, decoded.width), np.bool_)
        for channel in decoded.split():
            is_grey &= np.abs(np.asarray(channel, np.int16) - _FILL_LEVEL) <= _FILL_TOLERANCE
        return bool(is_grey[-1, -1]) or float(is_grey.all(axis=1).mean()) > MAX_MISSING_FRACTION


def _digest(image: Image.Image) -> bytes:
    """Hash of the pixels, without a second copy of them."""
    image.load()
    digest = hashlib.sha256()
    for top in range(0, image.height, _BAND_PX):
        digest.update(image.crop((0, top, image.width, min(image.height, top + _BAND_PX))).tobytes())
    return digest.digest()


def read_jpeg(data: bytes) -> Jpeg:
    """Read the structure of a file; one that ends without its end marker gets one. Raises CorruptImage."""
    segments = list(jpeg_segments(data))
    frame = next((at for marker, at, _end in segments if marker in JPEG_FRAMES), None)
    if frame is None:
        raise CorruptImage
    _require_all_scans(data, segments, frame)
    require_restart_markers(data, segments, frame)
    _require_bits(data, segments, frame)
    _marker, end, after = segments[-1]
    has_end = after > end
    height, width = (int.from_bytes(data[at : at + 2], "big") for at in (frame + 5, frame + 7))
    return Jpeg(
        data=data if has_end else data[:end] + EOI,
        end=end,
        has_end=has_end,
        precision=data[frame + 4],
        size_px=(width, height),
        n_components=data[frame + 9],
        is_progressive=data[frame + 1] in _PROGRESSIVE,
        scans=tuple((coded_start(data, start), stop) for marker, start, stop in segments if marker == JPEG_SOS),
        coefficient_bytes=2 * 64 * sum(Frame.read(data, frame).n_blocks(each) for each in range(data[frame + 9])),
    )


def _require_all_scans(data: bytes, segments: list[tuple[int, int, int]], frame: int) -> None:
    """Raises CorruptImage unless the scans hold every component; of a progressive file, every coefficient."""
    components = data[frame + 10 : frame + 10 + 3 * data[frame + 9] : 3]
    n_bands = 64 if data[frame + 1] in _PROGRESSIVE else 1
    missing = {(component, band) for component in components for band in range(n_bands)}
    for scan in (data[start:end] for kind, start, end in segments if kind == JPEG_SOS):
        n = scan[4]
        if len(scan) < 8 + 2 * n:
            raise CorruptImage
        first, last, lowest_bit = scan[5 + 2 * n], scan[6 + 2 * n], scan[7 + 2 * n] & 0x0F
        if lowest_bit == 0:
            missing -= {(each, band) for each in scan[5 : 5 + 2 * n : 2] for band in range(first, last + 1)}
    if missing:
        raise CorruptImage


def _require_bits(data: bytes, segments: list[tuple[int, int, int]], frame: int) -> None:
    """Raises CorruptImage if one scan has fewer bits than blocks need: the file says that it is larger than it is."""
    scans = [(start, end) for marker, start, end in segments if marker == JPEG_SOS]
    if len(scans) != 1 or data[frame + 1] not in _SEQUENTIAL:
        return
    header = Frame.read(data, frame)
    n_blocks = sum(header.n_blocks(each) for each in range(len(header.components)))
    if 8 * (scans[0][1] - coded_start(data, scans[0][0])) < _MIN_BITS_PER_BLOCK * n_blocks:
        raise CorruptImage


def has_second_picture(jpeg: Jpeg) -> bool:
    """Whether another full picture follows, as in an MPO. A smaller preview does not count."""
    start = jpeg.data.find(_START, jpeg.end)
    for _ in range(_MAX_STARTS):
        if start < 0:
            return False
        if not is_thumbnail(_frame_size(jpeg.data, start), of=jpeg.size_px):
            return True
        start = jpeg.data.find(_START, start + 2)
    return True  # too many to look at


def is_thumbnail(size_px: tuple[int, int], *, of: tuple[int, int]) -> bool:
    """Whether a page is a preview of another: at most half as wide and half as high."""
    return 2 * size_px[0] <= of[0] + 1 and 2 * size_px[1] <= of[1] + 1


def _frame_size(data: bytes, start: int) -> tuple[int, int]:
    """Width and height of the JPEG at ``start``; (0, 0) for bytes that are none."""
    try:
        for marker, at, _end in jpeg_segments(data, start=start):
            if marker in JPEG_FRAMES:
                return int.from_bytes(data[at + 7 : at + 9], "big"), int.from_bytes(data[at + 5 : at + 7], "big")
    except CorruptImage:
        return 0, 0
    return 0, 0
