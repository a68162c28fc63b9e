"""A JPEG is refused if coded pixels are missing in it, and if something lies behind them."""

import struct
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from ml.serving.files.cleaning import clean_file
from ml.serving.files.photo_file import check_file
from ml.serving.files.rejections import InvalidFile
from ml.serving.preprocess import decode
from ml.synthetic import FundusDrawing, draw_fundus

OPTIONS: list[dict[str, Any]] = [
    {},
    {"progressive": True},
    {"restart_marker_rows": 1},
    {"subsampling": 0},
    {"optimize": True},
]


@pytest.fixture(scope="module")
def eye() -> Image.Image:
    """360 x 360 pixels, with noise as of a camera, which makes blocks of many codes."""
    pixels = np.asarray(draw_fundus(FundusDrawing(seed=5, scale=0.3)), np.int16)
    noise = np.random.default_rng(1).integers(-6, 7, pixels.shape)
    return Image.fromarray(np.clip(pixels + noise, 0, 255).astype(np.uint8))


def saved(image: Image.Image, **options: Any) -> bytes:
    file = BytesIO()
    image.save(file, "JPEG", quality=90, **options)
    return file.getvalue()


def is_refused(data: bytes) -> bool:
    try:
        decode(data, min_side_px=64)
    except InvalidFile as error:
        return error.code == "damaged"
    return False


def changed_fraction(before: bytes, after: bytes) -> float:
    """Fraction of the pixels of which a channel changes by more than 16 of 256 levels."""
    one, other = (np.asarray(Image.open(BytesIO(data)).convert("RGB"), np.int16) for data in (before, after))
    return float((np.abs(one - other).max(axis=2) > 16).mean())


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("n_lost", [512, 4000])
def test_bytes_lost_in_the_middle_are_noticed(eye: Image.Image, options: dict[str, Any], n_lost: int) -> None:
    """Or, in the last scan of a progressive file, which holds the lowest bit of each coefficient, not seen."""
    data = saved(eye, **options)
    for percent in range(20, 90, 7):
        start = len(data) * percent // 100
        damaged = data[:start] + data[start + n_lost :]
        if not is_refused(damaged):
            assert options.get("progressive"), start
            assert changed_fraction(data, damaged) < 0.001


@pytest.mark.parametrize("options", OPTIONS)
def test_whole_files_are_accepted(eye: Image.Image, options: dict[str, Any]) -> None:
    for side_px in range(330, 361, 3):  # the last byte of the pixels has another number of bits in each
        data = saved(eye.crop((0, 0, side_px, 360)), **options)
        assert clean_file(data).width_px == side_px


def test_every_photograph_in_grey_black_or_of_one_colour_is_accepted() -> None:
    for image in (Image.new("L", (300, 300), 9), Image.new("RGB", (300, 300)), Image.new("RGB", (300, 301), "red")):
        for options in OPTIONS:
            assert clean_file(saved(image, **options)).width_px == 300


def before_end(data: bytes, text: bytes) -> bytes:
    return data[:-2] + text + data[-2:]


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("text", [b"4", b"417", b"Marker-Family", b"Marker-Family " * 40])
def test_a_text_behind_the_pixels_is_not_stored(eye: Image.Image, options: dict[str, Any], text: bytes) -> None:
    with pytest.raises(InvalidFile) as caught:
        clean_file(before_end(saved(eye, **options), text))
    assert caught.value.code == "damaged"


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("n_zeros", [1, 7, 100])
def test_zeros_behind_the_pixels_are_accepted(eye: Image.Image, options: dict[str, Any], n_zeros: int) -> None:
    assert clean_file(before_end(saved(eye, **options), bytes(n_zeros))).width_px == 360


def segment(marker: int, body: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


@pytest.mark.parametrize(
    "header",
    [
        segment(0xE0, b"JFIF\x00\x09\x09\x00\x00\x01\x00\x01\x00\x00"),
        segment(0xEE, b"Adobe\x00\x64\x00\x00\x00\x00\x09"),
    ],
    ids=["unknown version", "unknown colour transform"],
)
def test_a_warning_about_a_header_is_no_missing_pixel(eye: Image.Image, header: bytes) -> None:
    data = saved(eye)
    assert not is_refused(data[:2] + header + data[2:])


def with_rare_sampling(data: bytes) -> bytes:
    """Factors 2x2, 2x1, 1x2: the coded pixels are then those of another photograph, larger than the coded ones."""
    frame = data.index(b"\xff\xc0")
    height, width = struct.unpack(">HH", data[frame + 5 : frame + 9])
    body = bytearray(data[frame : frame + 19])
    body[11], body[14], body[17] = 0x22, 0x21, 0x12
    struct.pack_into(">HH", body, 5, height // 2, width)
    return data[:frame] + bytes(body) + data[frame + 19 :]


def test_a_rare_sampling_is_compared_by_paddings() -> None:
    flat = with_rare_sampling(saved(Image.new("RGB", (352, 352), (90, 60, 30)), subsampling=0))
    assert check_file(flat).size_px == (352, 176)
    assert is_refused(flat[:-40] + b"\xff\xd9")


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("options", OPTIONS)
def test_pixels_are_those_of_pillow(eye: Image.Image, options: dict[str, Any], mode: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = eye.convert(mode).crop((0, 0, 353, 341))
    data = saved(image, exif=exif.tobytes(), **({} if mode == "L" and "subsampling" in options else options))
    for scale in (1, 2, 4, 8):
        expected = Image.open(BytesIO(data))
        expected.draft("RGB", (353 // scale, 341 // scale))
        upright = ImageOps.exif_transpose(expected)
        decoded = decode(data, min_side_px=341 // scale)
        assert np.array_equal(np.asarray(decoded), np.asarray(upright.convert("RGB"))), scale
