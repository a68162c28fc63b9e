"""The released network and coefficients: verified files, a monotonic fusion."""

import hashlib
import json
import shutil
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from PIL import Image, ImageFilter

from ml.bundle import read_bundle
from ml.errors import BundleError
from ml.serving.preprocess import FundusCrop
from ml.serving.quality.coefficients import LogisticModel, LogisticTerm, sha256_of
from ml.serving.quality.gate import DESCRIPTION, FOLDER, WEIGHTS, QualityGate, released_gate
from ml.serving.quality.network import network_view, square_view
from tests.ml.serving.quality.builders import cropped, features_of, synthetic_eye


def view_of(image: Image.Image) -> np.ndarray:
    return network_view(square_view(cropped(image, side_px=288)))


def test_the_logit_falls_as_a_synthetic_eye_goes_out_of_focus() -> None:
    views = [view_of(synthetic_eye().filter(ImageFilter.GaussianBlur(blur_px))) for blur_px in (0, 4, 12)]
    logits = released_gate().network.logits(np.stack(views))
    assert all(a > b for a, b in pairwise(logits))


def test_a_batch_is_scored_like_single_photographs() -> None:
    eye, network = synthetic_eye(), released_gate().network
    views = np.stack([view_of(image) for image in (eye, eye.rotate(90), eye.convert("L").convert("RGB"))])
    assert np.allclose(network.logits(views), [network.logits(view[None])[0] for view in views], atol=1e-3)


def test_every_coefficient_names_a_feature(eye: FundusCrop) -> None:
    features, coefficients = features_of(eye), released_gate().coefficients
    models = (coefficients.fundus, coefficients.gradable, coefficients.fusion)
    names = {term.name for model in models for term in model.terms} | {rule.feature for rule in coefficients.rules}
    assert names - {"network", "gradable"} <= features.keys()
    assert np.isfinite(list(features.values())).all()


FUSION = LogisticModel(-1.0, (LogisticTerm("network", 0.0, 2.0, 0.8), LogisticTerm("gradable", 0.0, 2.0, 0.6)))


@pytest.mark.parametrize("rising", ["network", "gradable"])
def test_the_fusion_rises_with_each_input_within_bounds(rising: str) -> None:
    p = [FUSION.probability({"network": 0.0, "gradable": 0.0, rising: logit}) for logit in (-5, 0, 5)]
    assert all(0 <= a < b <= 1 for a, b in pairwise(p))


def test_no_input_decides_alone() -> None:
    highest = FUSION.probability({"network": 1e6, "gradable": 0.0})
    assert highest == FUSION.probability({"network": 8.0, "gradable": 0.0}) < 0.97


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the released files."""
    for name in (WEIGHTS, DESCRIPTION):
        shutil.copy(FOLDER / name, tmp_path)
    return tmp_path


def edit(folder: Path, **entries: Any) -> None:
    description = folder / DESCRIPTION
    description.write_text(json.dumps(json.loads(description.read_text()) | entries))


def test_altered_weights_are_not_loaded(folder: Path) -> None:
    content = bytearray((folder / WEIGHTS).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / WEIGHTS).write_bytes(content)
    with pytest.raises(BundleError, match=r"network\.onnx was altered"):
        QualityGate.load(folder)


def test_altered_coefficients_are_not_loaded(folder: Path) -> None:
    coefficients = json.loads((folder / DESCRIPTION).read_text())["coefficients"]
    coefficients["limits"]["min_p_gradable"] = 0.0
    edit(folder, coefficients=coefficients)
    with pytest.raises(BundleError, match=r"network\.json were altered"):
        QualityGate.load(folder)
    edit(folder, coefficients_sha256=sha256_of(coefficients))
    assert QualityGate.load(folder).coefficients.limits.min_p_gradable == 0


@pytest.mark.parametrize("missing", [WEIGHTS, DESCRIPTION])
def test_a_missing_file_is_named(folder: Path, missing: str) -> None:
    (folder / missing).unlink()
    with pytest.raises(BundleError, match=missing):
        QualityGate.load(folder)


def test_a_missing_entry_is_named(folder: Path) -> None:
    edit(folder, coefficients={}, coefficients_sha256=sha256_of({}))
    with pytest.raises(BundleError, match="rules"):
        QualityGate.load(folder)


def test_a_grading_network_in_its_place_is_refused(folder: Path) -> None:
    onnx.save(onnx.load(read_bundle().graph), folder / WEIGHTS)
    edit(folder, weights={"sha256": hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest()})
    with pytest.raises(BundleError, match="another network"):
        QualityGate.load(folder)


def test_student_and_quality_network_together_stay_under_6_5_megabytes() -> None:
    assert read_bundle().weights.stat().st_size + (FOLDER / WEIGHTS).stat().st_size <= 6.5e6
