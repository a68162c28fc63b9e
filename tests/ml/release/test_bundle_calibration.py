"""Calibration, decision rule and operating point are fitted to predictions of the Grader."""

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from ml.bundle import Bundle, read_bundle, read_evaluation
from ml.evaluation.predictions import LabelledPredictions
from ml.grader import calibrated_probabilities
from ml.release.bundle_calibration import calibrate_bundle, recalibrated
from ml.release.calibration import fit
from tests.ml.evaluation.toy_predictions import toy_predictions


@pytest.fixture(scope="module")
def overconfident() -> Bundle:
    return dataclasses.replace(read_bundle(), temperature=0.3, bias=(2.0, 0.0, -1.0, 0.0, 0.5), cutpoints=())


@pytest.fixture(scope="module")
def predictions(overconfident: Bundle) -> LabelledPredictions:
    """Predictions for the toy photographs, of which one has no retina."""
    toy = toy_predictions(1.0)
    probabilities = calibrated_probabilities(np.log(toy.probabilities), overconfident.temperature, overconfident.bias)
    grades = probabilities.argmax(axis=1)
    probabilities[7], grades[7] = np.nan, -1
    return dataclasses.replace(toy, bundle=overconfident, probabilities=probabilities, grades=grades)


@pytest.fixture(scope="module")
def calibrated(predictions: LabelledPredictions) -> LabelledPredictions:
    return recalibrated(predictions)


def test_it_fits_the_logits_behind_calibrated_probabilities(
    overconfident: Bundle, predictions: LabelledPredictions, calibrated: LabelledPredictions
) -> None:
    bundle, rows = calibrated.bundle, predictions.where("validation")
    logits = np.log(toy_predictions(1.0).probabilities)[rows]
    direct = fit(overconfident, logits, predictions.truth[rows], predictions.sources[rows], predictions.groups[rows])
    assert bundle.temperature == pytest.approx(direct.temperature, rel=1e-3)
    assert bundle.bias == pytest.approx(direct.bias, abs=2e-3)
    assert calibrated.probabilities[rows] == pytest.approx(
        calibrated_probabilities(logits, direct.temperature, direct.bias), abs=1e-3
    )
    assert bundle.weights_sha256 == overconfident.weights_sha256


def test_the_true_grades_of_other_photographs_become_more_probable(
    predictions: LabelledPredictions, calibrated: LabelledPredictions
) -> None:
    rows = np.setdiff1d(predictions.where("test"), [7])
    before, after = (
        -np.log(each.probabilities[rows, predictions.truth[rows]]).mean() for each in (predictions, calibrated)
    )
    assert after < 0.8 * before


def test_a_photograph_without_a_retina_stays_ungraded(calibrated: LabelledPredictions) -> None:
    assert calibrated.grades[7] == -1
    assert np.isnan(calibrated.probabilities[7]).all()
    assert (np.delete(calibrated.grades, 7) >= 0).all()


def test_a_probability_that_underflowed_is_calibrated(predictions: LabelledPredictions) -> None:
    probabilities, rows = predictions.probabilities.copy(), predictions.where("validation")
    probabilities[rows[0]] = (1.0, 0, 0, 0, 0)
    calibrated = recalibrated(dataclasses.replace(predictions, probabilities=probabilities))
    assert np.isfinite(calibrated.probabilities[rows]).all()


def simulated(n: int, seed: int, *, is_bimodal: bool) -> tuple[np.ndarray, ...]:
    """Logits, grades, sources and groups; bimodal: only 0 and 4 are probable, in a ratio that shows the true grade."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(5, n, p=[0.3, 0.2, 0.2, 0.2, 0.1])
    estimate = truth + rng.normal(0, 0.35, n)
    logits = -1.5 * (np.arange(5) - estimate[:, None]) ** 2
    if is_bimodal:
        ratio = np.clip(estimate / 4, 0.01, 0.99)[:, None]
        logits = np.log(np.hstack([1 - ratio, *[np.full((n, 1), 1e-3)] * 3, ratio]))
    return logits, truth, np.array(["one", "two"] * (n // 2)), np.arange(n).astype(str)


def test_cutpoints_are_used_if_they_grade_held_out_photographs_better() -> None:
    cutpoints = fit(read_bundle(), *simulated(600, 1, is_bimodal=True)).cutpoints
    assert len(cutpoints) == 4
    assert list(cutpoints) == sorted(cutpoints)


def test_cutpoints_that_only_fit_noise_are_not_used() -> None:
    fitted = [fit(read_bundle(), *simulated(120, seed, is_bimodal=False)).cutpoints for seed in range(3)]
    assert sum(cutpoints == () for cutpoints in fitted) >= 2


def test_an_export_calibrated_again_is_the_same(toy_bundle: Bundle, toy_data: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(toy_bundle.folder, tmp_path / "other"))
    content = json.loads((folder / "bundle.json").read_text())
    content |= {"calibration": {"temperature": 3.0, "bias": [1.0, 0, 0, 0, -1.0]}, "cutpoints": [0.1, 0.4, 0.7, 1.0]}
    (folder / "bundle.json").write_text(json.dumps(content))
    calibrate_bundle(read_bundle(folder), data=toy_data, cache=toy_bundle.folder.parent / "cache")
    again = read_bundle(folder, verify=True)
    assert again.temperature == pytest.approx(toy_bundle.temperature, rel=0.01)
    assert again.bias == pytest.approx(toy_bundle.bias, abs=0.01)
    assert again.cutpoints == pytest.approx(toy_bundle.cutpoints, abs=0.05)
    assert read_evaluation(again)["operating_point"] == again.operating_point
