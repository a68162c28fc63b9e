"""Stored photographs carry no text of their sender in colour profiles, tables and rarely used segments."""

import struct
import zlib
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageCms

from ml.serving.files.cleaning import clean_file
from ml.serving.files.icc import without_text
from ml.serving.files.rejections import InvalidFile
from tests.builders import photo_bytes

SECRET = b"BYRON-ADA-19600517"
FORMATS = ["JPEG", "PNG", "WEBP", "TIFF"]
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def segment(marker: int, body: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


def profile_with_secret() -> bytes:
    """sRGB with a text behind each of its tags, in its device names and in a tag of its maker."""
    profile = bytearray(SRGB)
    profile[48:52] = profile[80:84] = SECRET[:4]
    start = len(profile)
    (n_tags,) = struct.unpack_from(">I", profile, 128)
    table = bytes(profile[132 : 132 + 12 * n_tags])
    text = b"text\x00\x00\x00\x00" + SECRET + b"\x00"
    moved = b"".join(
        struct.pack(">4sII", name, at + 12 if name not in {b"cprt", b"desc"} else start + 12, size)
        for name, at, size in struct.iter_unpack(">4sII", table)
    )
    own = struct.pack(">4sII", b"priv", start + 12, len(text))
    return (
        bytes(profile[:128]) + struct.pack(">I", n_tags + 1) + moved + own + bytes(profile[len(table) + 132 :]) + text
    )


def lab(profile: bytes) -> "np.typing.NDArray[np.int64]":
    """Colours that a profile gives to 1000 random pixels."""
    pixels = np.random.default_rng(3).integers(0, 256, (10, 100, 3), np.uint8)
    converted = ImageCms.profileToProfile(
        Image.fromarray(pixels), BytesIO(profile), ImageCms.createProfile("LAB"), outputMode="LAB"
    )
    assert converted is not None
    return np.asarray(converted, np.int64)


@pytest.mark.parametrize("format", FORMATS)
def test_a_profile_keeps_its_colours_and_no_text(format: str) -> None:  # noqa: A002
    profile = profile_with_secret()
    assert SECRET in profile
    cleaned = clean_file(photo_bytes(format, icc_profile=profile)).cleaned
    kept = Image.open(BytesIO(cleaned)).info["icc_profile"]
    assert SECRET not in kept
    assert SECRET[:4] not in kept
    assert np.array_equal(lab(kept), lab(SRGB))
    assert without_text(kept) == kept


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("profile", [SECRET * 20, SRGB[:140] + SECRET * 30, SRGB[:16] + b"CMYK" + SRGB[20:]])
def test_another_profile_is_dropped(format: str, profile: bytes) -> None:  # noqa: A002
    cleaned = clean_file(photo_bytes(format, icc_profile=profile)).cleaned
    assert "icc_profile" not in Image.open(BytesIO(cleaned)).info


def test_a_text_is_no_tone_curve() -> None:
    tag = b"curv\x00\x00\x00\x00" + struct.pack(">I", 9) + SECRET
    profile = profile_with_secret().replace(b"para", b"XXXX")
    assert without_text(profile[:-27] + tag) == b""


def test_the_name_of_a_png_profile_is_removed() -> None:
    data = photo_bytes("PNG")
    body = SECRET + b"\x00\x00" + zlib.compress(SRGB)
    chunk = struct.pack(">I", len(body)) + b"iCCP" + body + struct.pack(">I", zlib.crc32(b"iCCP" + body))
    cleaned = clean_file(data[:33] + chunk + data[33:]).cleaned
    assert SECRET not in cleaned
    assert Image.open(BytesIO(cleaned)).info["icc_profile"]


TEXT_64 = (SECRET * 4)[:64]
HIDDEN = {
    "quantisation table without a user": segment(0xDB, b"\x03" + TEXT_64),
    "quantisation table that is replaced": segment(0xDB, b"\x00" + TEXT_64),
    "Huffman table without a user": segment(0xC4, b"\x13" + bytes(15) + b"\x12" + SECRET),
    "number of lines": segment(0xDC, SECRET),
    "restart interval": segment(0xDD, b"\x00\x00" + SECRET),
    "two comments": segment(0xFE, SECRET) * 2,
}


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_rows": 1}])
@pytest.mark.parametrize("hidden", HIDDEN.values(), ids=HIDDEN)
def test_a_jpeg_keeps_its_pixels_and_no_text(hidden: bytes, options: dict[str, bool]) -> None:
    data = photo_bytes("JPEG", (200, 160), **options)
    cleaned = clean_file(data[:2] + hidden + data[2:]).cleaned
    assert SECRET not in cleaned
    assert Image.open(BytesIO(cleaned)).tobytes() == Image.open(BytesIO(data)).tobytes()


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


@pytest.mark.parametrize("is_interlaced", [False, True])
def test_text_behind_the_pixels_of_a_png_is_removed(*, is_interlaced: bool) -> None:
    passes = [(8, 10), (8, 10), (16, 10), (16, 20), (32, 20), (32, 40), (64, 40)]
    rows = passes if is_interlaced else [(64, 80)]
    pixels = b"".join((b"\x00" + bytes(3 * width)) * height for width, height in rows)
    packed = zlib.compress(pixels)
    header = struct.pack(">IIBBBBB", 64, 80, 8, 2, 0, 0, is_interlaced)
    idat = [packed[:20], packed[20:] + SECRET, SECRET]
    body = b"".join(png_chunk(b"IDAT", each) for each in idat)
    data = b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + body + png_chunk(b"IEND", b"")
    cleaned = clean_file(data).cleaned
    assert SECRET not in cleaned
    assert Image.open(BytesIO(cleaned)).tobytes() == Image.open(BytesIO(data)).tobytes()


def test_a_png_with_more_data_than_pixels_is_refused() -> None:
    data = zlib.compress(bytes(80 * (1 + 3 * 80)) + SECRET)
    header = struct.pack(">IIBBBBB", 80, 80, 8, 2, 0, 0, 0)
    png = b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", data) + png_chunk(b"IEND", b"")
    with pytest.raises(InvalidFile) as caught:
        clean_file(png)
    assert caught.value.code == "damaged"
