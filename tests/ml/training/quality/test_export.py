"""The released files of the quality gate are written together."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

from ml.serving.quality.gate import DESCRIPTION, FOLDER, QualityGate, released_gate
from ml.training.quality.export import update_description


def test_written_coefficients_are_loaded_and_verified(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(FOLDER, tmp_path / "quality"))
    stored = released_gate().coefficients
    changed = replace(stored, fusion=replace(stored.fusion, intercept=-1.5))
    update_description(folder, changed, architecture="toy")
    assert QualityGate.load(folder).coefficients == changed
    description = json.loads((folder / DESCRIPTION).read_text())
    assert description["architecture"] == "toy"
    assert description["metrics"] == json.loads((FOLDER / DESCRIPTION).read_text())["metrics"]
