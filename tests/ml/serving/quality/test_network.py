"""The released network and coefficients: verified files, a monotonic fusion."""

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import asdict
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
from ml.serving.quality.coefficients import LogisticModel, sha256_of
from ml.serving.quality.gate import DESCRIPTION, FOLDER, WEIGHTS, QualityGate, released_gate
from ml.serving.quality.network import NETWORK_OUTPUTS, network_view, square_view
from ml.serving.quality.sharpness import extract_sharpness
from tests.ml.serving.quality.builders import cropped, features_of, synthetic_eye


def test_the_logit_falls_as_an_eye_goes_out_of_focus_alone_and_in_a_batch() -> None:
    network = released_gate().network
    eyes = [synthetic_eye().filter(ImageFilter.GaussianBlur(blur_px)) for blur_px in (0, 4, 12)]
    views = np.stack([network_view(square_view(cropped(eye, side_px=288))) for eye in eyes])
    outputs = network.outputs(views)
    assert all(a > b for a, b in pairwise(outputs[:, NETWORK_OUTPUTS.index("gradable_logit")]))
    assert outputs.shape == (3, len(NETWORK_OUTPUTS))
    assert np.allclose(outputs, [network.outputs(view[None])[0] for view in views], atol=1e-2)


def test_every_coefficient_names_a_value(eye: FundusCrop) -> None:
    features, coefficients = features_of(eye), released_gate().coefficients
    sharpness = extract_sharpness(eye)
    assert sharpness is not None
    assert {*coefficients.fundus.names, *coefficients.gradable.names} <= {*features, *NETWORK_OUTPUTS}
    assert set(coefficients.sharp.names) == set(asdict(sharpness))
    assert {rule.feature for rule in coefficients.rules} <= features.keys()
    assert np.isfinite(list(features.values())).all()


MODEL = LogisticModel(-1.0, ("a", "b"), (0.0, 1.0), (2.0, 0.5), (0.8, 0.6), ((0, 0, -0.1), (0, 1, 0.2)))


@pytest.mark.parametrize(
    ("a", "b", "log_odds"),
    [
        (0.0, 1.0, -1.0),
        (2.0, 1.0, -1.0 + 0.8 - 0.1),
        (2.0, 2.0, -1.0 + 0.8 + 2 * 0.6 - 0.1 + 2 * 0.2),
        (1e9, 1.0, -1.0 + 4 * 0.8 - 16 * 0.1),  # clipped to 4
    ],
)
def test_a_logistic_model_is_a_clipped_polynomial_of_named_values(a: float, b: float, log_odds: float) -> None:
    assert MODEL.log_odds({"b": b, "a": a, "c": 7.0}) == pytest.approx(log_odds)
    p = MODEL.probability({"a": np.array([a, a]), "b": np.array([b, b])})
    assert p == pytest.approx([1 / (1 + np.exp(-log_odds))] * 2)


def test_lists_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="different lengths"):
        LogisticModel.from_json(asdict(MODEL) | {"mean": [0.0]})
    assert LogisticModel.from_json(json.loads(json.dumps(asdict(MODEL)))) == MODEL


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
