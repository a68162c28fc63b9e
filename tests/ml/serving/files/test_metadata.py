"""Metadata are removed from photographs; pixels, colours and orientation stay."""

import struct
import zlib
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps, PngImagePlugin

from ml.serving.files.cleaning import clean_file
from ml.serving.files.metadata import strip_metadata
from ml.serving.files.photo_file import check_file
from ml.serving.files.segments import webp_size
from tests.builders import photo_bytes

SECRET = b"BYRON-ADA-19600517"
NAMING_TAGS = {270, 271, 272, 315, 700, 33432, 33723, 34377, 34853, 65000}
"""Description, make, model, artist, XMP, copyright, IPTC, Photoshop, GPS, a maker's own."""
FORMATS = ["JPEG", "PNG", "WEBP", "TIFF"]


def pixels(data: bytes) -> "np.typing.NDArray[np.uint8]":
    return np.asarray(Image.open(BytesIO(data)))


def exif_with_secret(orientation: int = 1) -> Image.Exif:
    exif = Image.Exif()
    exif[0x010E] = exif[0x013B] = exif[0x8298] = SECRET.decode()  # description, artist, copyright
    exif[0x010F], exif[0x0110] = "Topcon", "NW400"
    exif[0x0112] = orientation
    exif[0x8825] = {1: "N", 2: (48.0, 51.0, 24.0)}  # where it was taken
    return exif


def with_secrets(format: str, orientation: int = 1) -> bytes:  # noqa: A002
    """A photograph with a patient's name in every metadata field."""
    exif = exif_with_secret(orientation)
    xmp = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>" + SECRET + b"</x:xmpmeta>"
    if format == "JPEG":
        data = photo_bytes("JPEG", exif=exif, comment=SECRET, xmp=xmp)
        iptc = b"Photoshop 3.0\x008BIM\x04\x04\x00\x00\x00\x00\x00\x14\x1c\x02\x50\x00\x12" + SECRET
        jfxx = b"JFXX\x00\x10" + SECRET
        added = b"".join(
            bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body
            for marker, body in ((0xED, iptc), (0xE0, jfxx), (0xE5, SECRET), (0xE2, b"MPF\x00" + SECRET))
        )
        return data[:2] + added + data[2:] + SECRET
    if format == "PNG":
        texts = PngImagePlugin.PngInfo()
        texts.add_text("Patient", SECRET.decode())
        texts.add_text("Name", SECRET.decode(), zip=True)
        texts.add_itxt("XML:com.adobe.xmp", xmp.decode())
        return photo_bytes("PNG", exif=exif, pnginfo=texts) + SECRET
    if format == "WEBP":
        return photo_bytes("WEBP", exif=exif, xmp=xmp, lossless=True) + SECRET
    tags: dict[int, Any] = {
        270: SECRET.decode(),
        315: SECRET.decode(),
        700: xmp,
        33723: SECRET,
        34377: SECRET,
        65000: SECRET.decode(),
    }
    tags |= {271: "Topcon", 272: "NW400", 274: orientation}
    return photo_bytes("TIFF", tiffinfo=tags) + SECRET


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("format", FORMATS)
def test_metadata_are_removed_and_pixels_kept(format: str, orientation: int) -> None:  # noqa: A002
    data = with_secrets(format, orientation)
    photo = clean_file(data)
    assert SECRET in data
    assert SECRET not in photo.cleaned
    if format == "PNG":
        assert zlib.compress(SECRET) in data
        assert zlib.compress(SECRET) not in photo.cleaned
    assert b"adobe:ns:meta" not in photo.cleaned
    assert photo.camera == "Topcon NW400"
    kept = Image.open(BytesIO(photo.cleaned))
    assert not set(kept.getexif()) & NAMING_TAGS
    assert format == "TIFF" or set(kept.getexif()) <= {0x0112}
    np.testing.assert_array_equal(upright(photo.cleaned), upright(data))
    assert (photo.width_px, photo.height_px) == ((90, 120) if orientation == 6 else (120, 90))


def upright(data: bytes) -> "np.typing.NDArray[np.uint8]":
    photo = Image.open(BytesIO(data))
    photo.load()  # NB: a TIFF is turned upright by this
    return np.asarray(ImageOps.exif_transpose(photo))


@pytest.mark.parametrize("format", FORMATS)
def test_a_clean_file_stays_as_it_is(format: str) -> None:  # noqa: A002
    once = clean_file(photo_bytes(format)).cleaned
    assert clean_file(once).cleaned == once


def test_the_coded_pixels_of_a_jpeg_are_the_same_bytes() -> None:
    data = with_secrets("JPEG")
    scan = data[data.index(b"\xff\xda") : data.rindex(b"\xff\xd9")]
    assert scan in clean_file(data).cleaned


def test_a_preview_behind_the_photograph_is_removed() -> None:
    first, preview = photo_bytes(size=(200, 160)), photo_bytes(size=(100, 80), seed=2)
    assert clean_file(first + preview).cleaned == clean_file(first).cleaned


def test_a_thumbnail_in_the_jfif_header_is_removed() -> None:
    data = photo_bytes()
    header = data[2:20]
    thumbnail = b"\xff\xe0" + struct.pack(">H", 16 + 3 * len(SECRET)) + header[4:16] + bytes([len(SECRET), 1])
    assert data[6:11] == b"JFIF\x00"
    cleaned = clean_file(data[:2] + thumbnail + SECRET * 3 + data[20:]).cleaned
    assert SECRET not in cleaned
    assert cleaned == clean_file(data).cleaned


def test_a_broken_exif_block_is_dropped_and_the_photograph_kept() -> None:
    data = photo_bytes()
    block = b"Exif\x00\x00II*\x00\xff\xff\xff\xff"
    broken = data[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + data[2:]
    photo = clean_file(broken)
    assert (photo.orientation, photo.camera) == (1, "")
    np.testing.assert_array_equal(pixels(photo.cleaned), pixels(data))


@pytest.mark.parametrize("orientation", [0, 9, 77])
def test_an_orientation_that_does_not_exist_means_upright(orientation: int) -> None:
    photo = clean_file(photo_bytes(exif=exif_with_secret(orientation)))
    assert (photo.orientation, photo.width_px) == (1, 120)


def test_a_camera_name_is_kept_short_and_printable() -> None:
    exif = Image.Exif()
    exif[0x0110] = "Fundus\x07\n  camera " + "x" * 200
    camera = clean_file(photo_bytes(exif=exif)).camera
    assert camera.startswith("Fundus camera xxx")
    assert len(camera) == 80


def test_a_jpeg_with_restart_markers_keeps_its_pixels() -> None:
    data = photo_bytes("JPEG", (200, 160), restart_marker_rows=1)
    assert b"\xff\xd0" in data
    np.testing.assert_array_equal(pixels(clean_file(data).cleaned), pixels(data))


@pytest.mark.parametrize("marker", [0xF0, 0xF5, 0xFD, 0xDF])
def test_segments_that_no_decoder_needs_are_removed(marker: int) -> None:
    data = photo_bytes()
    hidden = bytes([0xFF, marker]) + struct.pack(">H", 2 + len(SECRET)) + SECRET
    with_hidden = check_file(data[:2] + hidden + data[2:])
    assert strip_metadata(with_hidden, orientation=1) == strip_metadata(check_file(data), orientation=1)


def test_text_in_the_adobe_segment_of_a_jpeg_is_removed() -> None:
    data = photo_bytes()
    adobe = b"Adobe\x00d\x00\x00\x00\x00\x01"
    padded = b"\xff\xee" + struct.pack(">H", 2 + len(adobe + SECRET)) + adobe + SECRET
    cleaned = clean_file(data[:2] + padded + data[2:]).cleaned
    assert adobe in cleaned
    assert SECRET not in cleaned


@pytest.mark.parametrize("format", ["PNG", "WEBP", "TIFF"])
def test_a_transparent_photograph_is_stored_over_black(format: str) -> None:  # noqa: A002
    written = BytesIO()
    layer = Image.new("RGBA", (80, 100), (200, 80, 40, 255))
    layer.putpixel((0, 0), (200, 80, 40, 0))
    layer.save(written, format=format, **({"lossless": True, "exact": True} if format == "WEBP" else {}))
    photo = clean_file(written.getvalue())
    stored = Image.open(BytesIO(photo.cleaned))
    assert (photo.format, photo.width_px, stored.mode) == ("PNG", 80, "RGB")
    assert stored.getpixel((0, 0)) == (0, 0, 0)
    assert stored.getpixel((1, 0)) == (200, 80, 40)


@pytest.mark.parametrize("options", [{}, {"lossless": True}, {"icc_profile": b"\x00" * 200}])
def test_the_size_of_a_webp_is_read_from_its_headers(options: dict[str, Any]) -> None:
    assert webp_size(photo_bytes("WEBP", (201, 77), **options)) == (201, 77)
