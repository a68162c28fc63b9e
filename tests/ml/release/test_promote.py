"""Only a bundle that is not worse becomes the default."""

import json
import shutil
from pathlib import Path

import pytest

from ml.bundle import default_bundle, read_bundle
from ml.errors import BundleError
from ml.evaluation.compare import MEAN, compare
from ml.evaluation.predictions import LabelledPredictions
from ml.release import promote as promote_module
from ml.release.promote import PromotionDecision, non_inferiority_test, promote, shared_test_set
from tests.ml.evaluation.toy_predictions import toy_predictions


def decide(new: LabelledPredictions, old: LabelledPredictions) -> PromotionDecision:
    bundle = read_bundle()
    return non_inferiority_test((bundle, new), (bundle, old))


def test_a_better_or_equal_model_is_promoted_and_a_worse_one_is_not() -> None:
    good, poor = toy_predictions(2.0, seed=1), toy_predictions(0.6, seed=2)
    assert decide(good, good).is_promoted
    assert decide(good, poor).is_promoted
    refused = decide(poor, good)
    assert not refused.is_promoted
    assert any(failure.startswith(MEAN) and "more than the margin" in failure for failure in refused.failures)


def test_a_model_that_is_worse_on_one_source_is_not_promoted() -> None:
    old, poor, new = toy_predictions(1.5), toy_predictions(0.3), toy_predictions(1.5)
    i = new.where("test", "odir5k")
    new.probabilities[i], new.grades[i] = poor.probabilities[i], poor.grades[i]
    failures = decide(new, old).failures
    assert any(failure.startswith("odir5k") for failure in failures)
    assert not any(failure.startswith("aptos2019") for failure in failures)


def test_a_difference_has_its_sign_and_an_interval_around_it() -> None:
    bundle = read_bundle()
    good, poor = toy_predictions(2.0, seed=1), toy_predictions(0.8, seed=2)
    kappa = compare((bundle, good), (bundle, poor))["aptos2019"]["quadratic_kappa"]
    assert 0 < (kappa.low or 0) < kappa.value < (kappa.high or 0)
    assert 0 < (kappa.p or 0) < 0.05


def test_predictions_of_other_photographs_cannot_be_compared() -> None:
    bundle = read_bundle()
    with pytest.raises(ValueError, match="different photographs"):
        compare((bundle, toy_predictions(1)), (bundle, toy_predictions(1, n=100)))


@pytest.fixture
def bundles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of two bundles, the current and a candidate, with toy photographs."""
    for name in ("current", "candidate"):
        shutil.copytree(default_bundle(), tmp_path / name)
    (tmp_path / "default.txt").write_text("current\n")
    monkeypatch.setattr(promote_module, "evaluation_photos", lambda *a, **k: toy_predictions(1).photos)
    return tmp_path


def run(candidate: Path, bundles: Path) -> PromotionDecision:
    current, pointer = read_bundle(bundles / "current"), bundles / "default.txt"
    return promote(read_bundle(candidate), current, data=bundles, cache=bundles, pointer=pointer)


@pytest.mark.parametrize(("skill", "default"), [(2.0, "candidate"), (0.3, "current")])
def test_the_pointer_is_changed_only_to_a_bundle_that_is_not_worse(
    bundles: Path, monkeypatch: pytest.MonkeyPatch, skill: float, default: str
) -> None:
    both = iter([toy_predictions(skill), toy_predictions(1.2)])
    monkeypatch.setattr(promote_module, "predict", lambda *a, **k: next(both))
    decision = run(bundles / "candidate", bundles)
    assert (bundles / "default.txt").read_text().strip() == default
    written = json.loads((bundles / "candidate" / "comparison.json").read_text())
    assert written["is_promoted"] is decision.is_promoted is (default == "candidate")
    text = (bundles / "candidate" / "comparison.md").read_text()
    assert ("Refused:" in text) is (default == "current")
    assert all(f"\n- {failure}\n" in text for failure in decision.failures)
    assert "| odir5k              | quadratic kappa " in text


def test_a_bundle_in_another_folder_is_not_promoted(bundles: Path) -> None:
    elsewhere = Path(shutil.copytree(default_bundle(), bundles / "other" / "candidate"))
    with pytest.raises(BundleError, match="move it there"):
        run(elsewhere, bundles)


def test_a_bundle_trained_on_another_split_cannot_be_compared(bundles: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    description = bundles / "candidate" / "bundle.json"
    content = json.loads(description.read_text())
    content["training"]["stages"][-1]["sources"] = ["aptos2019"]
    description.write_text(json.dumps(content))
    splits = iter([toy_predictions(1).photos, toy_predictions(1, n=100).photos])
    monkeypatch.setattr(promote_module, "evaluation_photos", lambda *a, **k: next(splits))
    candidate, current = (read_bundle(bundles / name) for name in ("candidate", "current"))
    with pytest.raises(BundleError, match="different splits"):
        shared_test_set(candidate, current, data=bundles, cache=bundles)
