"""Removes metadata: EXIF, XMP, IPTC, comments, thumbnails, trailing bytes.

Cameras and viewers write patients' names there. JPEG, PNG and WebP files lose segments without changes to their coded
pixels; a TIFF, whose segments refer to each other by offset, is decoded and written with lossless compression.
Kept: ICC profile, gamma, EXIF orientation. A transparent photograph is laid over black first (``transparency``).
"""

import struct
import zlib
from io import BytesIO

from ml.serving.files.photo_file import PhotoFile
from ml.serving.files.segments import (
    JPEG_EOI,
    JPEG_FRAMES,
    PNG_SIGNATURE,
    jpeg_segments,
    png_chunks,
    webp_chunks,
)

_JPEG_TABLES = frozenset({0xC4, 0xCC, 0xDA, 0xDB, 0xDC, 0xDD})
"""Huffman and arithmetic tables, scans, quantisation, number of lines, restart interval (ITU T.81, table B.1)."""
_PNG_KEPT = frozenset(
    {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"iCCP", b"sRGB", b"gAMA", b"cHRM", b"cICP", b"sBIT"}
)
_WEBP_KEPT = frozenset({b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ICCP"})
_WEBP_HAS_EXIF, _WEBP_HAS_XMP = 0x08, 0x04


def strip_metadata(file: PhotoFile, *, orientation: int) -> bytes:
    """The file without metadata; ``orientation`` is the EXIF value 1 to 8 to keep. Raises CorruptImage."""
    if file.format == "TIFF":
        return _rewrite_tiff(file)
    strip = {"JPEG": _strip_jpeg, "PNG": _strip_png, "WEBP": _strip_webp}[file.format]
    return strip(file.data, orientation)


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
    for marker, start, end in jpeg_segments(data):
        if is_exif_due and marker != 0xE0:
            kept.append(app1)
            is_exif_due = False
        kept.append(_kept_jpeg_segment(marker, data[start:end]))
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
    is_image_data = marker in JPEG_FRAMES or marker in _JPEG_TABLES or marker == JPEG_EOI
    return segment if is_image_data else b""


def _strip_png(data: bytes, orientation: int) -> bytes:
    exif = _orientation_block(orientation)
    kept = [PNG_SIGNATURE]
    for kind, body in png_chunks(data):
        if kind in _PNG_KEPT:
            kept.append(_png_chunk(kind, body))
        if kind == b"IHDR" and exif:
            kept.append(_png_chunk(b"eXIf", exif))
    return b"".join(kept)


def _png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _strip_webp(data: bytes, orientation: int) -> bytes:
    exif = _orientation_block(orientation)
    kept: list[bytes] = []
    has_header = False
    for kind, body in webp_chunks(data):
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


def _rewrite_tiff(file: PhotoFile) -> bytes:
    with file.open() as photo:
        photo.load()  # NB: this also rotates a TIFF upright: there is no orientation to keep
        profile = photo.info.get("icc_profile")
        pixels = photo.copy()
    pixels.info = {}
    pixels.getexif().clear()
    written = BytesIO()
    options = {"icc_profile": profile} if isinstance(profile, bytes) and profile else {}
    pixels.save(written, format="TIFF", compression="tiff_adobe_deflate", **options)
    return written.getvalue()
