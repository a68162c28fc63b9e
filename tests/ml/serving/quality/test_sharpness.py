"""Sharpness relative to the field of view: blur is seen at every size, a small photograph is not called blurred."""

from dataclasses import asdict, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from ml.grader import Grader
from ml.prediction import Prediction
from ml.serving.preprocess import FundusCrop, crop_fundus, decode
from ml.serving.quality.gate import Quality, assess_quality
from ml.serving.quality.sharpness import MIN_DIAMETER_PX, SharpnessFeatures, extract_sharpness
from ml.synthetic import draw_fundus, drawing_for_grade
from ml.vocabulary import ICDRGrade, Laterality, QualityLevel, QualityReason
from tests.ml.serving.quality.builders import cropped, synthetic_eye

SOFT_SIGMA = 0.003
"""Of the width of the field of view: microaneurysms vanish."""


@pytest.fixture(scope="module")
def large_eye() -> Image.Image:
    """A field of view of about 1,170 pixels."""
    return draw_fundus(drawing_for_grade(ICDRGrade.MODERATE, Laterality.RIGHT, seed=3))


def field_px(photo: Image.Image) -> float:
    return cropped(photo, side_px=288).fov.diameter_px


def blurred(photo: Image.Image, sigma: float, width_px: float) -> Image.Image:
    return photo.filter(ImageFilter.GaussianBlur(sigma * width_px))


def assess(photo: Image.Image | bytes | Path) -> Quality:
    return assess_quality(crop_fundus(photo, side_px=288))


def sharpness_of(crop: FundusCrop) -> SharpnessFeatures:
    found = extract_sharpness(crop)
    assert found is not None
    return found


@pytest.mark.parametrize("width_px", [700, 1000, None])
def test_blur_of_3_thousandths_of_the_field_is_seen_at_any_size(large_eye: Image.Image, width_px: int | None) -> None:
    scale = 1.0 if width_px is None else width_px / field_px(large_eye)
    photo = large_eye.resize(
        (round(large_eye.width * scale), round(large_eye.height * scale)), Image.Resampling.LANCZOS
    )
    assert assess(photo).level is QualityLevel.GOOD
    soft = assess(blurred(photo, SOFT_SIGMA, field_px(photo)))
    assert soft.level is not QualityLevel.GOOD
    assert soft.reasons[0] is QualityReason.BLURRED


def test_every_feature_falls_as_the_blur_grows(large_eye: Image.Image) -> None:
    sigmas, width_px = (0.0, 0.0015, 0.003, 0.005), field_px(large_eye)
    crops = [cropped(blurred(large_eye, sigma, width_px), side_px=288) for sigma in sigmas]
    rows = [asdict(sharpness_of(crop)) for crop in crops]
    for name in ("fine_to_coarse", "slope_fine_middle", "slope_middle_coarse", "slope_fine_coarse"):
        assert all(sharper[name] > softer[name] for sharper, softer in pairwise(rows))


def test_a_blur_that_leaves_no_vessel_is_ungradable(large_eye: Image.Image) -> None:
    quality = assess(blurred(large_eye, 0.03, field_px(large_eye)))
    assert quality.level is QualityLevel.UNGRADABLE
    assert QualityReason.BLURRED in quality.reasons


def test_a_small_photograph_is_not_called_blurred() -> None:
    eye = synthetic_eye()
    small = eye.resize((224, 224 * eye.height // eye.width), Image.Resampling.LANCZOS)
    assert extract_sharpness(cropped(small, side_px=288)) is None
    assert QualityReason.BLURRED not in assess(small).reasons


def test_the_border_of_the_frame_is_no_structure(large_eye: Image.Image) -> None:
    crop = cropped(blurred(large_eye, 0.006, field_px(large_eye)), side_px=288)
    cut = crop.detail.copy()
    cut[:, :, :60] = 0
    assert np.allclose(
        list(asdict(sharpness_of(replace(crop, detail=cut))).values()),
        list(asdict(sharpness_of(crop)).values()),
        atol=0.25,
    )
    assert extract_sharpness(replace(crop, detail=np.zeros_like(crop.detail))) is None
    assert extract_sharpness(replace(crop, detail_diameter_px=MIN_DIAMETER_PX - 1.0)) is None


def samples(data_dir: Path, start: str = "") -> list[Path]:
    return sorted((data_dir / "samples").glob(f"{start}*.jpg"))


@pytest.mark.real_data
def test_samples_are_good_and_their_blurred_copies_are_not(data_dir: Path) -> None:
    levels = [assess(path).level for path in samples(data_dir)]
    assert levels.count(QualityLevel.GOOD) >= len(levels) - 1 > 0
    assert QualityLevel.UNGRADABLE not in levels
    for path in samples(data_dir):
        with Image.open(path) as photo:
            soft = assess(blurred(photo.convert("RGB"), SOFT_SIGMA, _width_px(path)))
        assert soft.level is not QualityLevel.GOOD
        assert QualityReason.BLURRED in soft.reasons


def _width_px(path: Path) -> float:
    """Width of the field of view at the full size of the photograph."""
    crop = crop_fundus(path, side_px=288)
    assert crop is not None
    with Image.open(path) as photo:
        return crop.fov.diameter_px * photo.width / decode(path, min_side_px=288).width


def is_lower(soft: Prediction, sharp: Prediction) -> bool:
    """Whether a blurred copy has a grade below that of the sharp photograph, which is 2 or more."""
    return sharp.grade is not None and soft.grade is not None and sharp.grade >= 2 and soft.grade < sharp.grade


@pytest.mark.real_data
def test_an_eye_whose_small_lesions_vanish_is_not_good(data_dir: Path) -> None:
    """Grade 2 or more at full sharpness, less when blurred: quality flags it before the grade misleads."""
    grader, n_cleared = Grader.load(), 0
    for path in samples(data_dir, "IDRiD"):
        sharp = grader.grade(path)
        with Image.open(path) as photo:
            half = photo.convert("RGB").reduce(2)  # of 4,288 pixels
        copies = [blurred(half, sigma, _width_px(path) / 2) for sigma in (0.003, 0.008)]
        for copy in copies:
            soft = grader.grade(copy, include_ungradable=True)
            if is_lower(soft, sharp):
                n_cleared += 1
                assert soft.quality_level is not QualityLevel.GOOD
            if not soft.is_referable:
                assert soft.is_limited_negative or not soft.is_gradable
    assert n_cleared > 0
