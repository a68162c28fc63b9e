"""Removes metadata: EXIF, XMP, IPTC, comments, thumbnails, trailing bytes.

Cameras and viewers write patients' names there. JPEG, PNG and WebP files lose segments without changes to their coded
pixels; a TIFF, whose segments refer to each other by offset, is decoded and written with lossless compression.
Kept: numbers of the ICC profile, gamma, EXIF orientation, tables that the scans of a JPEG use. A transparent photograph
is laid over black first (``cleaning``).
"""

import struct
import zlib
from io import BytesIO
from itertools import islice

from PIL import Image

from ml.serving.files.icc import without_text
from ml.serving.files.jpeg_tables import DHT, DQT, Tables
from ml.serving.files.photo_file import PhotoFile
from ml.serving.files.png_pixels import trimmed
from ml.serving.files.segments import (
    JPEG_EOI,
    JPEG_FRAMES,
    JPEG_SOS,
    PNG_SIGNATURE,
    jpeg_segments,
    png_chunks,
    webp_chunks,
)

_ICC_NAME = b"ICC_PROFILE\x00"
_PNG_KEPT = {
    b"IHDR": 13,
    b"tRNS": 6,
    b"IEND": 0,
    b"sRGB": 1,
    b"gAMA": 4,
    b"cHRM": 32,
    b"cICP": 4,
    b"sBIT": 4,
}
"""Chunks with the bytes that a grey or colour image has in them at most (PNG, 11.2 and 11.3)."""
_MAX_PROFILE_BYTES = 4 * 1024 * 1024
_WEBP_KEPT = frozenset({b"VP8 ", b"VP8L", b"ALPH"})
_WEBP_HAS_ICC, _WEBP_HAS_EXIF, _WEBP_HAS_XMP = 0x20, 0x08, 0x04


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
    segments = [(marker, data[start:end], start) for marker, start, end in jpeg_segments(data)]
    jfif = next((_jfif(segment) for marker, segment, _at in segments if marker == 0xE0), b"")
    kept = [b"\xff\xd8", jfif]
    kept += [_jpeg_segment(0xE1, b"Exif\x00\x00" + exif)] if exif else []
    profile = without_text(b"".join(_icc_chunks([segment for marker, segment, _at in segments if marker == 0xE2])))
    kept += [_jpeg_segment(0xE2, _ICC_NAME + b"\x01\x01" + profile)] if profile else []
    tables = Tables()
    for marker, segment, at in segments:
        if marker in {DQT, DHT}:
            tables.define(marker, segment)
        elif marker in JPEG_FRAMES:
            tables.set_frame(data, at)
            kept.append(segment)
        elif marker == JPEG_SOS:
            kept += [*tables.used_by(segment), segment]
        else:
            kept.append(_kept_jpeg_segment(marker, segment))
    return b"".join(kept)


def _jpeg_segment(marker: int, body: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


def _jfif(segment: bytes) -> bytes:
    """The JFIF segment without its thumbnail; empty for another one."""
    is_jfif = segment[4:9] == b"JFIF\x00" and len(segment) >= 18
    return b"\xff\xe0\x00\x10" + segment[4:16] + b"\x00\x00" if is_jfif else b""


def _icc_chunks(segments: list[bytes]) -> list[bytes]:
    """The chunks of a colour profile in their order."""
    numbered = [(each[16], each[18:]) for each in segments if each[4:16] == _ICC_NAME and len(each) > 18]
    return [chunk for _number, chunk in sorted(numbered, key=lambda pair: pair[0])]


def _kept_jpeg_segment(marker: int, segment: bytes) -> bytes:
    """Also without the number of lines (DNL), which no photograph with a height needs."""
    if marker == 0xEE:
        is_adobe = segment[4:9] == b"Adobe" and len(segment) >= 16  # the colour space of the three channels
        return b"\xff\xee\x00\x0e" + segment[4:16] if is_adobe else b""
    if marker == 0xDD:
        return b"\xff\xdd\x00\x04" + segment[4:6]
    return segment if marker in {0xCC, JPEG_EOI} else b""


def _strip_png(data: bytes, orientation: int) -> bytes:
    exif = _orientation_block(orientation)
    kept = [PNG_SIGNATURE]
    chunks = list(png_chunks(data))
    pixels = trimmed(chunks[0][1], (body for kind, body in chunks if kind == b"IDAT"))
    for kind, body in chunks:
        if kind == b"iCCP":
            profile = without_text(_png_profile(body))
            kept += [_png_chunk(kind, b"-\x00\x00" + zlib.compress(profile))] if profile else []
        elif kind == b"IDAT":
            kept += [_png_chunk(kind, each) for each in islice(pixels, 1)]
        elif kind in _PNG_KEPT:
            kept.append(_png_chunk(kind, body[: _PNG_KEPT[kind]]))
        if kind == b"IHDR" and exif:
            kept.append(_png_chunk(b"eXIf", exif))
    return b"".join(kept)


def _png_profile(body: bytes) -> bytes:
    """The colour profile of an iCCP chunk; empty if it is broken."""
    _name, _separator, packed = body.partition(b"\x00")
    try:
        return zlib.decompressobj().decompress(packed[1:], _MAX_PROFILE_BYTES)
    except zlib.error:
        return b""


def _png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _strip_webp(data: bytes, orientation: int) -> bytes:
    exif = _orientation_block(orientation)
    chunks = list(webp_chunks(data))
    profile = without_text(next((body for kind, body in chunks if kind == b"ICCP"), b""))
    kept: list[bytes] = []
    has_header = False
    for kind, body in chunks:
        if kind == b"VP8X" and not has_header:
            has_header = True
            flags = body[0] & ~(_WEBP_HAS_ICC | _WEBP_HAS_EXIF | _WEBP_HAS_XMP)
            flags |= (_WEBP_HAS_EXIF if exif else 0) | (_WEBP_HAS_ICC if profile else 0)
            kept.append(_webp_chunk(kind, bytes([flags, 0, 0, 0]) + body[4:10]))
            kept += [_webp_chunk(b"ICCP", profile)] if profile else []
        elif kind in _WEBP_KEPT:
            kept.append(_webp_chunk(kind, body))
    if exif and has_header:  # without the extended header there is no EXIF chunk
        kept.append(_webp_chunk(b"EXIF", exif))
    joined = b"WEBP" + b"".join(kept)
    return b"RIFF" + struct.pack("<I", len(joined)) + joined


def _webp_chunk(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + b"\x00" * (len(body) % 2)


def profile_of(photo: Image.Image) -> bytes:
    """The colour profile of an open file without texts; empty without one."""
    profile = photo.info.get("icc_profile")
    return without_text(profile) if isinstance(profile, bytes) else b""


def _rewrite_tiff(file: PhotoFile) -> bytes:
    with file.open() as photo:
        photo.load()  # NB: this also rotates a TIFF upright: there is no orientation to keep
        profile = profile_of(photo)
        pixels = photo.copy()
    pixels.info = {}
    pixels.getexif().clear()
    written = BytesIO()
    options = {"icc_profile": profile} if profile else {}
    pixels.save(written, format="TIFF", compression="tiff_adobe_deflate", **options)
    return written.getvalue()
