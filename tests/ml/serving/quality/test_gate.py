"""Gradable photographs pass; poor ones and other images are refused for the true reason."""

import dataclasses
from collections.abc import Iterator
from itertools import pairwise, product
from pathlib import Path

import numpy as np
import pytest
import sklearn.datasets
from PIL import Image, ImageFilter, ImageOps

from ml.data.labels import read_labels
from ml.serving.preprocess import FundusCrop, crop_fundus
from ml.serving.quality.coefficients import Scores
from ml.serving.quality.gate import MAX_P_REFUSED, Quality, QualityGate, assess_quality
from ml.serving.quality.network import NETWORK_OUTPUTS, QualityNetwork
from ml.synthetic import Faults
from ml.training.quality.negatives import in_fov, in_retina_colors, synthetic_images
from ml.vocabulary import ICDRGrade, QualityLevel, QualityReason
from tests.ml.serving.quality.builders import cropped, synthetic_eye

N_SAMPLED = 60


def assess(photo: Image.Image | Path, side_px: int = 224) -> Quality:
    return assess_quality(crop_fundus(photo, side_px=side_px))


@pytest.mark.parametrize("grade", list(ICDRGrade))
def test_a_synthetic_eye_of_any_grade_is_accepted(grade: ICDRGrade) -> None:
    quality = assess(synthetic_eye(grade=grade))
    assert (quality.level, quality.reasons) == (QualityLevel.GOOD, ())
    assert quality.p_gradable > MAX_P_REFUSED


def test_brightness_colour_focus_and_size_are_measured() -> None:
    eye = synthetic_eye()
    whole, dark = assess(eye).measurements, assess(eye.point(lambda level: level // 2)).measurements
    framed = assess(ImageOps.expand(eye, border=eye.height // 4)).measurements
    assert whole is not None
    assert dark is not None
    assert framed is not None
    assert whole.redness > 0
    assert dark.brightness == pytest.approx(whole.brightness / 2, rel=0.05)
    assert framed.field_size == pytest.approx(whole.field_size / 1.5, rel=0.05)
    blurred = assess(eye.filter(ImageFilter.GaussianBlur(eye.height / 150))).measurements
    assert blurred is not None
    assert (whole.focus or 0) > (blurred.focus or 0)
    assert assess(Image.new("RGB", (400, 400))).measurements is None, "no retina"


def negatives() -> Iterator[tuple[str, Image.Image]]:
    """Synthetic images, and everyday photographs as they are, tinted, round, and both."""
    rng = np.random.default_rng(99)
    yield from synthetic_images(rng)
    for name in ("china.jpg", "flower.jpg"):
        image = Image.fromarray(sklearn.datasets.load_sample_image(name))
        tinted = in_retina_colors(image, rng)
        yield from zip(
            (name, f"{name} tinted", f"{name} round", f"{name} tinted, round"),
            (image, tinted, in_fov(image, rng), in_fov(tinted, rng)),
            strict=True,
        )


NOT_A_RETINA = {QualityReason.NO_RETINA, QualityReason.NOT_COLOR, QualityReason.OTHER_FIELD}


@pytest.mark.parametrize("image", [pytest.param(image, id=name) for name, image in negatives()])
def test_another_image_has_no_retina(image: Image.Image) -> None:
    quality = assess(image)
    assert not quality.level.is_gradable
    assert set(quality.reasons) & {*NOT_A_RETINA, QualityReason.TWO_EYES, QualityReason.NOT_A_PHOTOGRAPH}


def test_a_grey_or_black_photograph_has_no_retina_and_a_tiny_one_is_too_small() -> None:
    eye = synthetic_eye(1)
    assert assess_quality(None) == Quality(
        p_gradable=0.0, level=QualityLevel.UNGRADABLE, reasons=(QualityReason.NO_RETINA,)
    )
    assert set(assess(eye.convert("L").convert("RGB")).reasons) & NOT_A_RETINA
    assert QualityReason.TOO_SMALL in assess(eye.reduce(4)).reasons


@pytest.mark.parametrize(
    ("reason", "faults", "is_named"),
    [
        (QualityReason.TOO_DARK, [Faults(exposure_stops=-stops) for stops in (0, 2, 3, 4)], [False, True, True, True]),
        (QualityReason.TOO_BRIGHT, [Faults(exposure_stops=stops) for stops in (0, 1.5, 2.5)], [False, True, True]),
        (QualityReason.BLURRED, [Faults(blur_px=px) for px in (0, 8, 20, 40, 60)], [False, True, True, True, True]),
    ],
)
def test_a_growing_fault_is_named_and_never_better(
    reason: QualityReason, faults: list[Faults], is_named: list[bool]
) -> None:
    qualities = [assess(synthetic_eye(3, fault)) for fault in faults]
    assert qualities[0].level.is_gradable
    assert [reason in quality.reasons for quality in qualities] == is_named
    assert all(a.p_gradable >= b.p_gradable for a, b in pairwise(qualities))


def test_a_third_of_the_retina_is_a_cut_field() -> None:
    crop = cropped(synthetic_eye(0))
    visible = crop.mask.copy()
    visible[: int(224 * 0.67)] = False
    cut = dataclasses.replace(crop, pixels=crop.pixels * visible[..., None], mask=visible, lit=crop.lit & visible)
    assert QualityReason.FIELD_CUT in assess_quality(cut).reasons


def test_the_result_does_not_depend_on_the_side_of_the_crop() -> None:
    p = [[assess(synthetic_eye(seed), side_px=side).p_gradable for side in (160, 224, 384)] for seed in range(3)]
    assert np.ptp(p, axis=1).max() < 0.05


def test_good_means_no_reason_and_every_other_level_means_one() -> None:
    for blur_px, stops, unevenness in product((0, 15), (-2.5, 0, 2), (0, 0.9)):
        quality = assess(synthetic_eye(4, Faults(blur_px=blur_px, exposure_stops=stops, unevenness=unevenness)))
        assert (quality.level == QualityLevel.GOOD) == (not quality.reasons)
        assert quality.level.is_gradable == (quality.p_gradable > MAX_P_REFUSED)


def test_a_network_without_a_finite_output_lets_nothing_pass(eye: FundusCrop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QualityNetwork, "outputs", lambda *_: np.full((1, len(NETWORK_OUTPUTS)), np.nan))
    quality = assess_quality(eye)
    assert not quality.level.is_gradable
    assert quality.p_gradable <= MAX_P_REFUSED
    assert quality.reasons


def test_a_photograph_that_no_rule_refuses_gets_one_reason(eye: FundusCrop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QualityGate, "scores", lambda *_: Scores(p_fundus=1.0, p_gradable=0.05, p_sharp=1.0))
    refused = assess_quality(eye)
    assert not refused.level.is_gradable
    assert len(refused.reasons) == 1


def real_photographs(data_dir: Path, source: str, quality: str = "") -> list[Path]:
    """Up to N_SAMPLED photographs, spread evenly over the set."""
    photos = [photo.path for photo in read_labels(data_dir / source) if not quality or photo.quality == quality]
    return photos[:: max(1, len(photos) // N_SAMPLED)][:N_SAMPLED]


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("source", "quality", "low", "high"),
    [
        ("eyeq", "good", 0.97, 1),
        ("eyeq", "usable", 0.9, 1),
        ("eyeq", "reject", 0, 0.35),
        ("aptos2019", "", 0.95, 1),
        ("odir5k", "", 0.88, 1),  # holds photographs that no reader could grade
    ],
)
def test_real_photographs_pass_and_rejects_are_refused(
    data_dir: Path, source: str, quality: str, low: float, high: float
) -> None:
    """An uncalibrated blur threshold once rejected 99.5 % of real photographs."""
    accepted = [assess(photo).level.is_gradable for photo in real_photographs(data_dir, source, quality)]
    assert low <= np.mean(accepted) <= high


@pytest.mark.real_data
@pytest.mark.parametrize("reason", [QualityReason.BLURRED, QualityReason.TOO_DARK])
def test_a_real_photograph_with_a_fault_is_refused_for_it(data_dir: Path, reason: QualityReason) -> None:
    """Defocused by 4 pixels, or with an eighth of its light."""
    refused = []
    for path in real_photographs(data_dir, "eyeq", "good")[:40]:
        with Image.open(path) as photo:
            rgb = photo.convert("RGB")
        is_blurred = reason is QualityReason.BLURRED
        faulty = rgb.filter(ImageFilter.GaussianBlur(4)) if is_blurred else rgb.point(lambda level: int(level / 8))
        refused.append(reason in assess(faulty).reasons)
    assert np.mean(refused) >= 0.95
