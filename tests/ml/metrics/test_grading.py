"""Metrics, compared with values worked out by hand and with scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score, roc_auc_score

from ml.metrics.grading import (
    METRICS,
    GradedPhotos,
    area_under_curve,
    calibration_curve,
    compute_metrics,
    ece_noise_floor,
    expected_calibration_error,
    quadratic_kappa,
    referable_auc,
    sensitivity_specificity,
    threshold_for_sensitivity,
)


@pytest.mark.parametrize("seed", range(4))
def test_kappa_and_areas_are_those_of_scikit_learn(seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 5, 200)
    grades = np.clip(truth + rng.integers(-2, 3, 200), 0, 4)
    score = np.round(truth / 4 + rng.normal(0, 0.5, 200), 1)  # rounded: ties must count half
    assert quadratic_kappa(truth, grades) == pytest.approx(cohen_kappa_score(truth, grades, weights="quadratic"))
    assert area_under_curve(truth >= 3, score) == pytest.approx(roc_auc_score(truth >= 3, score))


def test_an_undefined_metric_is_no_warning() -> None:
    assert quadratic_kappa(np.zeros(4, np.int64), np.zeros(4, np.int64)) == 0  # a single grade
    assert referable_auc(np.array([0, 1]), np.array([0.1, 0.2])) is None  # a single class


def test_sensitivity_and_specificity_by_hand() -> None:
    truth = np.array([0, 1, 1, 2, 3, 4])
    p = np.array([0.1, 0.6, 0.2, 0.5, 0.4, 0.9])
    assert sensitivity_specificity(truth >= 2, p, 0.5) == pytest.approx((2 / 3, 2 / 3))
    assert referable_auc(truth, p) == pytest.approx(7 / 9)


def test_the_threshold_is_the_highest_with_the_target_sensitivity() -> None:
    truth, p = np.array([0, 0, 2, 2, 2, 2]), np.array([0.1, 0.7, 0.3, 0.5, 0.8, 0.9])
    assert threshold_for_sensitivity(truth >= 2, p, 0.75) == pytest.approx(0.5)
    assert threshold_for_sensitivity(truth >= 2, p, 1.0) == pytest.approx(0.3)


def test_all_metrics_by_hand() -> None:
    probabilities = np.eye(5)[[0, 2, 4, 3, 0]]
    photos = GradedPhotos(
        truth=np.array([0, 2, 4, 4, 1]),
        probabilities=probabilities,
        grades=probabilities.argmax(1),
        operating_point=0.5,
    )
    values = compute_metrics(photos)
    assert list(values) == list(METRICS)
    assert values["accuracy"] == pytest.approx(3 / 5)
    assert values["sensitivity_grade_4"] == values["precision_grade_0"] == 0.5
    assert np.isnan(values["sensitivity_grade_3"])  # no photograph has it
    assert values["precision_grade_3"] == 0
    assert np.isnan(values["precision_grade_1"])  # no photograph was given it
    assert values["referable_sensitivity"] == values["referable_specificity"] == values["sight_threatening_auc"] == 1
    assert values["referable_brier"] == values["expected_calibration_error"] == 0


def test_the_calibration_error_is_the_mean_distance_of_its_curve() -> None:
    p = np.array([0.05, 0.05, 0.15, 0.95, 1.0])
    positive = np.array([False, False, True, True, True])
    curve = calibration_curve(positive, p)
    assert [n for _, _, n in curve] == [2, 1, 2]
    by_hand = (2 * 0.05 + 1 * 0.85 + 2 * 0.025) / 5
    assert expected_calibration_error(positive, p) == pytest.approx(by_hand)
    assert sum(n * abs(predicted - observed) for predicted, observed, n in curve) / 5 == pytest.approx(by_hand)


def test_few_photographs_raise_the_noise_floor_of_the_calibration_error() -> None:
    p = np.random.default_rng(2).random(2000)
    assert ece_noise_floor(p[:50]) > 2 * ece_noise_floor(p) > 0
