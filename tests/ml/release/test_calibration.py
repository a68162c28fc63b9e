"""Calibration, decision rule and operating point are fitted to predictions for validation photographs."""

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from ml.bundle import Bundle, read_bundle, read_evaluation
from ml.evaluation.predictions import LabelledPredictions
from ml.grader import calibrated_probabilities, decide_grades
from ml.metrics.grading import quadratic_kappa, sensitivity_specificity
from ml.release.calibration import calibrate_bundle, fit, recalibrated, select_operating_point
from tests.ml.evaluation.toy_predictions import toy_predictions

HALVES = (0.5, 1.5, 2.5, 3.5)


def test_the_two_decision_rules_differ_if_the_probabilities_are_split() -> None:
    split = np.array([[0.4, 0.1, 0.1, 0.1, 0.3]])  # the mean grade is 1.8
    assert decide_grades(split, ()).tolist() == [0]
    assert decide_grades(split, HALVES).tolist() == [2]


def test_calibration_corrects_overconfidence_and_a_shifted_class() -> None:
    rng = np.random.default_rng(0)
    prior = [0.6, 0.1, 0.2, 0.05, 0.05]
    truth = rng.choice(5, 2000, p=prior)
    calibrated = rng.normal(0, 1, (2000, 5)) + np.log(prior) + 2 * np.eye(5)[truth]
    logits = calibrated * 3 + np.array([-2.0, 0, 0, 0, 2])
    calibration = fit(read_bundle(), logits, truth, np.array(["one"] * 2000), np.arange(2000).astype(str))
    assert calibration.temperature > 1.2
    probabilities = calibrated_probabilities(logits, calibration.temperature, calibration.bias)
    p_referable = probabilities[:, 2:].sum(axis=1)
    assert p_referable.mean() == pytest.approx((truth >= 2).mean(), abs=0.02)
    high = p_referable > 0.8
    assert (truth[high] >= 2).mean() == pytest.approx(p_referable[high].mean(), abs=0.05)
    assert sensitivity_specificity(truth >= 2, p_referable, calibration.operating_point)[0] >= 0.84
    fitted, rounded = (
        quadratic_kappa(truth, grades) + (grades == truth).mean()
        for grades in (decide_grades(probabilities, rule) for rule in (calibration.cutpoints, HALVES))
    )
    assert fitted >= rounded


POSITIVE, SOURCES = np.tile([False, True], 1000), np.repeat(["easy", "hard"], 1000)


def test_the_operating_point_is_the_highest_that_keeps_the_sensitivity_on_the_worst_source() -> None:
    means = np.where(SOURCES == "easy", np.where(POSITIVE, 0.75, 0.25), np.where(POSITIVE, 0.5, 0.3))
    p = np.random.default_rng(3).normal(means, 0.12).clip(0.01, 0.99)
    point = select_operating_point(POSITIVE, p, SOURCES)
    easy, hard = (sensitivity_specificity(POSITIVE[i], p[i], point)[0] for i in (SOURCES == "easy", SOURCES == "hard"))
    assert easy > 0.95
    assert hard == pytest.approx(0.85, abs=0.005)


def test_a_source_without_positive_photographs_does_not_set_the_operating_point() -> None:
    p, has_disease = np.where(POSITIVE, 0.7, 0.2), POSITIVE & (SOURCES == "easy")
    assert select_operating_point(has_disease, p, SOURCES) == pytest.approx(0.7, abs=0.001)


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
