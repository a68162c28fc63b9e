"""A bundle is complete and unaltered, or nothing is graded."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from ml.bundle import GRAPH_FILE, WEIGHTS_FILE, default_bundle, default_bundles, read_bundle
from ml.errors import BundleError
from ml.grader import Grader
from ml.release.model_card import card_text, documented_card
from ml.vocabulary import ServedModel


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(default_bundle(), tmp_path / "copy"))


def change(folder: Path, **values: Any) -> None:
    path = folder / "bundle.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def test_the_released_bundle_is_complete() -> None:
    bundle = read_bundle(verify=True)
    assert bundle.model_version.startswith(f"{bundle.name}-{bundle.version}+")


@pytest.mark.parametrize("file", [GRAPH_FILE, WEIGHTS_FILE])
def test_a_missing_file_is_named(copy: Path, file: str) -> None:
    (copy / file).unlink()
    with pytest.raises(BundleError, match=f"{file} is missing"):
        Grader.load(copy)


@pytest.mark.parametrize("file", [GRAPH_FILE, WEIGHTS_FILE])
def test_altered_bytes_are_refused(copy: Path, file: str) -> None:
    content = bytearray((copy / file).read_bytes())
    content[len(content) // 2] ^= 1
    (copy / file).write_bytes(content)
    with pytest.raises(BundleError, match=f"{file} was altered"):
        Grader.load(copy)
    with pytest.raises(BundleError, match=f"{file} was altered"):
        read_bundle(copy, verify=True)


def test_an_empty_folder_is_not_a_bundle(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"bundle\.json is missing"):
        Grader.load(tmp_path)


def test_another_preprocessing_version_is_refused(copy: Path) -> None:
    entry = json.loads((copy / "bundle.json").read_text())["input"]
    change(copy, input=entry | {"preprocessing_version": 99})
    with pytest.raises(BundleError, match="preprocessing version 99"):
        read_bundle(copy)


@pytest.mark.parametrize(
    "values",
    [
        {"operating_point": 1.5},
        {"cutpoints": [0.5, 2.5, 1.5, 3.5]},
        {"cutpoints": [1.0]},
        {"classes": ["cat", "dog"]},
        {"heatmap_full_scale": 0},
        {"calibration": {"temperature": 1.0, "bias": [0, 0]}},
        {"weights": {}},
        {"graph": {}},
        {"roc": {"thresholds": [0.2, 0.1], "sources": {}}},
        {"roc": {"thresholds": [0.1], "sources": {"a": {"n_referable": 1, "n_not_referable": 1, "sensitivity": []}}}},
        {"roc": {"thresholds": [0.1, 1.5], "sources": {}}},
    ],
)
def test_a_description_with_invalid_values_is_refused(copy: Path, values: dict[str, Any]) -> None:
    change(copy, **values)
    with pytest.raises(BundleError, match="cannot be used"):
        read_bundle(copy)


def test_a_description_that_is_not_json_is_refused(copy: Path) -> None:
    (copy / "bundle.json").write_text("{")
    with pytest.raises(BundleError, match="cannot be used"):
        read_bundle(copy)


@pytest.mark.parametrize("model", ServedModel)
def test_the_default_of_a_model_is_of_its_kind_and_its_card_is_current(model: ServedModel) -> None:
    bundle = read_bundle(default_bundle(model), verify=True)
    assert bundle.served_model == model
    assert (bundle.folder / "model-card.md").read_text() == documented_card(model).read_text() == card_text(bundle)


@pytest.mark.parametrize("content", [None, "{", "[]", '{"fast": "student-0.4.0"}'])
def test_defaults_that_do_not_name_both_models_are_refused(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "defaults.json").write_text(content)
    with pytest.raises(BundleError, match=r"defaults\.json does not name a bundle of each model \(accurate, fast\)"):
        default_bundles(tmp_path)
