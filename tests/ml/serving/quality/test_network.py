"""The released network and coefficients: verified files, a monotonic fusion."""

import hashlib
import json
import shutil
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from PIL import ImageFilter

from ml.bundle import read_bundle
from ml.errors import BundleError
from ml.serving.preprocess import FundusCrop
from ml.serving.quality.coefficients import LogisticModel, LogisticTerm, sha256_of
from ml.serving.quality.gate import DESCRIPTION, FOLDER, WEIGHTS, QualityGate, released_gate
from ml.serving.quality.network import network_view, square_view
from tests.ml.serving.quality.builders import cropped, features_of, synthetic_eye


def test_the_logit_falls_as_an_eye_goes_out_of_focus_alone_and_in_a_batch() -> None:
    network = released_gate().network
    eyes = [synthetic_eye().filter(ImageFilter.GaussianBlur(blur_px)) for blur_px in (0, 4, 12)]
    views = np.stack([network_view(square_view(cropped(eye, side_px=288))) for eye in eyes])
    logits = network.logits(views)
    assert all(a > b for a, b in pairwise(logits))
    assert np.allclose(logits, [network.logits(view[None])[0] for view in views], atol=1e-3)


def test_every_coefficient_names_a_feature(eye: FundusCrop) -> None:
    features, coefficients = features_of(eye), released_gate().coefficients
    models = (coefficients.fundus, coefficients.gradable, coefficients.fusion)
    names = {term.name for model in models for term in model.terms} | {rule.feature for rule in coefficients.rules}
    assert names - {"network", "gradable"} <= features.keys()
    assert np.isfinite(list(features.values())).all()


FUSION = LogisticModel(-1.0, (LogisticTerm("network", 0.0, 2.0, 0.8), LogisticTerm("gradable", 0.0, 2.0, 0.6)))


@pytest.mark.parametrize("rising", ["network", "gradable"])
def test_the_fusion_rises_with_each_input_and_none_decides_alone(rising: str) -> None:
    p = [FUSION.probability({"network": 0.0, "gradable": 0.0, rising: logit}) for logit in (-5, 0, 5, 8, 1e6)]
    assert all(0 <= a < b <= 1 for a, b in pairwise(p[:4]))
    assert p[3] == p[4] < 0.97


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the released files."""
    return Path(shutil.copytree(FOLDER, tmp_path / "quality"))


def edit(folder: Path, **entries: Any) -> None:
    description = folder / DESCRIPTION
    description.write_text(json.dumps(json.loads(description.read_text()) | entries))


def alter_weights(folder: Path) -> None:
    content = bytearray((folder / WEIGHTS).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / WEIGHTS).write_bytes(content)


def use_grading_network(folder: Path) -> None:
    onnx.save(onnx.load(read_bundle().graph), folder / WEIGHTS)
    edit(folder, weights={"sha256": hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest()})


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (alter_weights, r"network\.onnx was altered"),
        (use_grading_network, "another network"),
        (lambda folder: edit(folder, coefficients={}), r"network\.json were altered"),
        (lambda folder: edit(folder, coefficients={}, coefficients_sha256=sha256_of({})), "rules"),
        (lambda folder: (folder / WEIGHTS).unlink(), WEIGHTS),
        (lambda folder: (folder / DESCRIPTION).unlink(), DESCRIPTION),
    ],
)
def test_damaged_files_are_not_loaded(folder: Path, damage: Callable[[Path], None], message: str) -> None:
    damage(folder)
    with pytest.raises(BundleError, match=message):
        QualityGate.load(folder)


def test_student_and_quality_network_together_stay_under_6_5_megabytes() -> None:
    assert read_bundle().weights.stat().st_size + (FOLDER / WEIGHTS).stat().st_size <= 6.5e6
