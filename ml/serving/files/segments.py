"""Segments of JPEG, PNG and WebP files, without decoding a pixel."""

import re
import struct
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
JPEG_SOI, JPEG_EOI, JPEG_SOS = 0xD8, 0xD9, 0xDA
MAX_SEGMENTS = 20_000
"""A photograph of 50 MB in chunks of 4 kB has 12,500. A reader needs a minute for millions of empty ones."""
MAX_SCANS = 64
"""Progressive JPEGs have about ten. Each scan decodes every pixel; thousands fit into a small file and take hours."""
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_JPEG_FILL = re.compile(rb"\xff+")
_JPEG_STANDALONE = frozenset({0x01, *range(0xD0, 0xD9)})
_MAX_FILL = 1024


class CorruptImage(ValueError):
    """The file is incomplete or inconsistent."""


def jpeg_segments(data: bytes, *, start: int = 0) -> Iterator[tuple[int, int, int]]:
    """Each marker with the start and end of its segment, to the end of the image that begins at ``start``.

    The segment of a scan includes its coded pixels. The last marker is EOI; its segment is empty if the file ends
    without it: whether the pixels are complete is then for a decoder to say (``jpeg_pixels``).
    Raises CorruptImage.
    """
    if data[start : start + 2] != b"\xff\xd8":
        raise CorruptImage
    at, n_scans, n_segments = start + 2, 0, 0
    markers: NDArray[np.int64] | None = None
    while True:
        at = _marker_at(data, at)
        marker = data[at + 1]
        n_segments, n_scans = n_segments + 1, n_scans + (marker == JPEG_SOS)
        if n_segments > MAX_SEGMENTS or n_scans > MAX_SCANS or marker == JPEG_SOI:
            raise CorruptImage
        if marker == JPEG_EOI:
            yield marker, at, at + 2
            return
        end = at + 2 if marker in _JPEG_STANDALONE else _segment_end(data, at)
        if marker == JPEG_SOS:
            markers = _marker_positions(data) if markers is None else markers
            after = markers[np.searchsorted(markers, end) :]
            if not len(after):
                end = len(data.rstrip(b"\xff"))
                yield marker, at, end
                yield JPEG_EOI, end, end
                return
            end = int(after[0])
        yield marker, at, end
        at = end


def _marker_at(data: bytes, at: int) -> int:
    """Position of the marker at ``at``, behind its fill bytes."""
    fill = _JPEG_FILL.match(data, at)
    if fill is None or fill.end() >= len(data) or fill.end() - at > _MAX_FILL:
        raise CorruptImage
    return fill.end() - 1


def _segment_end(data: bytes, at: int) -> int:
    end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    if end > len(data) or end < at + 4:
        raise CorruptImage
    return end


def _marker_positions(data: bytes) -> "NDArray[np.int64]":
    """Positions of the markers that end coded pixels: no stuffed FF00, restart marker or fill byte (T.81, B.1.1)."""
    values = np.frombuffer(data, np.uint8)
    at = np.flatnonzero(values[:-1] == 0xFF)
    following = values[at + 1]
    is_coded = (following == 0) | (following == 0xFF) | ((following >= 0xD0) & (following <= 0xD7))
    positions: NDArray[np.int64] = at[~is_coded]
    return positions


def png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Each chunk to IEND, its check sum verified. Raises CorruptImage."""
    if data[:8] != PNG_SIGNATURE:
        raise CorruptImage
    at, kind, n_chunks = 8, b"", 0
    while kind != b"IEND":
        length = int.from_bytes(data[at : at + 4], "big")
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        check_sum = data[at + 8 + length : at + 12 + length]
        n_chunks += 1
        is_whole = len(check_sum) == 4 and int.from_bytes(check_sum, "big") == zlib.crc32(body, zlib.crc32(kind))
        if not is_whole or n_chunks > MAX_SEGMENTS:
            raise CorruptImage
        yield kind, body
        at += 12 + length


def webp_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Each chunk of a WebP. Raises CorruptImage."""
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP":
        raise CorruptImage
    end = 8 + int.from_bytes(data[4:8], "little")
    if end > len(data):
        raise CorruptImage
    at, n_chunks = 12, 0
    while at + 8 <= end:
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        body = data[at + 8 : at + 8 + length]
        n_chunks += 1
        if len(body) != length or not body or n_chunks > MAX_SEGMENTS:
            raise CorruptImage
        yield data[at : at + 4], body
        at += 8 + length + length % 2


def webp_size(data: bytes) -> tuple[int, int]:
    """Width and height of a WebP in px, from its headers. Pillow allocates memory when it opens one."""
    for kind, body in webp_chunks(data):
        if kind == b"VP8X" and len(body) >= 10:
            return 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little")
        if kind == b"VP8L" and len(body) >= 5:
            bits = int.from_bytes(body[1:5], "little")
            return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
        if kind == b"VP8 " and len(body) >= 10:
            width, height = struct.unpack_from("<HH", body, 6)
            return width & 0x3FFF, height & 0x3FFF
    raise CorruptImage
