"""From file to network input: orientation, geometry and colour."""

from io import BytesIO
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
from PIL import Image

from ml.errors import GradingError
from ml.serving import preprocess
from ml.serving.field_of_view import FieldOfView
from ml.serving.preprocess import FundusCrop, crop_fundus, decode, network_input, standardize_colors
from ml.synthetic import FundusDrawing, draw_fundus


@pytest.fixture(scope="module")
def eye() -> Image.Image:
    """480 x 480 pixels."""
    return draw_fundus(FundusDrawing(seed=5, has_notch=False, scale=0.4))


def encoded(image: Image.Image, format: str = "JPEG", **options: object) -> bytes:  # noqa: A002  # Pillow's name
    file = BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def cropped(photo: preprocess.Photo, side_px: int = 128) -> FundusCrop:
    crop = crop_fundus(photo, side_px=side_px)
    assert crop is not None
    return crop


def mean_difference(a: object, b: object) -> float:
    return float(np.abs(np.asarray(a, float) - np.asarray(b, float)).mean())


@pytest.mark.parametrize(("min_side_px", "side_px"), [(224, 300), (500, 600), (2400, 2400)])
def test_a_jpeg_is_decoded_at_the_smallest_sufficient_scale(eye: Image.Image, min_side_px: int, side_px: int) -> None:
    file = encoded(eye.resize((2400, 2400)), quality=90)
    assert decode(file, min_side_px=min_side_px).size == (side_px, side_px)


@pytest.mark.parametrize("file_format", ["PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize(("min_side_px", "side_px"), [(224, 300), (500, 600), (2400, 2400)])
def test_any_format_is_reduced_as_a_jpeg_on_request(
    eye: Image.Image, file_format: str, min_side_px: int, side_px: int
) -> None:
    large = eye.resize((2400, 2400))
    reduced = decode(encoded(large, file_format), min_side_px=min_side_px, reduce_all=True)
    assert reduced.size == (side_px, side_px)
    assert mean_difference(reduced, decode(encoded(large, quality=95), min_side_px=min_side_px)) < 3
    assert decode(encoded(large, file_format), min_side_px=min_side_px).size == (2400, 2400)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_gives_the_upright_photograph(eye: Image.Image, orientation: int) -> None:
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # what a camera held that way has stored
    stored = eye if orientation == 1 else eye.transpose(Image.Transpose(undo[orientation]))
    exif = Image.Exif()
    exif[0x0112] = orientation
    upright = decode(encoded(stored, quality=95, exif=exif), min_side_px=150)
    assert mean_difference(upright, decode(encoded(eye, quality=95), min_side_px=150)) < 3


@pytest.mark.parametrize(("format", "options"), [("PNG", {}), ("TIFF", {}), ("WEBP", {"lossless": True})])
def test_lossless_formats_give_the_same_crop(eye: Image.Image, format: str, options: dict[str, bool]) -> None:  # noqa: A002
    assert np.array_equal(cropped(encoded(eye, format, **options)).pixels, cropped(eye).pixels)


@pytest.mark.parametrize(
    "content",
    [b"", b"hello, I am a text", encoded(Image.new("RGB", (300, 300), (200, 90, 40)))[:600], b"\xff\xd8\xff\xe0"],
    ids=["empty", "text", "truncated", "only a header"],
)
def test_what_is_no_photograph_is_refused_with_a_sentence(content: bytes) -> None:
    with pytest.raises(GradingError, match=r"\.$"):
        crop_fundus(content, side_px=64)


def test_a_file_that_may_not_be_read_is_not_called_damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "open", Mock(side_effect=PermissionError(13, "Permission denied")))
    (tmp_path / "a.jpg").touch()
    with pytest.raises(GradingError, match="permissions"):
        decode(tmp_path / "a.jpg", min_side_px=64)


def test_up_to_100_megapixels_are_decoded() -> None:
    with pytest.raises(GradingError, match="100 megapixels"):
        decode(encoded(Image.new("1", (12000, 12000)), "PNG"), min_side_px=64)
    assert min(decode(encoded(Image.new("L", (9990, 10_000))), min_side_px=64).size) >= 64


def test_a_field_of_view_cut_by_the_frame_is_not_distorted() -> None:
    image = Image.new("RGB", (300, 200), (180, 90, 50))
    crop = preprocess.crop_to_fov(image, FieldOfView(150, 100, 150, 0), side_px=100)
    rows, columns = np.flatnonzero(crop.mask.any(axis=1)), np.flatnonzero(crop.mask.any(axis=0))
    assert np.ptp(columns) >= 96
    assert np.ptp(rows) + 1 == pytest.approx(67, abs=1)
    assert crop.box == pytest.approx((0, -0.25, 1, 1.25))
    assert (crop.pixels[~crop.mask] == 0).all()


def test_a_small_field_of_view_is_not_enlarged_while_the_file_holds_more_detail(eye: Image.Image) -> None:
    frame = Image.new("RGB", (1500, 1000))
    frame.paste(eye, (600, 300))
    assert cropped(encoded(frame, quality=92), side_px=224).fov.diameter_px >= 224


def test_standardised_colours_of_two_cameras_are_similar(eye: Image.Image) -> None:
    pixels = np.asarray(eye, np.float32)
    lit = pixels.max(2, keepdims=True) > 12
    other = Image.fromarray(np.clip(pixels * (0.75, 0.9, 0.6) + (12, 0, 6) * lit, 0, 255).astype(np.uint8))
    first, second = cropped(eye), cropped(other)
    after = mean_difference(standardize_colors(first)[first.mask], standardize_colors(second)[first.mask])
    assert after < mean_difference(first.pixels[first.mask], second.pixels[first.mask]) / 4


def test_standardised_colours_have_the_common_mean_and_deviation(eye: Image.Image) -> None:
    crop = cropped(eye, side_px=160)
    inside = standardize_colors(crop)[crop.lit].astype(float)
    assert inside.mean(axis=0) == pytest.approx([preprocess.COLOR_MEAN] * 3, abs=4)
    assert inside.std(axis=0)[:2] == pytest.approx([preprocess.COLOR_STD] * 2, rel=0.15)
    assert inside.std(axis=0)[2] < preprocess.COLOR_STD  # blue is nearly flat here: it is not amplified to noise


def test_the_network_input_is_three_float_planes_and_deterministic(eye: Image.Image) -> None:
    file, norm = encoded(eye, quality=90), {"mean": (0.5, 0.5, 0.5), "std": (0.25, 0.25, 0.25)}
    first, second = (network_input(cropped(file, side_px=96), **norm) for _ in range(2))
    assert first.shape == (3, 96, 96)
    assert first.dtype == np.float32
    assert np.array_equal(first, second)


def test_the_network_input_has_the_standardised_colours(eye: Image.Image) -> None:
    crop, mean, std = cropped(encoded(eye), side_px=96), (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    levels = standardize_colors(crop).astype(np.float32) / np.float32(255)
    expected = (levels - np.array(mean, np.float32)) / np.array(std, np.float32)
    np.testing.assert_allclose(network_input(crop, mean=mean, std=std), expected.transpose(2, 0, 1), rtol=1e-6)


def test_no_field_of_view_is_none_and_never_a_black_crop() -> None:
    assert crop_fundus(Image.new("RGB", (500, 400)), side_px=64) is None


@pytest.mark.parametrize("is_bright", [True, False])
def test_network_input_is_that_of_standardised_colours(eye: Image.Image, is_bright: bool) -> None:
    pixels = np.array(eye)
    pixels[200:260, 200:230, 2] = 0  # black inside the field of view is not the frame
    if is_bright:
        pixels[..., 2] //= 8
    crop = cropped(Image.fromarray(pixels))
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    levels = np.arange(256, dtype=np.float32) / 255.0
    standard = standardize_colors(crop)
    expected = [(levels - np.float32(m)) / np.float32(s) for m, s in zip(mean, std, strict=True)]
    values = network_input(crop, mean=mean, std=std)
    assert (crop.pixels[crop.mask] == 0).any()
    assert np.array_equal(values, np.stack([each[standard[..., i]] for i, each in enumerate(expected)]))
