"""A bundle is complete and unaltered, or nothing is graded."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from ml.bundle import GRAPH_FILE, WEIGHTS_FILE, default_bundle, read_bundle
from ml.errors import BundleError
from ml.grader import Grader
from ml.release.model_card import DOCUMENTATION, card_text


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


def test_the_model_card_is_current() -> None:
    bundle = read_bundle()
    assert (bundle.folder / "model-card.md").read_text() == card_text(bundle)
    assert DOCUMENTATION.read_text() == card_text(bundle)
