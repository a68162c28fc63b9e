"""Calibration, decision rule and operating point are fitted on validation photographs."""

import numpy as np
import pytest

from ml.bundle import read_bundle
from ml.grader import calibrated_probabilities, decide_grades
from ml.metrics.grading import quadratic_kappa, sensitivity_specificity
from ml.release.calibration import fit, select_operating_point

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
    assert sensitivity_specificity(truth, p_referable, calibration.operating_point)[0] >= 0.9
    fitted, rounded = (
        quadratic_kappa(truth, grades) + (grades == truth).mean()
        for grades in (decide_grades(probabilities, rule) for rule in (calibration.cutpoints, HALVES))
    )
    assert fitted >= rounded


TRUTH, SOURCES = np.tile([0, 3], 1000), np.repeat(["aptos2019", "eyepacs"], 1000)
EASY = SOURCES == "aptos2019"


def test_the_operating_point_meets_the_targets_of_the_reference_source() -> None:
    p = np.clip(np.random.default_rng(3).normal(np.where(TRUTH >= 2, 0.75, 0.25), 0.12), 0.01, 0.99)
    point = select_operating_point(TRUTH, p, SOURCES)
    sensitivity, specificity = sensitivity_specificity(TRUTH[EASY], p[EASY], point)
    assert sensitivity >= 0.95
    assert specificity >= 0.90
    assert sensitivity_specificity(TRUTH[~EASY], p[~EASY], point)[0] >= 0.65


def test_the_operating_point_of_a_model_that_misses_too_many_elsewhere_is_the_sensitive_one() -> None:
    rng = np.random.default_rng(4)
    p = np.where(EASY, rng.normal(np.where(TRUTH >= 2, 0.75, 0.25), 0.1), rng.normal(0.2, 0.1, 2000)).clip(0.01, 0.99)
    point = select_operating_point(TRUTH, p, SOURCES)
    sensitivities = [sensitivity_specificity(TRUTH[i], p[i], point)[0] for i in (EASY, ~EASY)]
    assert np.mean(sensitivities) == pytest.approx(0.9, abs=0.02)
    assert sensitivities[1] > 0.75  # at 0.5, which suits the reference source, it would be nearly 0
