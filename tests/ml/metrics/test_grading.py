"""Numbers checked against ones worked out by hand."""

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score, roc_auc_score

from ml.metrics.grading import (
    area_under_curve,
    calibration_curve,
    confusion,
    ece_noise_floor,
    expected_calibration_error,
    expected_grade,
    figures,
    quadratic_kappa,
    referable_auc,
    sensitivity_specificity,
    threshold_for_sensitivity,
)
from ml.release.calibration import _operating_point, fit, grades_by_cuts


def test_kappa_is_one_for_agreement_and_punishes_far_misses_more() -> None:
    truth = np.array([0, 1, 2, 3, 4, 0, 2])
    assert quadratic_kappa(truth, truth) == pytest.approx(1)
    near, far = truth.copy(), truth.copy()
    near[0], far[0] = 1, 4
    assert quadratic_kappa(truth, near) > quadratic_kappa(truth, far)


def test_kappa_of_a_single_grade_is_zero_and_not_a_warning() -> None:
    assert quadratic_kappa(np.zeros(4, np.int64), np.zeros(4, np.int64)) == 0


def test_sensitivity_and_specificity_by_hand() -> None:
    truth = np.array([0, 1, 1, 2, 3, 4])
    p = np.array([0.1, 0.6, 0.2, 0.5, 0.4, 0.9])
    assert sensitivity_specificity(truth, p, 0.5) == pytest.approx((2 / 3, 2 / 3))
    assert referable_auc(truth, p) == pytest.approx(7 / 9)


def test_auc_of_one_class_is_none() -> None:
    assert referable_auc(np.array([0, 1]), np.array([0.1, 0.2])) is None


def test_the_threshold_is_the_highest_that_keeps_the_sensitivity() -> None:
    truth = np.array([0, 0, 2, 2, 2, 2])
    p = np.array([0.1, 0.7, 0.3, 0.5, 0.8, 0.9])
    assert threshold_for_sensitivity(truth, p, 0.75) == pytest.approx(0.5)
    assert threshold_for_sensitivity(truth, p, 1.0) == pytest.approx(0.3)


def test_the_two_rules_differ_where_the_probabilities_are_split() -> None:
    split = np.array([[0.4, 0.1, 0.1, 0.1, 0.3]])
    assert expected_grade(split) == pytest.approx([1.8])
    assert grades_by_cuts((), split).tolist() == [0]
    assert grades_by_cuts((0.5, 1.5, 2.5, 3.5), split).tolist() == [2]


def test_calibration_undoes_overconfidence_and_a_shifted_class() -> None:
    rng = np.random.default_rng(0)
    truth = rng.choice(5, 4000, p=[0.6, 0.1, 0.2, 0.05, 0.05])
    honest = rng.normal(0, 1, (4000, 5))
    honest[np.arange(4000), truth] += 2
    honest += np.log([0.6, 0.1, 0.2, 0.05, 0.05])
    shown = honest * 3 + np.array([-2.0, 0, 0, 0, 2])
    calibration = fit(shown, truth, np.array(["one"] * 4000))
    assert calibration.temperature > 1.2
    p_referable = calibration.probabilities(shown)[:, 2:].sum(axis=1)
    assert p_referable.mean() == pytest.approx((truth >= 2).mean(), abs=0.02)
    high = p_referable > 0.8
    assert (truth[high] >= 2).mean() == pytest.approx(p_referable[high].mean(), abs=0.05)
    sensitivity, _ = sensitivity_specificity(truth, p_referable, calibration.operating_point)
    assert sensitivity >= 0.9
    grades = calibration.grades(calibration.probabilities(shown))
    rounded = grades_by_cuts((0.5, 1.5, 2.5, 3.5), calibration.probabilities(shown))
    assert quadratic_kappa(truth, grades) + (grades == truth).mean() >= (
        quadratic_kappa(truth, rounded) + (rounded == truth).mean()
    )


def test_figures_count_what_they_say() -> None:
    truth = np.array([0, 2, 4, 4, 1])
    probabilities = np.eye(5)[[0, 2, 4, 3, 0]]
    found = figures(truth, probabilities, probabilities.argmax(1), 0.5)
    assert found["accuracy"] == pytest.approx(3 / 5)
    assert found["sensitivity_grade_4"] == 0.5
    assert found["precision_grade_0"] == 0.5
    assert np.isnan(found["sensitivity_grade_3"])  # there is none to find
    assert found["precision_grade_3"] == 0
    assert np.isnan(found["precision_grade_1"])  # none was given
    assert found["referable_sensitivity"] == found["referable_specificity"] == found["sight_threatening_auc"] == 1
    assert confusion(truth, probabilities.argmax(1))[4].tolist() == [0, 0, 0, 1, 1]


@pytest.mark.parametrize("seed", range(4))
def test_kappa_and_areas_are_those_of_scikit_learn(seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 5, 200)
    grade = np.clip(truth + rng.integers(-2, 3, 200), 0, 4)
    score = np.round(truth / 4 + rng.normal(0, 0.5, 200), 1)  # rounded: ties must count half
    assert quadratic_kappa(truth, grade) == pytest.approx(cohen_kappa_score(truth, grade, weights="quadratic"))
    assert area_under_curve(truth >= 3, score) == pytest.approx(roc_auc_score(truth >= 3, score))


def test_the_calibration_error_is_the_mean_distance_of_its_curve() -> None:
    p = np.array([0.05, 0.05, 0.15, 0.95, 1.0])
    positive = np.array([False, False, True, True, True])
    curve = calibration_curve(positive, p)
    assert [n for _, _, n in curve] == [2, 1, 2]
    by_hand = (2 * 0.05 + 1 * 0.85 + 2 * 0.025) / 5
    assert expected_calibration_error(positive, p) == pytest.approx(by_hand)
    assert sum(n * abs(said - seen) for said, seen, n in curve) / 5 == pytest.approx(by_hand)


def test_few_photographs_alone_raise_the_calibration_error() -> None:
    p = np.random.default_rng(2).random(2000)
    assert ece_noise_floor(p[:50]) > 2 * ece_noise_floor(p) > 0


def test_the_operating_point_meets_what_is_wanted_of_the_easiest_source_where_the_others_stay_useful() -> None:
    rng = np.random.default_rng(3)
    truth = np.tile([0, 3], 1000)
    sources = np.repeat(["aptos2019", "eyepacs"], 1000)
    useful = np.clip(rng.normal(np.where(truth >= 2, 0.75, 0.25), 0.12), 0.01, 0.99)
    point = _operating_point(truth, useful, sources)
    easy = sources == "aptos2019"
    sensitivity, specificity = sensitivity_specificity(truth[easy], useful[easy], point)
    assert sensitivity >= 0.95
    assert specificity >= 0.90
    assert sensitivity_specificity(truth[~easy], useful[~easy], point)[0] >= 0.65


def test_a_network_that_misses_too_many_elsewhere_is_set_to_be_sensitive_instead() -> None:
    rng = np.random.default_rng(4)
    truth = np.tile([0, 3], 1000)
    sources = np.repeat(["aptos2019", "eyepacs"], 1000)
    easy = sources == "aptos2019"
    p = np.where(easy, rng.normal(np.where(truth >= 2, 0.75, 0.25), 0.1), rng.normal(0.2, 0.1, 2000)).clip(0.01, 0.99)
    point = _operating_point(truth, p, sources)
    found = [sensitivity_specificity(truth[rows], p[rows], point)[0] for rows in (easy, ~easy)]
    assert np.mean(found) == pytest.approx(0.9, abs=0.02)
    assert found[1] > 0.75  # at 0.5, where the easy source is well served, it would be nearly 0
