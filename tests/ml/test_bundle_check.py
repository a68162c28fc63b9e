"""The check of a bundle in a child process refuses what is altered or of another preprocessing."""

import json
import shutil
from pathlib import Path

import pytest

from ml.bundle import default_bundle
from ml.bundle_check import check_bundle
from ml.errors import BundleError


@pytest.fixture
def folder(tmp_path: Path, released_bundle: None) -> Path:
    return Path(shutil.copytree(default_bundle(), tmp_path / "copy"))


def test_a_released_bundle_passes(folder: Path) -> None:
    assert check_bundle(folder).startswith("student-")


def test_altered_weights_and_other_preprocessing_are_refused(folder: Path) -> None:
    description = folder / "bundle.json"
    content = json.loads(description.read_text())
    content["input"]["preprocessing_version"] += 1
    description.write_text(json.dumps(content))
    with pytest.raises(BundleError, match="trained with preprocessing version"):
        check_bundle(folder)
    shutil.copy(default_bundle() / "bundle.json", description)
    weights = folder / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    with pytest.raises(BundleError, match="was altered"):
        check_bundle(folder)


def test_missing_and_large_files_are_refused_unopened(folder: Path) -> None:
    with (folder / "bundle.json").open("a") as file:
        file.write(" " * 1_000_001)
    with pytest.raises(BundleError, match=r"bundle\.json has more than 1 MB"):
        check_bundle(folder)
    (folder / "bundle.json").unlink()
    (folder / "bundle.json").symlink_to(default_bundle() / "bundle.json")
    with pytest.raises(BundleError, match=r"bundle\.json is missing"):
        check_bundle(folder)
