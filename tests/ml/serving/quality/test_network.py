"""The learned part of the quality gate: verified files, one score with the rules, figures that are the card's."""

import json
import shutil
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from ml.bundle import default_bundle, read_bundle
from ml.errors import BundleError
from ml.serving.preprocess import FundusCrop, crop_fundus
from ml.serving.quality.features import extract_features
from ml.serving.quality.gate import REFUSED_AT_MOST, assess_quality
from ml.serving.quality.network import (
    DESCRIPTION,
    WEIGHTS,
    FusionTerm,
    QualityNetwork,
    joined,
    network_view,
    released,
    square_view,
)
from ml.synthetic import draw_fundus, drawing_for_grade
from ml.training.quality.model_card import DOCUMENTATION, card_text
from ml.vocabulary import ICDRGrade, Laterality


def retina_of(picture: Image.Image, side_px: int = 288) -> FundusCrop:
    retina = crop_fundus(picture, side_px=side_px)
    assert retina is not None
    return retina


@pytest.fixture(scope="module")
def eye() -> Image.Image:
    return draw_fundus(drawing_for_grade(ICDRGrade.MILD, Laterality.RIGHT, 3))


def score(picture: Image.Image) -> float:
    return float(released().logits(network_view(square_view(retina_of(picture)))[None])[0])


def test_the_score_falls_as_a_drawn_eye_goes_out_of_focus(eye: Image.Image) -> None:
    scores = [score(eye.filter(ImageFilter.GaussianBlur(blur_px))) for blur_px in (0, 12, 40)]
    assert scores[0] > scores[1] > scores[2]


def test_a_batch_is_scored_like_its_photographs_alone(eye: Image.Image) -> None:
    views = np.stack(
        [network_view(square_view(retina_of(p))) for p in (eye, eye.rotate(90), eye.convert("L").convert("RGB"))]
    )
    alone = [released().logits(view[None])[0] for view in views]
    assert np.allclose(released().logits(views), alone, atol=1e-3)


TERMS = (FusionTerm("network", 0.0, 2.0, 0.8), FusionTerm("rules", 0.0, 2.0, 0.6))


def test_the_joined_score_rises_with_each_of_its_two(eye: Image.Image) -> None:
    measures = extract_features(retina_of(eye))
    assert measures is not None
    for rising in (
        [joined(TERMS, -1.0, measures, logit=x, p_rules=0.5) for x in (-5, 0, 5)],
        [joined(TERMS, -1.0, measures, logit=0.0, p_rules=p) for p in (0.1, 0.5, 0.9)],
    ):
        assert all(0 <= a < b <= 1 for a, b in pairwise(rising))


def test_a_score_beyond_all_bounds_does_not_decide_alone(eye: Image.Image) -> None:
    measures = extract_features(retina_of(eye))
    assert measures is not None
    highest = joined(TERMS, 0.0, measures, logit=1e6, p_rules=0.5)
    assert highest == joined(TERMS, 0.0, measures, logit=8.0, p_rules=0.5) < 0.97


def test_a_network_that_gives_no_number_lets_nothing_pass(eye: Image.Image, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QualityNetwork, "logits", lambda *_: np.array([np.nan], np.float32))
    quality = assess_quality(retina_of(eye))
    assert not quality.is_gradable
    assert quality.p_gradable <= REFUSED_AT_MOST
    assert quality.reasons


def test_a_photograph_that_no_single_rule_refuses_still_gets_a_reason(
    eye: Image.Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert assess_quality(retina_of(eye)).is_gradable
    monkeypatch.setattr(QualityNetwork, "p_gradable", lambda *_: 0.05)
    refused = assess_quality(retina_of(eye))
    assert not refused.is_gradable
    assert len(refused.reasons) == 1


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    return Path(shutil.copy(WEIGHTS, tmp_path)), Path(shutil.copy(DESCRIPTION, tmp_path))


def test_the_released_files_belong_together(files: tuple[Path, Path]) -> None:
    assert QualityNetwork.load(*files).sha256 == json.loads(DESCRIPTION.read_text())["weights"]["sha256"]


def test_altered_weights_are_not_loaded(files: tuple[Path, Path]) -> None:
    weights, description = files
    content = bytearray(weights.read_bytes())
    content[len(content) // 2] ^= 1
    weights.write_bytes(content)
    with pytest.raises(BundleError, match="was altered"):
        QualityNetwork.load(weights, description)


@pytest.mark.parametrize("missing", [0, 1])
def test_a_missing_file_is_named(files: tuple[Path, Path], missing: int) -> None:
    files[missing].unlink()
    with pytest.raises(BundleError, match=files[missing].name):
        QualityNetwork.load(*files)


def test_a_grading_network_in_its_place_is_refused(tmp_path: Path) -> None:
    bundle = read_bundle()
    description = tmp_path / "quality.json"
    said = json.loads(DESCRIPTION.read_text())
    description.write_text(json.dumps(said | {"weights": {"sha256": bundle.weights_sha256}}))
    with pytest.raises(BundleError, match="another kind"):
        QualityNetwork.load(bundle.weights, description)


def test_student_and_quality_network_together_stay_under_6_5_megabytes() -> None:
    assert (default_bundle() / "model.onnx").stat().st_size + WEIGHTS.stat().st_size <= 6.5e6


def test_every_number_of_the_quality_card_is_the_measured_one() -> None:
    assert DOCUMENTATION.read_text() == card_text()


def test_it_was_released_because_it_beats_the_rules_on_people_it_never_saw() -> None:
    measured = json.loads(DESCRIPTION.read_text())["metrics"]["eyeq_test"]
    assert measured["auc_gain"][1] > 0
    assert measured["rejects_passed_learned"][0] < measured["rejects_passed_rules"][0]
