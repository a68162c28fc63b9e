"""What may be uploaded, the sentence for everything else, and what is cut out of the files that are kept."""

import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps, PngImagePlugin

from screening.photos import validation
from screening.photos.validation import InvalidPhoto, validate
from tests.builders import photo_bytes

SECRET = b"BYRON-ADA-19600517"
NAMING_TAGS = {270, 271, 272, 315, 700, 33432, 33723, 34377, 34853, 65000}
"""Description, make, model, artist, XMP, copyright, IPTC, Photoshop, GPS, a maker's own."""
FORMATS = ["JPEG", "PNG", "WEBP", "TIFF"]


def saved(image: Image.Image, format: str, **options: Any) -> bytes:  # noqa: A002
    written = BytesIO()
    image.save(written, format=format, **options)
    return written.getvalue()


def flat(mode: str, size: tuple[int, int] = (80, 80)) -> Image.Image:
    return Image.new(mode, size)


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_bomb() -> bytes:
    """A PNG of a few bytes that says it is 60,000 x 60,000 px."""
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    body = png_chunk(b"IDAT", zlib.compress(b"\x00" * 1000))
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + body + png_chunk(b"IEND", b"")


def png_16_bit_colour() -> bytes:
    header = struct.pack(">IIBBBBB", 80, 80, 16, 2, 0, 0, 0)
    body = png_chunk(b"IDAT", zlib.compress(b"\x00" * (80 * (1 + 80 * 6))))
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + body + png_chunk(b"IEND", b"")


def webp_bomb() -> bytes:
    """A WebP whose header says 16,384 x 16,384 px, for which Pillow would reserve a gigabyte as it opens it."""
    body = b"\x00" * 4 + (16_383).to_bytes(3, "little") * 2
    chunk = b"VP8X" + struct.pack("<I", len(body)) + body
    return b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"WEBP" + chunk


def tiff_16_bit_colour() -> bytes:
    """An uncompressed little-endian RGB TIFF with 16 bits a channel, which Pillow reads as if it had 8."""
    tags = [(256, 80), (257, 80), (258, 0), (259, 1), (262, 2), (273, 0), (277, 3), (278, 80), (279, 80 * 80 * 6)]
    end = 8 + 2 + 12 * len(tags) + 4
    rows = b""
    for tag, value in tags:
        kind, count, content = (3, 3, end) if tag == 258 else (4, 1, end + 6 if tag == 273 else value)
        rows += struct.pack("<HHII", tag, kind, count, content)
    pixels = b"\x00" * (80 * 80 * 6)
    return b"II*\x00\x08\x00\x00\x00" + struct.pack("<H", len(tags)) + rows + b"\x00" * 4 + b"\x10\x00" * 3 + pixels


def two_pages(format: str) -> bytes:  # noqa: A002
    return saved(flat("RGB"), format, save_all=True, append_images=[Image.new("RGB", (80, 80), "red")])


REFUSED: list[tuple[str, str, Callable[[], bytes]]] = [
    ("zero bytes", "empty", lambda: b""),
    ("text renamed .jpg", "not_a_photograph", lambda: b"Dear colleague, please find attached"),
    ("one byte", "not_a_photograph", lambda: b"\xff"),
    ("SVG", "svg", lambda: b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>'),
    ("SVG after a byte order mark", "svg", lambda: b"\xef\xbb\xbf <SVG xmlns='http://www.w3.org/2000/svg'/>"),
    ("GIF", "gif", lambda: saved(flat("P"), "GIF")),
    ("GIF animation", "gif", lambda: two_pages("GIF")),
    ("HEIC", "heic", lambda: b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00heicmif1"),
    ("DICOM", "dicom", lambda: b"\x00" * 128 + b"DICM" + b"\x00" * 64),
    ("PDF", "unsupported_format", lambda: b"%PDF-1.7\n"),
    ("BMP", "unsupported_format", lambda: saved(flat("RGB"), "BMP")),
    ("1x1 PNG", "too_small", lambda: saved(flat("RGB", (1, 1)), "PNG")),
    ("thumbnail", "too_small", lambda: photo_bytes(size=(63, 200))),
    ("small WebP", "too_small", lambda: photo_bytes("WEBP", (200, 63))),
    ("PNG bomb", "too_many_pixels", png_bomb),
    ("WebP bomb", "too_many_pixels", webp_bomb),
    ("101 megapixels", "too_many_pixels", lambda: saved(flat("L", (10_100, 10_000)), "PNG")),
    ("CMYK JPEG", "cmyk", lambda: saved(flat("CMYK"), "JPEG")),
    ("CMYK TIFF", "cmyk", lambda: saved(flat("CMYK"), "TIFF")),
    ("16-bit grey PNG", "bit_depth", lambda: saved(flat("I;16"), "PNG")),
    ("16-bit colour PNG", "bit_depth", png_16_bit_colour),
    ("16-bit grey TIFF", "bit_depth", lambda: saved(flat("I;16"), "TIFF")),
    ("16-bit colour TIFF", "bit_depth", tiff_16_bit_colour),
    ("float TIFF", "bit_depth", lambda: saved(flat("F"), "TIFF")),
    ("black and white PNG", "colours", lambda: saved(flat("1"), "PNG")),
    ("palette PNG", "colours", lambda: saved(flat("P"), "PNG")),
    ("animated PNG", "several_pictures", lambda: two_pages("PNG")),
    ("animated WebP", "several_pictures", lambda: two_pages("WEBP")),
    ("TIFF of two pages", "several_pictures", lambda: two_pages("TIFF")),
    ("only the start of a JPEG", "damaged", lambda: b"\xff\xd8\xff\xe0\x00\x10JFIF"),
]


@pytest.mark.parametrize(("code", "make"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_an_unacceptable_file_gets_a_code_and_a_sentence(code: str, make: Callable[[], bytes]) -> None:
    with pytest.raises(InvalidPhoto) as caught:
        validate(make())
    assert caught.value.code == code
    assert str(caught.value).endswith(".")
    assert len(str(caught.value).split()) > 6


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_a_file_that_breaks_off_is_refused(format: str, share: float) -> None:  # noqa: A002
    whole = photo_bytes(format, (200, 160))
    with pytest.raises(InvalidPhoto) as caught:
        validate(whole[: int(len(whole) * share)])
    assert caught.value.code == "damaged"


def test_a_png_with_a_flipped_bit_is_refused() -> None:
    data = bytearray(photo_bytes("PNG"))
    data[len(data) // 2] ^= 1
    with pytest.raises(InvalidPhoto) as caught:
        validate(bytes(data))
    assert caught.value.code == "damaged"


def test_a_file_over_the_limit_is_refused_before_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validation, "MAX_BYTES", 1000)
    with pytest.raises(InvalidPhoto) as caught:
        validate(b"\xff\xd8\xff" + b"\x00" * 998)
    assert caught.value.code == "too_large"


def test_a_refusal_never_repeats_what_the_file_says() -> None:
    with pytest.raises(InvalidPhoto) as caught:
        validate(b"\x89PNG\r\n\x1a\n" + png_chunk(SECRET[:4], SECRET))
    assert SECRET.decode() not in str(caught.value)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_a_photograph_is_accepted(format: str, mode: str) -> None:  # noqa: A002
    noise = Image.open(BytesIO(photo_bytes("PNG", (120, 90)))).convert(mode)
    photo = validate(saved(noise, format))
    assert (photo.format, photo.width_px, photo.height_px, photo.camera) == (format, 120, 90, "")
    assert photo.extension in {"jpg", "png", "webp", "tif"}


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"quality": 100, "subsampling": 0}])
def test_every_kind_of_jpeg_is_accepted(options: dict[str, Any]) -> None:
    assert validate(photo_bytes("JPEG", **options)).format == "JPEG"


def test_a_jpeg_with_restart_markers_keeps_its_pixels() -> None:
    data = photo_bytes("JPEG", (200, 160), restart_marker_rows=1)
    assert b"\xff\xd0" in data
    np.testing.assert_array_equal(pixels(validate(data).cleaned), pixels(data))


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
    """A photograph whose every place for words holds a patient's name."""
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
        words = PngImagePlugin.PngInfo()
        words.add_text("Patient", SECRET.decode())
        words.add_text("Name", SECRET.decode(), zip=True)
        words.add_itxt("XML:com.adobe.xmp", xmp.decode())
        return photo_bytes("PNG", exif=exif, pnginfo=words) + SECRET
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
def test_no_word_of_the_metadata_is_kept_and_no_pixel_changes(format: str, orientation: int) -> None:  # noqa: A002
    data = with_secrets(format, orientation)
    photo = validate(data)
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
def test_the_colour_profile_is_kept(format: str) -> None:  # noqa: A002
    profile = b"\x00\x00\x02\x00" + bytes(range(256)) * 2
    cleaned = validate(photo_bytes(format, icc_profile=profile)).cleaned
    assert Image.open(BytesIO(cleaned)).info["icc_profile"] == profile


@pytest.mark.parametrize("format", FORMATS)
def test_a_clean_file_stays_as_it_is(format: str) -> None:  # noqa: A002
    once = validate(photo_bytes(format)).cleaned
    assert validate(once).cleaned == once


def test_the_coded_pixels_of_a_jpeg_are_the_same_bytes() -> None:
    data = with_secrets("JPEG")
    scan = data[data.index(b"\xff\xda") : data.rindex(b"\xff\xd9")]
    assert scan in validate(data).cleaned


def test_a_second_picture_behind_the_first_is_cut_off() -> None:
    first, second = photo_bytes(seed=1), photo_bytes(seed=2)
    assert validate(first + second).cleaned == validate(first).cleaned


def test_a_thumbnail_in_the_jfif_header_is_cut_out() -> None:
    data = photo_bytes()
    header = data[2:20]
    thumbnail = b"\xff\xe0" + struct.pack(">H", 16 + 3 * len(SECRET)) + header[4:16] + bytes([len(SECRET), 1])
    assert data[6:11] == b"JFIF\x00"
    cleaned = validate(data[:2] + thumbnail + SECRET * 3 + data[20:]).cleaned
    assert SECRET not in cleaned
    assert cleaned == validate(data).cleaned


def test_a_broken_exif_block_is_dropped_and_the_photograph_kept() -> None:
    data = photo_bytes()
    block = b"Exif\x00\x00II*\x00\xff\xff\xff\xff"
    broken = data[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + data[2:]
    photo = validate(broken)
    assert (photo.orientation, photo.camera) == (1, "")
    np.testing.assert_array_equal(pixels(photo.cleaned), pixels(data))


@pytest.mark.parametrize("orientation", [0, 9, 77])
def test_an_orientation_that_does_not_exist_means_upright(orientation: int) -> None:
    photo = validate(photo_bytes(exif=exif_with_secret(orientation)))
    assert (photo.orientation, photo.width_px) == (1, 120)


def test_a_camera_name_is_kept_short_and_printable() -> None:
    exif = Image.Exif()
    exif[0x0110] = "Fundus\x07\n  camera " + "x" * 200
    camera = validate(photo_bytes(exif=exif)).camera
    assert camera.startswith("Fundus camera xxx")
    assert len(camera) == 80
