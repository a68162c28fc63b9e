"""One check decides for every way in whether a file is a photograph."""

import re
import struct
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ml.errors import GradingError
from ml.serving.files.formats import sniff_format
from ml.serving.files.photo_file import check_file
from ml.serving.files.rejections import ACCEPTED, OTHER_FORMATS, REJECTIONS, InvalidFile
from ml.serving.preprocess import decode
from ml.synthetic import FundusDrawing, draw_fundus


@pytest.fixture(scope="module")
def eye() -> Image.Image:
    """360 x 360 pixels."""
    return draw_fundus(FundusDrawing(seed=5, scale=0.3))


def saved(image: Image.Image, format: str = "JPEG", **options: Any) -> bytes:  # noqa: A002  # Pillow's name
    file = BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def pixels(data: bytes) -> "np.typing.NDArray[np.uint8]":
    return np.asarray(decode(data, min_side_px=10_000))


def code_of(data: bytes) -> str:
    with pytest.raises(InvalidFile) as caught:
        decode(data, min_side_px=64)
    return caught.value.code


OPTIONS = [{}, {"progressive": True}, {"restart_marker_rows": 1}, {"subsampling": 0}, {"quality": 30}]


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("n_missing", [1, 2])
def test_a_jpeg_without_its_end_marker_alone_is_whole(
    eye: Image.Image, options: dict[str, Any], n_missing: int
) -> None:
    data = saved(eye, **options)
    assert np.array_equal(pixels(data[:-n_missing]), pixels(data))


@pytest.mark.parametrize("has_end", [False, True])
@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("n_missing", [6, 100, 2000])
def test_a_jpeg_that_lacks_pixels_is_refused(
    eye: Image.Image, options: dict[str, Any], n_missing: int, has_end: bool
) -> None:
    data = saved(eye.crop((60, 60, 300, 300)), **options)  # without the black frame, whose codes are short
    assert code_of(data[:-n_missing] + b"\xff\xd9" * has_end) == "damaged"


def test_a_progressive_jpeg_without_its_last_scan_is_refused(eye: Image.Image) -> None:
    data = saved(eye, progressive=True)
    assert code_of(data[: data.rindex(b"\xff\xda")] + b"\xff\xd9") == "damaged"


def with_comment_in_the_pixels(data: bytes, fraction: float) -> bytes:
    """A marker ends the coded pixels early; the decoder fills the rest with grey."""
    start = data.index(b"\xff\xda") + 14
    cut = start + int(fraction * (len(data) - start))
    return data[:cut].rstrip(b"\xff") + b"\xff\xdc\x00\x04\x01\x68\xff\xd9"


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("fraction", [0.3, 0.6, 0.9])
def test_a_marker_within_the_pixels_does_not_hide_that_they_end(
    eye: Image.Image, fraction: float, options: dict[str, Any]
) -> None:
    assert code_of(with_comment_in_the_pixels(saved(eye, **options), fraction)) == "damaged"


@pytest.mark.parametrize("hole", ["removed", "zeros"])
@pytest.mark.parametrize("fraction", [0.3, 0.6])
def test_missing_restart_intervals_are_refused(eye: Image.Image, fraction: float, hole: str) -> None:
    data = saved(eye, restart_marker_rows=1, quality=92)
    start, n_bytes = int(fraction * len(data)), len(data) // 6
    filling = bytes(n_bytes) if hole == "zeros" else b""
    assert code_of(data[:start] + filling + data[start + n_bytes :]) == "damaged"


def test_restart_intervals_without_their_pixels_are_refused(eye: Image.Image) -> None:
    data = saved(eye, restart_marker_rows=1, quality=92)
    markers = [match.start() for match in re.finditer(rb"\xff[\xd0-\xd7]", data)]
    first, last = markers[10], markers[20]
    kept = b"".join(data[at : at + 2] for at in markers[10:20])  # markers alone
    assert code_of(data[:first] + kept + data[last:]) == "damaged"


def test_a_grey_border_is_not_taken_for_missing_pixels(eye: Image.Image) -> None:
    framed = Image.new("RGB", (400, 400), (128, 128, 128))
    framed.paste(eye, (20, 20))
    assert pixels(saved(framed)).shape == (400, 400, 3)


def tiff(*pages: Image.Image) -> bytes:
    return saved(pages[0], "TIFF", save_all=True, append_images=list(pages[1:]))


def mpo(*images: Image.Image) -> bytes:
    return saved(images[0], "MPO", save_all=True, append_images=list(images[1:]))


def concatenated(*images: Image.Image) -> bytes:
    return b"".join(saved(image) for image in images)


@pytest.mark.parametrize("join", [tiff, mpo, concatenated])
def test_a_thumbnail_is_ignored_and_a_second_picture_refused(eye: Image.Image, join: Callable[..., bytes]) -> None:
    thumbnail = eye.resize((120, 120))
    assert pixels(join(eye, thumbnail)).shape == (360, 360, 3)
    assert code_of(join(eye, eye.rotate(180))) == "multi_frame"
    assert code_of(join(eye, thumbnail, eye.resize((300, 300)))) == "multi_frame"


def test_a_thumbnail_before_the_photograph_is_ignored_in_a_tiff(eye: Image.Image) -> None:
    data = tiff(eye.resize((120, 120)), eye.copy())
    assert check_file(data).page == 1
    assert np.array_equal(pixels(data), pixels(saved(eye, "PNG")))


def transparent(eye: Image.Image, mode: str) -> Image.Image:
    """An eye on a white frame that is transparent."""
    frame = np.asarray(eye).max(axis=2) < 12
    colours = np.asarray(eye.convert("RGB")).copy()
    colours[frame] = 255
    image = Image.fromarray(colours).convert(mode[:-1])
    image.putalpha(Image.fromarray((~frame * 255).astype(np.uint8)))
    return image


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
@pytest.mark.parametrize("format", ["PNG", "TIFF", "WEBP"])
def test_transparency_is_laid_over_black(eye: Image.Image, format: str, mode: str) -> None:  # noqa: A002
    options = {"lossless": True, "exact": True} if format == "WEBP" else {}
    decoded = decode(saved(transparent(eye, mode), format, **options), min_side_px=400)
    frame = np.asarray(eye).max(axis=2) < 12
    assert decoded.mode == "RGB"
    assert np.asarray(decoded)[frame].max() == 0
    assert np.asarray(decoded)[~frame].mean() > 60


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_the_transparent_colour_of_a_png_is_laid_over_black(eye: Image.Image, mode: str) -> None:
    image = transparent(eye, f"{mode}A").convert(mode)  # white where it was transparent
    data = saved(image, "PNG", transparency=(255, 255, 255) if mode == "RGB" else 255)
    assert decode(data, min_side_px=400).getpixel((0, 0)) == (0, 0, 0)


def test_an_open_palette_image_is_laid_over_black(eye: Image.Image) -> None:
    image = transparent(eye, "RGBA").quantize(64)
    assert decode(image, min_side_px=400).getpixel((0, 0)) == (0, 0, 0)


def dicom_element(group: int, vr: bytes) -> bytes:
    return struct.pack("<HH2sH", group, 0x0005 if group == 8 else 0, vr, 4) + b"\x00" * 20


NAMED = [
    ("jpeg2000", b"\x00\x00\x00\x0cjP  \r\n\x87\n" + b"\x00" * 20),
    ("jpeg2000", b"\xff\x4f\xff\x51\x00\x2f"),
    ("jpegxl", b"\xff\x0a\x7f\x0c"),
    ("bmp", saved(Image.new("RGB", (80, 80)), "BMP")),
    ("ppm", saved(Image.new("RGB", (80, 80)), "PPM")),
    ("ppm", saved(Image.new("L", (80, 80)), "PPM")),
    ("gif", saved(Image.new("P", (80, 80)), "GIF")),
    ("heic", b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic"),
    ("avif", b"\x00\x00\x00\x1cftypmif1\x00\x00\x00\x00mif1avifmiaf"),
    ("video", b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2"),
    ("oct_e2e", b"CMDb\x00\x00\x00\x00" + b"\x00" * 60),
    ("oct_topcon", b"FOCTFDA\x02\x00\x00\x00" + b"\x00" * 60),
    ("oct_topcon", b"FOCTFDS\x02\x00\x00\x00" + b"\x00" * 60),
    ("pdf", b"%PDF-1.7\n"),
    ("zip", b"PK\x03\x04\x14\x00"),
    ("not_a_photograph", b"\x08\x00 is not DICOM, this is a text"),
    ("not_a_photograph", b"BMW and other cars"),
    ("not_a_photograph", b"P6"),
]


DICOM_STARTS = [
    b"\x00" * 128 + b"DICM\x02\x00\x00\x00UL\x04\x00",
    dicom_element(2, b"UL"),
    dicom_element(8, b"CS"),
    struct.pack("<HHI", 8, 5, 10) + b"ISO_IR 100" + b"\x00" * 8,
]


@pytest.mark.parametrize("data", DICOM_STARTS)
def test_dicom_is_recognised_with_and_without_preamble(data: bytes) -> None:
    assert sniff_format(data) == "DICOM"


@pytest.mark.parametrize(("code", "data"), NAMED, ids=[f"{row[0]}-{index}" for index, row in enumerate(NAMED)])
def test_a_file_of_another_kind_is_named(code: str, data: bytes) -> None:
    with pytest.raises(InvalidFile) as caught:
        sniff_format(data)
    assert caught.value.code == code
    assert str(caught.value).endswith(ACCEPTED)
    if code != "not_a_photograph":
        assert str(caught.value).startswith("This is a")


def test_every_message_is_a_sentence() -> None:
    for text in (*REJECTIONS.values(), *OTHER_FORMATS.values(), ACCEPTED):
        assert text.endswith(".")
        assert text[0].isupper()


def test_a_file_on_disk_is_read_only_up_to_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ml.serving.files.photo_file.MAX_BYTES", 1000)
    (tmp_path / "a.jpg").write_bytes(b"\xff\xd8\xff" + b"\x00" * 2000)
    with pytest.raises(GradingError, match="larger"):
        decode(tmp_path / "a.jpg", min_side_px=64)
