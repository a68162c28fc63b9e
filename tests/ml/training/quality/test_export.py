"""The fusion never refuses more good photographs than the rules alone."""

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from ml.serving.quality.coefficients import LogisticModel
from ml.serving.quality.gate import DESCRIPTION, FOLDER, QualityGate
from ml.training.quality import export
from ml.training.quality.dataset import FEATURES, QualitySet
from ml.training.quality.export import Scores, fit_fusion
from tests.ml.training.quality.builders import toy_set


@pytest.fixture(scope="module")
def scored() -> tuple[QualitySet, Scores]:
    """Random features, and scores that are higher for gradable photographs."""
    rng = np.random.default_rng(5)
    photos = dataclasses.replace(toy_set(90), features=rng.normal(size=(90, len(FEATURES))))
    gradable = photos.labels != "reject"
    network, rules = rng.normal(2.0 * gradable - 1), 1 / (1 + np.exp(-rng.normal(3.0 * gradable - 1)))
    return photos, Scores(network=network, rules=rules, passes=rng.random(90) < 0.97, min_p_gradable=0.2)


def test_no_gradable_group_passes_less_often_than_by_the_rules(scored: tuple[QualitySet, Scores]) -> None:
    photos, scores = scored
    fusion = LogisticModel.from_json(fit_fusion(photos, scores))
    accepted = scores.accepted(scores.fused(photos, fusion))
    for label in ("good", "usable"):
        rows = (photos.labels == label) & (photos.splits == 1)
        assert accepted[rows].sum() >= scores.accepted(scores.rules)[rows].sum()


def test_metrics_are_those_of_the_test_split(scored: tuple[QualitySet, Scores]) -> None:
    photos, scores = scored
    metrics = export.evaluate(photos, scores, LogisticModel.from_json(fit_fusion(photos, scores)))
    assert export.counts(photos) == {"eyeq": {label: [10, 10, 10] for label in ("good", "reject", "usable")}}
    accepted = metrics["accepted_on_test"]["eyeq"]
    test_rejects = (photos.splits == 2) & (photos.labels == "reject")
    assert accepted["reject"]["n"] == 10
    assert accepted["reject"]["rules"] == scores.accepted(scores.rules)[test_rejects].mean()
    eyeq = metrics["eyeq_test"]
    assert (eyeq["n"], eyeq["n_reject"]) == (30, 10)
    for name in ("rules", "network", "fusion"):
        value, low, high = eyeq[f"auc_{name}"]
        assert 0.5 < low <= value <= high <= 1
    assert eyeq["auc_gain"][0] == pytest.approx(eyeq["auc_fusion"][0] - eyeq["auc_rules"][0], abs=2e-4)


@pytest.mark.parametrize(("score", "accepted"), [([3, 2, 1, 0, 0, 0], 0.0), ([1, 1, 1, 1, 1, 0], 2 / 3)])
def test_rejects_are_counted_where_as_many_gradable_ones_pass(score: list[float], accepted: float) -> None:
    truth = np.array([True, True, True, False, False, False])
    assert export.rejects_accepted(truth, np.array(score, float), 1.0) == pytest.approx(accepted)


def test_written_coefficients_are_loaded_and_verified(tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path / "quality")
    coefficients = export.read_coefficients()
    coefficients["fusion"]["intercept"] = -1.5
    export.update_description(tmp_path / "quality", coefficients=coefficients, architecture="toy")
    assert QualityGate.load(tmp_path / "quality").coefficients.fusion.intercept == -1.5
    stored = json.loads((tmp_path / "quality" / DESCRIPTION).read_text())
    assert stored["architecture"] == "toy"
    assert stored["metrics"] == json.loads((FOLDER / DESCRIPTION).read_text())["metrics"]
