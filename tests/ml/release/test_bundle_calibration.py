"""Calibration, grade rule and operating point fit what the Grader says, and the rule photographs not fitted on."""

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from ml.bundle import Bundle, read_bundle, read_evaluation
from ml.evaluation.predictions import LabelledPredictions
from ml.grader import calibrated
from ml.release.bundle_calibration import calibrate_bundle, refitted
from ml.release.calibration import fit
from tests.ml.evaluation.toy_predictions import toy_predictions


@pytest.fixture
def overconfident() -> Bundle:
    return dataclasses.replace(read_bundle(), temperature=0.3, bias=(2.0, 0.0, -1.0, 0.0, 0.5), grade_cuts=())


@pytest.fixture
def readings(overconfident: Bundle) -> LabelledPredictions:
    """What the overconfident bundle says of photographs for which an honest one has the toy probabilities."""
    honest = toy_predictions(1.0)
    shown = calibrated(np.log(honest.probabilities), overconfident)
    shown[7], grades = np.nan, shown.argmax(axis=1)
    grades[7] = -1
    return dataclasses.replace(honest, probabilities=shown, grades=grades)


def test_refitting_finds_the_logits_behind_what_a_bundle_said(
    overconfident: Bundle, readings: LabelledPredictions
) -> None:
    fitted, restated = refitted(overconfident, readings)
    rows = readings.where("validation")
    logits = np.log(toy_predictions(1.0).probabilities)[rows]
    direct = fit(logits, readings.truth[rows], readings.sources[rows])
    assert fitted.temperature == pytest.approx(direct.temperature, rel=1e-3)
    assert fitted.bias == pytest.approx(direct.bias, abs=2e-3)
    assert restated.probabilities[rows] == pytest.approx(direct.probabilities(logits), abs=1e-3)
    assert fitted.weights_sha256 == overconfident.weights_sha256


def test_refitting_makes_the_true_grades_of_other_photographs_likelier(
    overconfident: Bundle, readings: LabelledPredictions
) -> None:
    _, restated = refitted(overconfident, readings)
    rows = np.setdiff1d(readings.where("test"), [7])
    before, after = (-np.log(each.probabilities[rows, readings.truth[rows]]).mean() for each in (readings, restated))
    assert after < 0.8 * before


def test_a_photograph_without_a_retina_stays_without_a_word(
    overconfident: Bundle, readings: LabelledPredictions
) -> None:
    _, restated = refitted(overconfident, readings)
    assert restated.grades[7] == -1
    assert np.isnan(restated.probabilities[7]).all()
    assert (np.delete(restated.grades, 7) >= 0).all()


def test_probabilities_that_underflowed_to_zero_do_no_harm(
    overconfident: Bundle, readings: LabelledPredictions
) -> None:
    certain = readings.probabilities.copy()
    certain[readings.where("validation")[0]] = (1.0, 0, 0, 0, 0)
    _, restated = refitted(overconfident, dataclasses.replace(readings, probabilities=certain))
    assert np.isfinite(restated.probabilities[readings.where("validation")]).all()


def _graded(n: int, seed: int, *, is_shy: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Logits, grades and sources; a shy network's most probable grade is often 0 where its mean grade is not."""
    random = np.random.default_rng(seed)
    truth = random.choice(5, n, p=[0.3, 0.2, 0.2, 0.2, 0.1])
    seen = truth + random.normal(0, 0.35, n)
    logits = -1.5 * (np.arange(5) - seen[:, None]) ** 2
    if is_shy:  # two halves: 0 or 4, and the share tells the grade
        share = np.clip(seen / 4, 0.01, 0.99)[:, None]
        logits = np.log(np.hstack([1 - share, *[np.full((n, 1), 1e-3)] * 3, share]))
    return logits, truth, np.array(["one", "two"] * (n // 2))


def test_cuts_are_kept_where_they_grade_unseen_photographs_better() -> None:
    cuts = fit(*_graded(600, 1, is_shy=True)).cutpoints
    assert len(cuts) == 4
    assert list(cuts) == sorted(cuts)


def test_no_cuts_where_they_only_follow_the_noise() -> None:
    chosen = [fit(*_graded(120, seed, is_shy=False)).cutpoints for seed in range(6)]
    assert sum(cuts == () for cuts in chosen) >= 5


def test_calibrating_again_finds_what_export_fitted(toy_bundle: Bundle, toy_data: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(toy_bundle.folder, tmp_path / "other"))
    content = json.loads((folder / "bundle.json").read_text())
    content |= {"calibration": {"temperature": 3.0, "bias": [1.0, 0, 0, 0, -1.0]}, "grade_cuts": [0.1, 0.4, 0.7, 1.0]}
    (folder / "bundle.json").write_text(json.dumps(content))
    calibrate_bundle(read_bundle(folder), data=toy_data, cache=toy_bundle.folder.parent / "cache", n_resamples=10)
    again = read_bundle(folder, verify=True)
    assert again.temperature == pytest.approx(toy_bundle.temperature, rel=0.01)
    assert again.bias == pytest.approx(toy_bundle.bias, abs=0.01)
    assert again.grade_cuts == pytest.approx(toy_bundle.grade_cuts, abs=0.05)
    assert read_evaluation(again)["operating_point"] == again.operating_point
