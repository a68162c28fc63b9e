"""The released files of the quality gate are written together."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np

from ml.serving.quality.gate import DESCRIPTION, FOLDER, QualityGate, released_gate
from ml.training.quality.export import outputs_of, release_fit, update_description
from tests.ml.training.quality.builders import toy_set, with_blurred_copies


def test_written_coefficients_are_loaded_and_verified(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(FOLDER, tmp_path / "quality"))
    stored = released_gate().coefficients
    changed = replace(stored, gradable=replace(stored.gradable, intercept=-1.5))
    update_description(folder, coefficients=changed, architecture="toy")
    assert QualityGate.load(folder).coefficients == changed
    description = json.loads((folder / DESCRIPTION).read_text())
    assert description["architecture"] == "toy"
    assert description["metrics"] == json.loads((FOLDER / DESCRIPTION).read_text())["metrics"]


def test_a_fit_to_the_released_network_is_loaded_with_its_metrics(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(FOLDER, tmp_path / "quality"))
    photos = toy_set(180)
    labels = np.where(np.arange(180) // 9 % 2 == 0, "graded", photos.labels)
    photos = with_blurred_copies(replace(photos, labels=labels))
    negatives = toy_set(60)
    negatives = replace(negatives, labels=np.full(60, "negative"), features=negatives.features + 1)
    release_fit(photos, negatives=negatives, folder=folder)
    gate, description = QualityGate.load(folder), json.loads((folder / DESCRIPTION).read_text())
    assert gate.coefficients != released_gate().coefficients
    assert gate.coefficients.limits.min_p_good >= gate.coefficients.limits.min_p_gradable == 0.5
    n_rejects = int((photos.labels[photos.splits == 2] == "reject").sum())
    assert description["photographs"]["eyeq"]["reject"][2] == n_rejects
    assert description["metrics"]["levels"]["eyeq"]["reject"]["n"] == n_rejects > 0
    assert np.isfinite(outputs_of(gate.network, photos)).all()
