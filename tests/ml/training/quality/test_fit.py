"""Models, rules and thresholds are fitted without the test split, and measured on it."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from ml.serving.quality.coefficients import QualityRule
from ml.serving.quality.gate import released_gate
from ml.serving.quality.network import NETWORK_OUTPUTS
from ml.training.quality.dataset import SHARPNESS, QualitySet, by_name
from ml.training.quality.evaluate import assess_set, counts, evaluate
from ml.training.quality.fit import fit_coefficients, fit_logistic, fit_rule, values_of
from ml.vocabulary import QualityLevel, QualityReason
from tests.ml.training.quality.builders import toy_set, with_blurred_copies

if TYPE_CHECKING:
    from numpy.typing import NDArray

STORED = released_gate().coefficients


@pytest.fixture(scope="module")
def photos() -> QualitySet:
    """Some are graded, some no retina, with other colours; good ones have blurred copies."""
    photos = toy_set(360)
    number = np.arange(360) // 9 % 5
    labels = np.where(number == 0, "negative", np.where(number == 1, "graded", photos.labels))
    features = by_name(photos.features.copy())
    features["red_green_slope"][labels == "negative"] = 1.5
    is_smooth = photos.labels == "reject"
    features["vessel_contrast"][is_smooth & (labels == "graded")] += 1.0
    return with_blurred_copies(replace(photos, labels=labels, features=np.column_stack(list(features.values()))))


def network_outputs(photos: QualitySet) -> "NDArray[np.float64]":
    rng = np.random.default_rng(5)
    outputs = rng.normal(size=(len(photos.labels), len(NETWORK_OUTPUTS)))
    outputs[:, 0] += np.where(np.isin(photos.labels, ("reject", "blurred")), -3.0, 3.0)
    return outputs


def test_each_model_separates_what_it_is_fitted_to_without_the_test_split(photos: QualitySet) -> None:
    outputs = network_outputs(photos)
    fitted = fit_coefficients(photos, outputs, STORED)
    rows = np.flatnonzero(photos.splits != 2)
    assert fit_coefficients(photos.subset(rows), outputs[rows], STORED) == fitted
    values, labels = values_of(photos, outputs), photos.labels
    p_gradable, p_fundus = fitted.gradable.probability(values), fitted.fundus.probability(values)
    p_sharp = fitted.sharp.probability(by_name(photos.sharpness, SHARPNESS))
    assert p_gradable[labels == "good"].mean() > 2 * p_gradable[np.isin(labels, ("reject", "blurred"))].mean()
    assert p_fundus[labels == "good"].mean() > 2 * p_fundus[labels == "negative"].mean()
    assert p_sharp[photos.sigmas == 0].mean() > 2 * p_sharp[photos.sigmas > 0].mean()


def test_the_thresholds_refuse_the_chosen_fractions_of_graded_photographs(photos: QualitySet) -> None:
    outputs = network_outputs(photos)
    rows = np.flatnonzero(photos.splits != 2)
    fitted = fit_coefficients(photos, outputs, STORED)
    values = values_of(photos.subset(rows), outputs[rows])
    p = fitted.gradable.probability(values)[photos.labels[rows] == "graded"]
    limits = fitted.limits
    assert (p < limits.min_p_gradable).mean() == pytest.approx(0.025, abs=2 / len(p))
    assert (p < limits.min_p_good).mean() == pytest.approx(0.08, abs=2 / len(p))


@pytest.mark.parametrize(("poor", "percentile"), [(0.0, 3), (1000.0, 97)])
def test_a_rule_is_set_to_the_median_and_the_worst_three_percent(poor: float, percentile: int) -> None:
    values = np.random.default_rng(0).normal(size=200)
    rule = fit_rule(QualityRule(QualityReason.BLURRED, "vessel_contrast", 500.0, poor, 7.0), values)
    assert [rule.typical, rule.poor] == pytest.approx(np.percentile(values, [50, percentile]), abs=1e-3)
    assert rule.limit == 7


def test_a_product_of_two_values_is_fitted() -> None:
    values = {name: np.random.default_rng(i).normal(size=400) for i, name in enumerate("ab")}
    truth = values["a"] * values["b"] > 0
    model = fit_logistic(("a", "b"), [(0, 1)], values, truth, np.ones(400), regularization=10.0)
    assert ((model.probability(values) > 0.5) == truth).mean() > 0.95
    assert [pair[:2] for pair in model.products] == [(0, 1)]


def test_metrics_are_those_of_the_test_split_and_copies_have_rows_of_their_own(photos: QualitySet) -> None:
    outputs = network_outputs(photos)
    fitted = fit_coefficients(photos, outputs, STORED)
    metrics = evaluate(photos, outputs, fitted)
    rows = photos.where(2)
    qualities = assess_set(photos.subset(rows), outputs[rows], fitted)
    is_reject = photos.labels[rows] == "reject"
    levels = metrics["levels"]["eyeq"]
    assert counts(photos)["eyeq"]["reject"][2] == levels["reject"]["n"] == is_reject.sum()
    assert {"blurred by 0.3 %", "blurred by 2.0 %"} < levels.keys()
    gradable = [quality.level.is_gradable for quality, reject in zip(qualities, is_reject, strict=True) if reject]
    assert levels["reject"]["gradable"] == pytest.approx(np.mean(gradable), abs=1e-4)
    value, low, high = metrics["eyepacs"]["good"]["gradable"]
    assert low <= value <= high
    n_reasons = sum(sum(found.get("reject", (0, 0))) for found in metrics["reasons"].values())
    n_poor = sum(q.level is not QualityLevel.GOOD for q, reject in zip(qualities, is_reject, strict=True) if reject)
    assert n_reasons == n_poor > 0
