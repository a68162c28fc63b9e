"""The table takes its numbers from the bundles, and has no row for what is not released."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from ml.bundle import Bundle, default_bundle, read_bundle, read_evaluation
from ml.release.results_table import forward_seconds, released, table


def bundle(folder: Path, name: str, version: str, *, architecture: str, teacher: str | None = None) -> Bundle:
    place = Path(shutil.copytree(default_bundle(), folder / f"{name}-{version}"))
    path = place / "bundle.json"
    content: dict[str, Any] = json.loads(path.read_text())
    content |= {"name": name, "version": version, "architecture": architecture}
    content["training"]["stages"][-1]["distillation"] = {"teachers": [teacher]} if teacher else None
    path.write_text(json.dumps(content))
    made = read_bundle(place)
    evaluation = json.loads((place / "evaluation.json").read_text())
    (place / "evaluation.json").write_text(json.dumps(evaluation | {"model_version": made.model_version}))
    return made


def test_each_network_has_its_row_and_the_newest_version_stands_for_it(tmp_path: Path) -> None:
    bundle(tmp_path, "teacher", "1.0.0", architecture="resnet50")
    bundle(tmp_path, "student", "0.9.0", architecture="mobilenet_v3_small", teacher="runs/teacher")
    bundle(tmp_path, "student", "0.10.0", architecture="mobilenet_v3_small", teacher="runs/teacher")
    lines = table(released(tmp_path), seconds=lambda b: (1.25, 0.75)).splitlines()
    assert [line.split(" | ")[0] for line in lines[2:]] == ["| ResNet-50 fine-tuned", "| MobileNet distilled"]
    assert "student-0.10.0" in lines[3]
    assert lines[3].endswith("| 1.2, before 2 | 0.8 |")


def test_the_numbers_are_those_of_the_evaluation() -> None:
    row = next(line for line in table([read_bundle()], seconds=lambda b: (1, 1)).splitlines() if "student" in line)
    kappa, low, high = read_evaluation(read_bundle())["parts"]["test"]["aptos2019"]["figures"]["quadratic_kappa"]
    assert f"{kappa:.3f} ({low:.3f}-{high:.3f}), before 0.7" in row


def test_the_forward_pass_is_timed() -> None:
    assert all(0.1 < seconds < 600 for seconds in forward_seconds(read_bundle()))


def test_a_bundle_without_grades_is_not_in_the_table(tmp_path: Path) -> None:
    (tmp_path / "quality-1").mkdir()
    (tmp_path / "quality-1" / "bundle.json").write_text("{}")
    assert released(tmp_path) == []


@pytest.mark.parametrize("arguments", [["pointing"], ["pointing", "masks", "--drawn", "3"]])
def test_pointing_wants_either_masks_or_drawings(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    from ml.cli.main import main

    assert main(arguments) == 2
    assert "--drawn N" in capsys.readouterr().err
