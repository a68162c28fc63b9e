"""Only a bundle that is not worse becomes the default."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from ml.bundle import Bundle, default_bundle, read_bundle
from ml.errors import BundleError
from ml.evaluation.compare import MEAN, compare
from ml.evaluation.predictions import LabelledPredictions
from ml.release import promote as promoting
from ml.release.promote import judge, promote, shared_test_set
from tests.ml.evaluation.toy_readings import toy_readings


def verdict_of(new: LabelledPredictions, old: LabelledPredictions) -> promoting.Verdict:
    bundle = read_bundle()
    return judge((bundle, new), (bundle, old), n_resamples=200)


def test_the_same_network_again_may_take_its_place() -> None:
    assert verdict_of(toy_readings(1.5), toy_readings(1.5)).is_promoted


def test_a_better_network_may_take_the_place_and_a_worse_one_may_not() -> None:
    good, poor = toy_readings(2.0, seed=1), toy_readings(0.6, seed=2)
    assert verdict_of(good, poor).is_promoted
    refused = verdict_of(poor, good)
    assert not refused.is_promoted
    assert any(reason.startswith(MEAN) and "more than the margin" in reason for reason in refused.reasons)


def test_worse_on_a_single_source_is_refused_too() -> None:
    old, poor = toy_readings(1.5), toy_readings(0.3)
    new = toy_readings(1.5)
    rows = new.where("test", "odir5k")
    new.probabilities[rows], new.grades[rows] = poor.probabilities[rows], poor.grades[rows]
    reasons = verdict_of(new, old).reasons
    assert any(reason.startswith("odir5k") for reason in reasons)
    assert not any(reason.startswith("aptos2019") for reason in reasons)


def test_differences_have_their_sign_and_an_interval_around_them() -> None:
    bundle = read_bundle()
    good, poor = toy_readings(2.0, seed=1), toy_readings(0.8, seed=2)
    kappa = compare((bundle, good), (bundle, poor), n_resamples=100)["aptos2019"]["quadratic_kappa"]
    assert kappa.low is not None
    assert kappa.high is not None
    assert 0 < kappa.low < kappa.value < kappa.high
    assert kappa.p is not None
    assert kappa.p < 0.05


def test_other_photographs_cannot_be_compared() -> None:
    bundle = read_bundle()
    with pytest.raises(ValueError, match="different photographs"):
        compare((bundle, toy_readings(1)), (bundle, toy_readings(1, n=100)))


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of two bundles, the current and a candidate, and their toy readings in place of photographs."""
    for name in ("current", "candidate"):
        shutil.copytree(default_bundle(), tmp_path / name)
    (tmp_path / "default.txt").write_text("current\n")
    monkeypatch.setattr(promoting, "photos_for", lambda *a, **k: toy_readings(1).photos)
    monkeypatch.setattr(
        promoting, "write_cards", lambda bundle: None
    )  # the documentation's card is of the real default
    return tmp_path


@pytest.mark.parametrize(("skill", "default"), [(2.0, "candidate"), (0.3, "current")])
def test_the_pointer_moves_to_a_bundle_that_is_not_worse_and_only_then(
    shelf: Path, monkeypatch: pytest.MonkeyPatch, skill: float, default: str
) -> None:
    answers = iter([toy_readings(skill), toy_readings(1.2)])
    monkeypatch.setattr(promoting, "read", lambda *a, **k: next(answers))
    verdict = run(shelf)
    assert (shelf / "default.txt").read_text().strip() == default
    written = json.loads((shelf / "candidate" / "comparison.json").read_text())
    assert written["is_promoted"] is verdict.is_promoted is (default == "candidate")
    text = (shelf / "candidate" / "comparison.md").read_text()
    assert ("Refused:" in text) is (default == "current")
    assert "| odir5k | quadratic kappa |" in text


def run(shelf: Path) -> promoting.Verdict:
    return promote(
        read_bundle(shelf / "candidate"),
        read_bundle(shelf / "current"),
        data=shelf,
        cache=shelf,
        pointer=shelf / "default.txt",
        n_resamples=50,
    )


def test_a_bundle_from_elsewhere_is_not_promoted(shelf: Path, tmp_path: Path) -> None:
    away = Path(shutil.copytree(default_bundle(), tmp_path / "far" / "away"))
    with pytest.raises(BundleError, match="move it there"):
        promote(
            read_bundle(away), read_bundle(shelf / "current"), data=shelf, cache=shelf, pointer=shelf / "default.txt"
        )


def test_a_bundle_trained_on_another_split_cannot_be_compared(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    description = shelf / "candidate" / "bundle.json"
    content: dict[str, Any] = json.loads(description.read_text())
    content["training"]["stages"][-1]["sources"] = ["aptos2019"]
    description.write_text(json.dumps(content))
    splits = iter([toy_readings(1).photos, toy_readings(1, n=100).photos])
    monkeypatch.setattr(promoting, "photos_for", lambda *a, **k: next(splits))
    candidate: Bundle = read_bundle(shelf / "candidate")
    with pytest.raises(BundleError, match="different splits"):
        shared_test_set(candidate, read_bundle(shelf / "current"), data=shelf, cache=shelf)
