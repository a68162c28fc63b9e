"""The gate before the grader: real photographs pass, poor ones are refused for a true reason, other pictures too."""

import csv
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import sklearn.datasets
from PIL import Image, ImageFilter

from ml.serving.preprocess import FundusCrop, crop_fundus
from ml.serving.quality.features import QualityFeatures, extract_features
from ml.serving.quality.gate import GRADABLE, QUALITY_RULES, REFUSED_AT_MOST, RETINA, Quality, assess_quality
from ml.synthetic import Faults, draw_fundus, drawing_for_grade
from ml.training.quality import negatives as not_retina
from ml.vocabulary import ICDRGrade, Laterality, QualityReason

SAMPLE = 240


@cache
def drawn_eye(seed: int, faults: Faults | None = None, grade: ICDRGrade = ICDRGrade.MILD) -> Image.Image:
    return draw_fundus(drawing_for_grade(grade, Laterality.RIGHT, seed, faults=faults))


def verdict(picture: Image.Image | Path, side_px: int = 224) -> Quality:
    return assess_quality(crop_fundus(picture, side_px=side_px))


def retina_of(picture: Image.Image) -> FundusCrop:
    retina = crop_fundus(picture, side_px=224)
    assert retina is not None
    return retina


def measures_of(picture: Image.Image) -> QualityFeatures:
    measures = extract_features(retina_of(picture))
    assert measures is not None
    return measures


def real_photographs(data_dir: Path, source: str, **wanted: str) -> list[Path]:
    """Up to SAMPLE photographs, spread evenly over the set."""
    with (data_dir / source / "labels.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if wanted.items() <= row.items()]
    return [data_dir / source / row["file"] for row in rows[:: max(1, len(rows) // SAMPLE)]][:SAMPLE]


def accepted_share(photographs: list[Path]) -> float:
    return float(np.mean([verdict(photo).is_gradable for photo in photographs]))


@pytest.mark.parametrize("grade", list(ICDRGrade))
def test_a_drawn_eye_of_any_grade_is_accepted_without_reasons(grade: ICDRGrade) -> None:
    quality = verdict(drawn_eye(3, grade=grade))
    assert quality.is_gradable
    assert quality.reasons == ()
    assert quality.p_gradable > REFUSED_AT_MOST


def test_a_photograph_without_a_disc_has_no_retina() -> None:
    assert assess_quality(None) == Quality(p_gradable=0.0, is_gradable=False, reasons=(QualityReason.NO_RETINA,))


@pytest.mark.parametrize(("name", "picture"), list(not_retina.drawn(np.random.default_rng(99))))
def test_a_drawn_picture_of_something_else_has_no_retina(name: str, picture: Image.Image) -> None:
    quality = verdict(picture)
    assert not quality.is_gradable, name
    assert QualityReason.NO_RETINA in quality.reasons


@pytest.mark.parametrize("name", ["china.jpg", "flower.jpg"])
@pytest.mark.parametrize("is_tinted", [False, True])
@pytest.mark.parametrize("is_round", [False, True])
def test_an_everyday_photograph_has_no_retina(name: str, *, is_tinted: bool, is_round: bool) -> None:
    rng = np.random.default_rng(7)
    picture = Image.fromarray(sklearn.datasets.load_sample_image(name))
    picture = not_retina.in_retina_colours(picture, rng) if is_tinted else picture
    picture = not_retina.in_round_frame(picture, rng) if is_round else picture
    assert QualityReason.NO_RETINA in verdict(picture).reasons


def test_a_grey_fundus_photograph_is_not_taken_for_a_colour_one() -> None:
    assert QualityReason.NO_RETINA in verdict(drawn_eye(1).convert("L").convert("RGB")).reasons


def test_a_retina_with_too_few_pixels_is_too_small() -> None:
    small = drawn_eye(0).copy()
    small.thumbnail((96, 96))
    assert QualityReason.TOO_SMALL in verdict(small).reasons


def darkened(share: float) -> Callable[[Image.Image], Image.Image]:
    return lambda picture: picture.point([int(level * share) for level in range(256)] * 3)


def test_a_dark_photograph_is_called_dark_and_never_better_than_a_lighter_one() -> None:
    verdicts = [verdict(drawn_eye(1, Faults(exposure_stops=-stops))) for stops in (0, 2, 3, 4)]
    assert [QualityReason.TOO_DARK in v.reasons for v in verdicts] == [False, True, True, True]
    assert all(a.p_gradable >= b.p_gradable for a, b in pairwise(verdicts))


def test_an_overexposed_photograph_is_called_bright() -> None:
    verdicts = [verdict(drawn_eye(2, Faults(exposure_stops=stops))) for stops in (0, 1.5, 2.5)]
    assert [QualityReason.TOO_BRIGHT in v.reasons for v in verdicts] == [False, True, True]


def test_a_defocused_photograph_is_called_blurred_and_never_better_than_a_sharper_one() -> None:
    verdicts = [verdict(drawn_eye(3, Faults(blur_px=blur))) for blur in (0, 8, 20, 40, 60)]
    assert verdicts[0].is_gradable
    assert [QualityReason.BLURRED in v.reasons for v in verdicts[3:]] == [True, True]
    assert all(a.p_gradable >= b.p_gradable for a, b in pairwise(verdicts))


def test_a_photograph_that_shows_a_third_of_the_retina_has_its_field_cut() -> None:
    retina = retina_of(drawn_eye(0))
    hidden = retina.mask.copy()
    hidden[: int(224 * 0.67)] = False
    cut = FundusCrop(
        pixels=retina.pixels * hidden[..., None], mask=hidden, lit=retina.lit & hidden,
        box=retina.box, fov=retina.fov, size_px=retina.size_px,
    )  # fmt: skip
    assert QualityReason.FIELD_CUT in assess_quality(cut).reasons


def test_the_verdict_does_not_hang_on_the_side_the_network_takes() -> None:
    p = [[verdict(drawn_eye(seed), side_px=side).p_gradable for side in (160, 224, 384)] for seed in range(3)]
    assert np.ptp(p, axis=1).max() < 0.05


def test_every_term_and_fault_names_a_measure() -> None:
    measures = measures_of(drawn_eye(0))
    for entry in (*RETINA, *GRADABLE, *QUALITY_RULES):
        assert np.isfinite(getattr(measures, entry.measure)), entry


def test_refused_means_a_reason_and_accepted_means_none() -> None:
    faults = [
        Faults(blur_px=b, exposure_stops=s, unevenness=u) for b in (0, 15) for s in (-2.5, 0, 2) for u in (0, 0.9)
    ]
    for quality in (verdict(drawn_eye(4, fault)) for fault in faults):
        assert quality.is_gradable == (not quality.reasons)
        assert quality.is_gradable == (quality.p_gradable > REFUSED_AT_MOST)


@pytest.mark.real_data
@pytest.mark.parametrize(("source", "wanted"), [("eyeq", {"quality": "good"}), ("aptos2019", {}), ("odir5k", {})])
def test_a_blur_threshold_never_again_rejects_99_5_percent_of_real_photographs(
    data_dir: Path, source: str, wanted: dict[str, str]
) -> None:
    """An uncalibrated blur threshold rejected 99.5 % of real photographs: at least 97 % of EyeQ's good ones pass.

    ODIR holds photographs no reader could grade (96.3 % of all 2,652 pass), so its bar is a little lower.
    """
    share = accepted_share(real_photographs(data_dir, source, **wanted))
    assert share >= (0.94 if source == "odir5k" else 0.97)


@pytest.mark.real_data
def test_most_photographs_that_readers_rejected_are_refused(data_dir: Path) -> None:
    """55 % of all rejects are refused where 95 % of the usable ones pass."""
    assert accepted_share(real_photographs(data_dir, "eyeq", quality="reject")) <= 0.5
    assert accepted_share(real_photographs(data_dir, "eyeq", quality="usable")) >= 0.9


@pytest.mark.real_data
def test_a_real_photograph_out_of_focus_is_refused_as_blurred(data_dir: Path) -> None:
    refused = []
    for path in real_photographs(data_dir, "eyeq", quality="good")[:40]:
        with Image.open(path) as photo:
            refused.append(QualityReason.BLURRED in verdict(photo.filter(ImageFilter.GaussianBlur(4))).reasons)
    assert np.mean(refused) >= 0.95


@pytest.mark.real_data
def test_a_real_photograph_with_an_eighth_of_its_light_is_too_dark(data_dir: Path) -> None:
    refused = []
    for path in real_photographs(data_dir, "eyeq", quality="good")[:40]:
        with Image.open(path) as photo:
            refused.append(QualityReason.TOO_DARK in verdict(darkened(0.125)(photo.convert("RGB"))).reasons)
    assert np.mean(refused) >= 0.95
