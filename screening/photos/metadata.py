"""Removes metadata: EXIF, XMP, IPTC, comments, thumbnails, trailing bytes.

Cameras and viewers write patients' names there. JPEG, PNG and WebP files lose segments without changes to their coded
pixels; a TIFF, whose segments refer to each other by offset, is decoded and written with lossless compression.
Kept: ICC profile, gamma, transparency, EXIF orientation.
"""

import re
import struct
import zlib
from collections.abc import Iterator
from io import BytesIO

from PIL import Image

_JPEG_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
"""The end of entropy-coded data: not a stuffed FF00, a restart marker or fill bytes (ITU T.81, B.1.1)."""
_JPEG_FILL = re.compile(rb"\xff+")
_JPEG_STANDALONE = frozenset({0x01, *range(0xD0, 0xD8)})
_JPEG_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_TABLES = frozenset({0xC4, 0xCC, 0xDA, 0xDB, 0xDC, 0xDD})
"""Huffman and arithmetic tables, scans, quantisation, number of lines, restart interval (ITU T.81, table B.1)."""
MAX_SEGMENTS = 20_000
"""A photograph of 50 MB in chunks of 4 kB has 12,500. A reader needs a minute for millions of empty ones."""
MAX_SCANS = 64
"""Progressive JPEGs have about ten. Each scan decodes every pixel; thousands fit into a small file and take hours."""
_MAX_FILL = 1024
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_KEPT = frozenset(
    {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"iCCP", b"sRGB", b"gAMA", b"cHRM", b"cICP", b"sBIT"}
)
_WEBP_KEPT = frozenset({b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ICCP"})
_WEBP_HAS_EXIF, _WEBP_HAS_XMP, _WEBP_IS_ANIMATED = 0x08, 0x04, 0x02


class CorruptImage(ValueError):
    """The file is incomplete or inconsistent."""


class MultiFrameImage(ValueError):
    """The file has several images."""


class UnsupportedBitDepth(ValueError):
    """The file has more than 8 bits a channel."""


def strip_metadata(data: bytes, *, format: str, orientation: int) -> bytes:  # noqa: A002 (Pillow's name for it)
    """The file without metadata. ``format`` is JPEG, PNG, WEBP or TIFF; ``orientation`` the EXIF value 1 to 8 to keep.

    Raises CorruptImage, MultiFrameImage, UnsupportedBitDepth; KeyError for another format.
    """
    strip = {"JPEG": _strip_jpeg, "PNG": _strip_png, "WEBP": _strip_webp, "TIFF": _rewrite_tiff}[format]
    return strip(data, orientation)


def check_segment_count(data: bytes, *, format: str) -> None:  # noqa: A002 (Pillow's name for it)
    """Count the segments of a file, so that no file occupies a decoder for minutes.

    Raises CorruptImage for more than MAX_SEGMENTS segments or MAX_SCANS scans, or an incomplete file.
    """
    walks = {"JPEG": _jpeg_segments, "PNG": _png_chunks, "WEBP": _webp_chunks}
    if format in walks:
        for n_segments, _segment in enumerate(walks[format](data), 1):
            if n_segments > MAX_SEGMENTS:
                raise CorruptImage


def webp_size(data: bytes) -> tuple[int, int]:
    """Width and height of a WebP in px, from its headers. Pillow allocates memory when it opens one."""
    for kind, body in _webp_chunks(data):
        if kind == b"VP8X" and len(body) >= 10:
            return 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little")
        if kind == b"VP8L" and len(body) >= 5:
            bits = int.from_bytes(body[1:5], "little")
            return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
        if kind == b"VP8 " and len(body) >= 10:
            width, height = struct.unpack_from("<HH", body, 6)
            return width & 0x3FFF, height & 0x3FFF
    raise CorruptImage


def _orientation_block(orientation: int) -> bytes:
    """An EXIF block with the orientation alone; empty for upright photographs."""
    if orientation not in range(2, 9):
        return b""
    entry = struct.pack("<HHIHH", 0x0112, 3, 1, orientation, 0)
    return b"II*\x00\x08\x00\x00\x00" + struct.pack("<H", 1) + entry + b"\x00\x00\x00\x00"


def _strip_jpeg(data: bytes, orientation: int) -> bytes:
    exif = _orientation_block(orientation)
    app1 = b"\xff\xe1" + struct.pack(">H", len(exif) + 8) + b"Exif\x00\x00" + exif if exif else b""
    kept = [b"\xff\xd8"]
    is_exif_due = True
    for marker, segment in _jpeg_segments(data):
        if is_exif_due and marker != 0xE0:
            kept.append(app1)
            is_exif_due = False
        if marker in _JPEG_FRAME and segment[4:5] != b"\x08":
            raise UnsupportedBitDepth
        kept.append(_kept_jpeg_segment(marker, segment))
    return b"".join(kept)


def _kept_jpeg_segment(marker: int, segment: bytes) -> bytes:
    if marker == 0xE0:
        is_jfif = segment[4:9] == b"JFIF\x00" and len(segment) >= 18
        return b"\xff\xe0\x00\x10" + segment[4:16] + b"\x00\x00" if is_jfif else b""  # without its thumbnail
    if marker == 0xE2:
        return segment if segment[4:16] == b"ICC_PROFILE\x00" else b""
    if marker == 0xEE:
        is_adobe = segment[4:9] == b"Adobe" and len(segment) >= 16  # the colour space of the three channels
        return b"\xff\xee\x00\x0e" + segment[4:16] if is_adobe else b""
    is_image_data = marker in _JPEG_FRAME or marker in _JPEG_TABLES or marker == 0xD9
    return segment if is_image_data else b""


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Each marker with its bytes, coded pixels included, to the end of the first image."""
    if data[:2] != b"\xff\xd8":
        raise CorruptImage
    at, n_scans = 2, 0
    while True:
        fill = _JPEG_FILL.match(data, at)
        if fill is None or fill.end() >= len(data) or fill.end() - at > _MAX_FILL:
            raise CorruptImage
        at = fill.end() - 1
        marker = data[at + 1]
        if marker == 0xD9:
            yield marker, b"\xff\xd9"
            return
        if marker in _JPEG_STANDALONE:
            yield marker, b""
            at += 2
            continue
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == 0xDA:
            n_scans += 1
            if n_scans > MAX_SCANS:
                raise CorruptImage
            found = _JPEG_MARKER.search(data, end)
            if found is None:
                raise CorruptImage
            end = found.start()
        if end > len(data) or end < at + 4:
            raise CorruptImage
        yield marker, data[at:end]
        at = end


def _strip_png(data: bytes, orientation: int) -> bytes:
    exif = _orientation_block(orientation)
    kept = [_PNG_SIGNATURE]
    for kind, body in _png_chunks(data):
        if kind == b"acTL":
            raise MultiFrameImage
        if kind == b"IHDR" and body[8:9] == b"\x10":
            raise UnsupportedBitDepth
        if kind in _PNG_KEPT:
            kept.append(_png_chunk(kind, body))
        if kind == b"IHDR" and exif:
            kept.append(_png_chunk(b"eXIf", exif))
    return b"".join(kept)


def _png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Each chunk to IEND, its check sum verified."""
    if data[:8] != _PNG_SIGNATURE:
        raise CorruptImage
    at, kind = 8, b""
    while kind != b"IEND":
        length = int.from_bytes(data[at : at + 4], "big")
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        check_sum = data[at + 8 + length : at + 12 + length]
        if len(check_sum) != 4 or int.from_bytes(check_sum, "big") != zlib.crc32(kind + body):
            raise CorruptImage
        yield kind, body
        at += 12 + length


def _strip_webp(data: bytes, orientation: int) -> bytes:
    exif = _orientation_block(orientation)
    kept: list[bytes] = []
    has_header = False
    for kind, body in _webp_chunks(data):
        if kind in {b"ANIM", b"ANMF"} or (kind == b"VP8X" and body[0] & _WEBP_IS_ANIMATED):
            raise MultiFrameImage
        if kind == b"VP8X":
            has_header = True
            flags = body[0] & ~(_WEBP_HAS_EXIF | _WEBP_HAS_XMP) | (_WEBP_HAS_EXIF if exif else 0)
            kept.append(_webp_chunk(kind, bytes([flags]) + body[1:]))
        elif kind in _WEBP_KEPT:
            kept.append(_webp_chunk(kind, body))
    if exif and has_header:  # without the extended header there is no EXIF chunk
        kept.append(_webp_chunk(b"EXIF", exif))
    joined = b"WEBP" + b"".join(kept)
    return b"RIFF" + struct.pack("<I", len(joined)) + joined


def _webp_chunk(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + b"\x00" * (len(body) % 2)


def _webp_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP":
        raise CorruptImage
    end = 8 + int.from_bytes(data[4:8], "little")
    if end > len(data):
        raise CorruptImage
    at = 12
    while at + 8 <= end:
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        body = data[at + 8 : at + 8 + length]
        if len(body) != length or not body:
            raise CorruptImage
        yield data[at : at + 4], body
        at += 8 + length + length % 2


def _rewrite_tiff(data: bytes, orientation: int) -> bytes:
    with Image.open(BytesIO(data), formats=["TIFF"]) as photo:
        photo.load()  # NB: this also rotates a TIFF upright: there is no orientation to keep
        profile = photo.info.get("icc_profile")
        pixels = photo.copy()
    pixels.info = {}
    pixels.getexif().clear()
    written = BytesIO()
    options = {"icc_profile": profile} if isinstance(profile, bytes) and profile else {}
    pixels.save(written, format="TIFF", compression="tiff_adobe_deflate", **options)
    return written.getvalue()
