"""Rules and models of the quality gate are fitted to half of the patients and images."""

from pathlib import Path

import numpy as np
import pytest

from ml.serving.quality.coefficients import LogisticModel, LogisticTerm, QualityRule
from ml.serving.quality.gate import released_gate
from ml.synthetic import FundusDrawing, draw_fundus
from ml.training.quality.dataset import FEATURES
from ml.training.quality.fit_rules import Sample, fit, fit_rule, fit_rules, photo_samples, report
from ml.vocabulary import QualityReason


def samples(n: int = 200) -> list[Sample]:
    """Rejects and negatives have a lower vessel contrast than good photographs."""
    rng = np.random.default_rng(0)
    levels = {"good": 0.0, "graded": 0.0, "reject": -8.0, "negative": -16.0}
    made = []
    for i in range(n):
        label = ("good", "reject", "negative", "graded")[i % 4]
        features = {name: float(rng.normal()) for name in FEATURES}
        features["vessel_contrast"] += levels[label]
        made.append(
            Sample("synthetic" if label == "negative" else "eyeq", label, i // 4 % 2 == 1, features, 300.0, 0.9)
        )
    return made


def test_a_logistic_model_is_fitted_to_the_positive_samples() -> None:
    start = LogisticModel(0.0, (LogisticTerm("vessel_contrast", 5.0, 1.0, 0.0, 0.0),))
    photographs = [s for s in samples() if s.label != "negative"]
    model = fit(start, photographs, lambda s: s.label != "reject")
    assert model.terms[0].mean == pytest.approx(0, abs=0.3)
    p = {s.label: model.probability(s.features or {}) for s in photographs}
    assert p["good"] > 0.9
    assert p["reject"] < 0.1


@pytest.mark.parametrize(("poor", "percentile"), [(0.0, 3), (1000.0, 97)])
def test_a_rule_is_set_to_the_median_and_the_worst_three_percent(poor: float, percentile: int) -> None:
    good = [s for s in samples() if s.label == "good"]
    rule = fit_rule(QualityRule(QualityReason.BLURRED, "vessel_contrast", 500.0, poor, 7.0), good)
    values = [s.features["vessel_contrast"] for s in good if s.features]
    assert [rule.typical, rule.poor] == pytest.approx(np.percentile(values, [50, percentile]), abs=1e-3)
    assert rule.limit == 7


def test_held_out_samples_are_reported_and_not_fitted() -> None:
    measured, stored = samples(), released_gate().coefficients
    fitted = fit_rules([s for s in measured if not s.is_held_out], stored)
    assert fit_rules(measured, stored) == fitted
    lines = list(report(measured, fitted))
    assert lines[0].startswith("eyeq         good       n=   25 accepted")
    assert "EyeQ good and usable against reject: AUC 1.000" in lines


def test_good_photographs_are_measured_with_a_defocused_copy(tmp_path: Path) -> None:
    folder = tmp_path / "eyeq"
    folder.mkdir()
    draw_fundus(FundusDrawing(seed=1, scale=0.25)).save(folder / "a.png")
    (folder / "labels.csv").write_text("file,quality,patient\na.png,good,7\n")
    good, defocused = photo_samples(folder, released_gate())
    assert (good.label, defocused.label) == ("good", "defocused")
    assert good.is_held_out == defocused.is_held_out
    assert good.features is not None
    assert defocused.features is not None
    assert defocused.features["fine_contrast"] < good.features["fine_contrast"]
    assert good.quality(released_gate().coefficients).is_gradable
