"""Models and rules are fitted on the training split; the fusion refuses no more good photographs than they do."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from ml.serving.quality.coefficients import QualityRule
from ml.serving.quality.gate import released_gate
from ml.training.quality.dataset import QualitySet, by_name
from ml.training.quality.evaluate import accepted, counts, evaluate, rejects_accepted
from ml.training.quality.fit import fit_fusion, fit_rule, fit_rules
from ml.vocabulary import QualityReason
from tests.ml.training.quality.builders import toy_set

if TYPE_CHECKING:
    from numpy.typing import NDArray

STORED = released_gate().coefficients


@pytest.fixture(scope="module")
def photos() -> QualitySet:
    """A fifth of the photographs are negatives, with other colours."""
    photos = toy_set(180)
    labels = np.where(np.arange(180) // 9 % 5 == 0, "negative", photos.labels)
    features = by_name(photos.features.copy())
    features["red_green_slope"][labels == "negative"] = 1.5
    return replace(photos, labels=labels, features=np.column_stack(list(features.values())))


def test_models_separate_rejects_and_negatives_on_the_training_split_alone(photos: QualitySet) -> None:
    fitted = fit_rules(photos, STORED)
    assert fit_rules(photos.subset(photos.where(0)), STORED) == fitted
    assert (fitted.limits, fitted.fusion) == (STORED.limits, STORED.fusion)
    features = by_name(photos.features)
    p_gradable, p_fundus = fitted.gradable.probability(features), fitted.fundus.probability(features)
    is_good, is_reject, is_negative = (photos.labels == label for label in ("good", "reject", "negative"))
    p_defocused = fitted.gradable.probability(by_name(photos.defocused))
    assert p_gradable[is_good].mean() > 2 * max(p_gradable[is_reject].mean(), p_defocused[is_good].mean())
    assert p_fundus[~is_negative].mean() > 2 * p_fundus[is_negative].mean()


@pytest.mark.parametrize(("poor", "percentile"), [(0.0, 3), (1000.0, 97)])
def test_a_rule_is_set_to_the_median_and_the_worst_three_percent(poor: float, percentile: int) -> None:
    values = np.random.default_rng(0).normal(size=200)
    rule = fit_rule(QualityRule(QualityReason.BLURRED, "vessel_contrast", 500.0, poor, 7.0), values)
    assert [rule.typical, rule.poor] == pytest.approx(np.percentile(values, [50, percentile]), abs=1e-3)
    assert rule.limit == 7


def network_logits(photos: QualitySet) -> "NDArray[np.float64]":
    rng = np.random.default_rng(5)
    return np.array([rng.normal(-1 if label == "reject" else 1) for label in photos.labels])


def test_no_gradable_group_passes_less_often_than_by_the_rules() -> None:
    photos = toy_set(180)
    logits, features = network_logits(photos), by_name(photos.features)
    fused = fit_fusion(photos, logits, STORED).fuse(features, network_logit=logits)
    by_fusion, by_rules = (accepted(photos, STORED, p) for p in (fused, STORED.gradable.probability(features)))
    for label in ("good", "usable"):
        rows = (photos.labels == label) & (photos.splits == 1)
        assert by_fusion[rows].sum() >= by_rules[rows].sum() > 0


def test_metrics_are_those_of_the_test_split() -> None:
    photos = toy_set(90)
    metrics = evaluate(photos, network_logits(photos), STORED)
    assert counts(photos) == {"eyeq": {label: [10, 10, 10] for label in ("good", "reject", "usable")}}
    rejects = photos.subset(np.flatnonzero((photos.splits == 2) & (photos.labels == "reject")))
    by_rules = accepted(rejects, STORED, STORED.gradable.probability(by_name(rejects.features)))
    assert metrics["accepted_on_test"]["eyeq"]["reject"]["n"] == 10
    assert metrics["accepted_on_test"]["eyeq"]["reject"]["rules"] == by_rules.mean()
    eyeq = metrics["eyeq_test"]
    assert (eyeq["n"], eyeq["n_reject"]) == (30, 10)
    for name in ("rules", "network", "fusion"):
        value, low, high = eyeq[f"auc_{name}"]
        assert 0.5 < low <= value <= high <= 1
    assert eyeq["auc_gain"][0] == pytest.approx(eyeq["auc_fusion"][0] - eyeq["auc_rules"][0], abs=2e-4)


@pytest.mark.parametrize(("score", "accepted"), [([3, 2, 1, 0, 0, 0], 0.0), ([1, 1, 1, 1, 1, 0], 2 / 3)])
def test_rejects_are_counted_where_as_many_gradable_ones_pass(score: list[float], accepted: float) -> None:
    truth = np.array([True, True, True, False, False, False])
    assert rejects_accepted(truth, np.array(score, float), 1.0) == pytest.approx(accepted)
