"""From file to network input: orientation, geometry and colour."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from ml.errors import GradingError
from ml.serving.field_of_view import FieldOfView
from ml.serving.preprocess import (
    COLOR_MEAN,
    COLOR_STD,
    crop_fundus,
    crop_to_fov,
    decode,
    network_input,
    standardize_colors,
)
from ml.synthetic import FundusDrawing, draw_fundus


@pytest.fixture(scope="module")
def drawn() -> Image.Image:
    return draw_fundus(FundusDrawing(seed=5, has_notch=False))


def encoded(image: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def test_a_jpeg_is_decoded_at_the_smallest_scale_that_suffices(drawn: Image.Image) -> None:
    file = encoded(drawn.resize((2400, 2400)), quality=90)
    assert decode(file, min_side_px=224).size == (300, 300)
    assert decode(file, min_side_px=500).size == (600, 600)
    assert decode(file, min_side_px=2400).size == (2400, 2400)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_gives_the_upright_retina(drawn: Image.Image, orientation: int) -> None:
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # what a camera held that way has stored
    stored = drawn if orientation == 1 else drawn.transpose(Image.Transpose(undo[orientation]))
    exif = Image.Exif()
    exif[0x0112] = orientation
    upright = decode(encoded(stored, quality=95, exif=exif), min_side_px=150)
    expected = decode(encoded(drawn, quality=95), min_side_px=150)
    assert np.abs(np.asarray(upright, float) - np.asarray(expected, float)).mean() < 3


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP"])
def test_the_other_formats_give_the_same_retina(drawn: Image.Image, kind: str) -> None:
    options = {"lossless": True} if kind == "WEBP" else {}
    retina = crop_fundus(encoded(drawn, kind, **options), side_px=128)
    expected = crop_fundus(drawn, side_px=128)
    assert retina is not None
    assert expected is not None
    assert np.array_equal(retina.pixels, expected.pixels)


@pytest.mark.parametrize(
    "content",
    [b"", b"hello, I am a text", encoded(Image.new("RGB", (300, 300), (200, 90, 40)))[:600], b"\xff\xd8\xff\xe0"],
    ids=["empty", "text", "truncated", "only a header"],
)
def test_what_is_no_photograph_is_refused_with_a_sentence(content: bytes) -> None:
    with pytest.raises(GradingError, match=r"\.$"):
        crop_fundus(content, side_px=64)


def test_a_decompression_bomb_is_refused_before_it_is_decoded() -> None:
    bomb = encoded(Image.new("1", (12000, 12000)), "PNG")
    with pytest.raises(GradingError, match="100 megapixels"):
        decode(bomb, min_side_px=64)


def test_a_photograph_of_just_under_100_megapixels_is_decoded() -> None:
    photo = encoded(Image.new("L", (9990, 10_000)), "JPEG")
    assert min(decode(photo, min_side_px=64).size) >= 64


def test_nothing_is_distorted_where_the_frame_cuts_the_disc() -> None:
    image = Image.new("RGB", (300, 200), (180, 90, 50))
    retina = crop_to_fov(image, FieldOfView(150, 100, 150, 0, 1.0), side_px=100)
    rows, columns = np.flatnonzero(retina.mask.any(axis=1)), np.flatnonzero(retina.mask.any(axis=0))
    assert np.ptp(columns) >= 96
    assert np.ptp(rows) + 1 == pytest.approx(67, abs=1)
    assert retina.box == pytest.approx((0, -0.25, 1, 1.25))
    assert (retina.pixels[~retina.mask] == 0).all()


def test_a_small_retina_is_not_enlarged_while_the_file_holds_more_detail(drawn: Image.Image) -> None:
    frame = Image.new("RGB", (3600, 2400))
    frame.paste(drawn.resize((1100, 1100)), (1400, 800))
    retina = crop_fundus(encoded(frame, quality=92), side_px=224)
    assert retina is not None
    assert retina.fov.diameter_px >= 224


def test_two_cameras_look_alike_after_evening_the_colours(drawn: Image.Image) -> None:
    array = np.asarray(drawn, np.float32)
    other = Image.fromarray(
        np.clip(array * (0.75, 0.9, 0.6) + (12, 0, 6) * (array.max(2, keepdims=True) > 12), 0, 255).astype(np.uint8)
    )
    first, second = crop_fundus(drawn, side_px=128), crop_fundus(other, side_px=128)
    assert first is not None
    assert second is not None
    before = np.abs(first.pixels[first.mask].astype(float) - second.pixels[first.mask]).mean()
    after = np.abs(standardize_colors(first)[first.mask].astype(float) - standardize_colors(second)[first.mask]).mean()
    assert after < before / 4


def test_evened_colours_have_the_common_mean_and_spread(drawn: Image.Image) -> None:
    retina = crop_fundus(drawn, side_px=160)
    assert retina is not None
    inside = standardize_colors(retina)[retina.lit].astype(float)
    assert inside.mean(axis=0) == pytest.approx([COLOR_MEAN] * 3, abs=4)
    assert inside.std(axis=0)[:2] == pytest.approx([COLOR_STD] * 2, rel=0.15)
    assert inside.std(axis=0)[2] < COLOR_STD  # the drawing's blue is all but flat: it is not blown up to noise


def test_the_input_is_three_float_planes_and_deterministic(drawn: Image.Image) -> None:
    file = encoded(drawn, quality=90)
    first, second = (
        network_input(retina, mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25))
        for retina in (crop_fundus(file, side_px=96), crop_fundus(file, side_px=96))
        if retina is not None
    )
    assert first.shape == (3, 96, 96)
    assert first.dtype == np.float32
    assert np.array_equal(first, second)


def test_no_disc_is_none_and_never_a_black_image() -> None:
    assert crop_fundus(Image.new("RGB", (500, 400)), side_px=64) is None
