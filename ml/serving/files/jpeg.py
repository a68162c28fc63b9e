"""Structure of a JPEG: its frame, its scans, and whether it holds one picture alone."""

from dataclasses import dataclass

from ml.serving.files.jpeg_frame import Frame, coded_start
from ml.serving.files.segments import JPEG_FRAMES, JPEG_SOS, CorruptImage, jpeg_segments

EOI = b"\xff\xd9"
_START = b"\xff\xd8\xff"
_PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
#: Starts of another picture that are looked at behind the first one.
_MAX_STARTS = 64
_SEQUENTIAL = frozenset({0xC0, 0xC1})
_MAX_SCAN_HEADER = 1024
_MIN_BITS_PER_BLOCK = 2
"""One Huffman code for the mean and one for the end of the block."""


@dataclass(frozen=True, slots=True)
class Jpeg:
    """A JPEG whose structure is whole. Its coded pixels end at ``end``; ``data`` has an end marker.

    ``precision`` is in bits, ``size_px`` width and height; ``scans`` are the start and end of the coded pixels of
    each scan.
    """

    data: bytes
    end: int
    precision: int
    size_px: tuple[int, int]
    n_components: int
    is_progressive: bool
    scans: tuple[tuple[int, int], ...]
    coefficient_bytes: int


def read_jpeg(data: bytes) -> Jpeg:
    """Read the structure of a file; one that ends without its end marker gets one. Raises CorruptImage."""
    segments = list(jpeg_segments(data))
    frame = next((at for marker, at, _end in segments if marker in JPEG_FRAMES), None)
    if frame is None:
        raise CorruptImage
    _require_all_scans(data, segments, frame)
    _require_bits(data, segments, frame)
    _marker, end, after = segments[-1]
    height, width = (int.from_bytes(data[at : at + 2], "big") for at in (frame + 5, frame + 7))
    return Jpeg(
        data=data if after > end else data[:end] + EOI,
        end=end,
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
    for scan in (data[start : min(end, start + _MAX_SCAN_HEADER)] for kind, start, end in segments if kind == JPEG_SOS):
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
