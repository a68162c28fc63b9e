"""Only a bundle that is not worse becomes the default."""

import dataclasses
import json
import shutil
from pathlib import Path

import pytest

from ml.bundle import Bundle, default_bundle, default_bundles, read_bundle
from ml.errors import BundleError
from ml.evaluation.compare import MEAN, compare
from ml.evaluation.evaluate import write_evaluation
from ml.evaluation.predictions import LabelledPredictions, fingerprint
from ml.release import promote as promote_module
from ml.release.promote import non_inferiority_failures, promote
from ml.vocabulary import ServedModel
from tests.ml.evaluation.toy_predictions import toy_predictions


def failures_of(new: LabelledPredictions, old: LabelledPredictions) -> list[str]:
    return list(non_inferiority_failures(compare(new, old)))


def test_a_better_or_equal_model_is_promoted_and_a_worse_one_is_not() -> None:
    good, poor = toy_predictions(2.0, seed=1), toy_predictions(0.6, seed=2)
    assert failures_of(good, good) == failures_of(good, poor) == []
    assert any(failure.startswith(MEAN) and "more than the margin" in failure for failure in failures_of(poor, good))


def test_a_model_that_is_worse_on_one_source_is_not_promoted() -> None:
    old, poor, new = toy_predictions(1.5), toy_predictions(0.3), toy_predictions(1.5)
    i = new.where("test", "odir5k")
    new.probabilities[i], new.grades[i] = poor.probabilities[i], poor.grades[i]
    failures = failures_of(new, old)
    assert any(failure.startswith("odir5k") for failure in failures)
    assert not any(failure.startswith("aptos2019") for failure in failures)


def test_a_difference_has_its_sign_and_an_interval_around_it() -> None:
    kappa = compare(toy_predictions(2.0, seed=1), toy_predictions(0.8, seed=2))["aptos2019"]["quadratic_kappa"]
    assert kappa.interval
    assert 0 < kappa.interval[0] < kappa.value < kappa.interval[1]
    assert 0 < (kappa.p or 0) < 0.05


def test_predictions_of_other_photographs_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="different photographs"):
        compare(toy_predictions(1), toy_predictions(1, n=100))


@pytest.fixture
def bundles(tmp_path: Path) -> Path:
    """A folder of two MobileNets, the current fast bundle and a candidate, and the same as ResNets."""
    for name in ("current", "candidate", "current-resnet", "candidate-resnet"):
        folder = Path(shutil.copytree(default_bundle(), tmp_path / name))
        if name.endswith("resnet"):
            content = json.loads((folder / "bundle.json").read_text())
            (folder / "bundle.json").write_text(json.dumps(content | {"architecture": "resnet50"}))
    (tmp_path / "defaults.json").write_text(json.dumps({"accurate": "current-resnet", "fast": "current"}))
    return tmp_path


def run(
    candidate: Path, bundles: Path, new: LabelledPredictions, old: LabelledPredictions, patch: pytest.MonkeyPatch
) -> list[str]:
    """Promote the candidate with these predictions of both bundles."""
    bundle = read_bundle(candidate)
    patch.setattr(promote_module, "predict_held_out", lambda *a, **k: dataclasses.replace(new, bundle=bundle))
    compared = []

    def predict_other(other: Bundle, *_: object) -> LabelledPredictions:
        compared.append(other.folder.name)
        return old

    patch.setattr(promote_module, "predict", predict_other)
    current = read_bundle(bundles / candidate.name.replace("candidate", "current"))
    write_evaluation(dataclasses.replace(old, bundle=current), data=bundles)
    failures = promote(bundle, data=bundles, cache=bundles, bundles=bundles)
    assert compared == [current.folder.name]
    return failures


@pytest.mark.parametrize("suffix", ["", "-resnet"])
@pytest.mark.parametrize(("skill", "is_promoted"), [(2.0, True), (0.3, False)])
def test_only_a_bundle_that_is_not_worse_becomes_the_default_of_its_model(
    bundles: Path, monkeypatch: pytest.MonkeyPatch, skill: float, *, is_promoted: bool, suffix: str
) -> None:
    candidate, before = bundles / f"candidate{suffix}", default_bundles(bundles)
    failures = run(candidate, bundles, toy_predictions(skill), toy_predictions(1.2), monkeypatch)
    of = ServedModel.ACCURATE if suffix else ServedModel.FAST
    assert default_bundles(bundles) == before | ({of: candidate} if is_promoted else {})
    assert (failures == []) is is_promoted
    text = (candidate / "comparison.md").read_text()
    assert ("Refused:" in text) is not is_promoted
    assert all(f"\n- {failure}\n" in text for failure in failures)
    assert "| odir5k              | quadratic kappa " in text


def test_a_bundle_in_another_folder_is_not_promoted(bundles: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = Path(shutil.copytree(default_bundle(), bundles / "other" / "candidate"))
    with pytest.raises(BundleError, match="move it there"):
        run(elsewhere, bundles, toy_predictions(1), toy_predictions(1), monkeypatch)


def test_a_bundle_trained_on_another_split_cannot_be_compared(bundles: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BundleError, match="different splits"):
        run(bundles / "candidate", bundles, toy_predictions(1), toy_predictions(1, n=100), monkeypatch)


def test_a_bundle_trained_on_more_sources_is_compared_on_all_of_them(
    bundles: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = toy_predictions(1.0)
    photos = [dataclasses.replace(p, source="idrid") if p.source == "odir5k" else p for p in old.photos]
    known = [p for p in photos if p.source != "idrid"]
    monkeypatch.setattr(
        promote_module, "read_evaluation", lambda _: {"fingerprints": {"test": fingerprint(known, "test")}}
    )
    new, old = (dataclasses.replace(p, photos=photos) for p in (toy_predictions(2.0), old))
    monkeypatch.setattr(promote_module, "predict", lambda *_: old)
    current = read_bundle(bundles / "current")
    of_fewer = current.training | {"stages": [{"sources": ["aptos2019", "eyepacs", "odir5k"]}]}
    assert "idrid" in promote_module.compare_with(dataclasses.replace(current, training=of_fewer), new)
