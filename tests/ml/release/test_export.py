"""A finished run becomes a bundle, or nothing is left."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from ml.bundle import Bundle, read_bundle
from ml.errors import BundleError
from ml.release.export import export_bundle, scales


def test_an_export_is_a_whole_bundle(toy_bundle: Bundle) -> None:
    assert read_bundle(toy_bundle.folder, verify=True) == toy_bundle
    assert {file.name for file in toy_bundle.folder.iterdir()} == {
        "bundle.json",
        "evaluation.json",
        "model-card.md",
        "model.onnx",
        "weights.safetensors",
    }


def test_a_failed_export_leaves_nothing(toy_bundle: Bundle, tmp_path: Path) -> None:
    run = Path(shutil.copytree(toy_bundle.folder.parent / "run", tmp_path / "run"))
    with pytest.raises(ValueError, match="nowhere"):
        export_bundle(run, data=tmp_path / "nowhere", folder=tmp_path / "toy", name="toy", version="1")
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_an_existing_bundle_is_not_replaced(toy_bundle: Bundle, toy_data: Path) -> None:
    run = toy_bundle.folder.parent / "run"
    with pytest.raises(BundleError, match="exists already"):
        export_bundle(run, data=toy_data, folder=toy_bundle.folder, name="toy", version="0.0.1")


def test_the_heatmap_scales_come_from_diseased_photographs_alone() -> None:
    logits = np.eye(6, dtype=np.float32)[[0, 2, 3]] * 9 - 1
    logits[2, 5] = 1  # the only one with oedema
    evidence = np.full((3, 6), 50, np.float32)
    evidence[1, 2], evidence[2, 3], evidence[2, 5] = 4, 6, 7
    found = scales(logits, evidence)
    assert found["heatmap_full_scale"] == pytest.approx(5.8)
    assert found["macular_oedema"]["heatmap_full_scale"] == 7
