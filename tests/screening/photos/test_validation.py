"""Valid photographs are accepted; other files are refused with a code and a message."""

import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from screening.photos.validation import InvalidPhoto, validate
from tests.builders import photo_bytes

SECRET = b"BYRON-ADA-19600517"
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


def code_of(data: bytes) -> str:
    """The code with which a file is refused."""
    with pytest.raises(InvalidPhoto) as caught:
        validate(data)
    return caught.value.code


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
    ("DICOM without a photograph", "dicom_no_photograph", lambda: b"\x00" * 128 + b"DICM" + b"\x00" * 64),
    ("PDF", "pdf", lambda: b"%PDF-1.7\n"),
    ("BMP", "bmp", lambda: saved(flat("RGB"), "BMP")),
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
    ("animated PNG", "multi_frame", lambda: two_pages("PNG")),
    ("animated WebP", "multi_frame", lambda: two_pages("WEBP")),
    ("TIFF of two pages", "multi_frame", lambda: two_pages("TIFF")),
    ("only the start of a JPEG", "damaged", lambda: b"\xff\xd8\xff\xe0\x00\x10JFIF"),
]


@pytest.mark.parametrize(("code", "make"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_an_invalid_file_is_refused_with_a_code_and_a_message(code: str, make: Callable[[], bytes]) -> None:
    with pytest.raises(InvalidPhoto) as caught:
        validate(make())
    assert caught.value.code == code
    assert str(caught.value).endswith(".")
    assert len(str(caught.value).split()) > 6


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("fraction", [0.3, 0.6, 0.95])
def test_an_incomplete_file_is_refused(format: str, fraction: float) -> None:  # noqa: A002
    whole = photo_bytes(format, (200, 160))
    assert code_of(whole[: int(len(whole) * fraction)]) == "damaged"


def test_a_png_with_a_flipped_bit_is_refused() -> None:
    data = bytearray(photo_bytes("PNG"))
    data[len(data) // 2] ^= 1
    assert code_of(bytes(data)) == "damaged"


@pytest.mark.parametrize(
    "pixels",
    [
        pytest.param(b"no zlib stream", id="garbage"),
        pytest.param(zlib.compress(b"\x00" * 1000), id="too few rows"),
        pytest.param(zlib.compress(b"\x09" * (80 * 241)), id="unknown filter"),
        pytest.param(b"", id="no pixels"),
    ],
)
def test_a_png_with_damaged_pixels_and_right_check_sums_is_refused(pixels: bytes) -> None:
    """Pillow looks for an EXIF block behind the pixels: an error there must not hide that they are damaged."""
    header = struct.pack(">IIBBBBB", 80, 80, 8, 2, 0, 0, 0)
    body = png_chunk(b"IHDR", header) + png_chunk(b"IDAT", pixels) + png_chunk(b"IEND", b"")
    assert code_of(b"\x89PNG\r\n\x1a\n" + body) == "damaged"


def test_a_file_over_the_limit_is_refused_before_it_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ml.serving.files.photo_file.MAX_BYTES", 1000)
    assert code_of(b"\xff\xd8\xff" + b"\x00" * 998) == "too_large"


def test_a_message_never_quotes_the_file() -> None:
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
