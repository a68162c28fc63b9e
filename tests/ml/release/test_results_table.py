"""The results table takes its numbers from the bundles, and has no row for what is not released."""

import json
import shutil
from pathlib import Path

import pytest

from ml.bundle import default_bundle, default_bundles, read_bundle, read_evaluation
from ml.evaluation import benchmark
from ml.release import results_table as module
from ml.release.results_table import fastest_forward_seconds, newest_bundles, results_table


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def add_bundle(folder: Path, version: str, *, architecture: str) -> None:
    """A copy of the default bundle, which is distilled, with another name, version and architecture."""
    target = Path(shutil.copytree(default_bundle(), folder / f"{architecture}-{version}"))
    content = json.loads((target / "bundle.json").read_text())
    content |= {"name": architecture, "version": version, "architecture": architecture}
    (target / "bundle.json").write_text(json.dumps(content))
    evaluation = json.loads((target / "evaluation.json").read_text())
    evaluation["model_version"] = read_bundle(target).model_version
    (target / "evaluation.json").write_text(json.dumps(evaluation))


def test_each_kind_of_model_has_a_row_for_its_newest_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "fastest_forward_seconds", lambda bundle: (1.25, 0.75))
    add_bundle(tmp_path, "1.0.0", architecture="resnet50")
    for version in ("0.9.0", "0.10.0"):
        add_bundle(tmp_path, version, architecture="mobilenet_v3_small")
    bundles = newest_bundles(tmp_path)
    rows = [cells(line) for line in results_table(bundles).splitlines()[2:]]
    assert [row[0] for row in rows] == ["ResNet-50 fine-tuned", "MobileNet distilled"]
    assert rows[1][1].startswith("mobilenet_v3_small-0.10.0+")
    assert rows[1][-2:] == ["1.2, before 2", "0.8"]
    metrics = read_evaluation(bundles["MobileNet distilled"])["splits"]["test"]["aptos2019"]["metrics"]
    kappa, low, high = metrics["quadratic_kappa"]
    assert rows[1][4] == f"{kappa:.3f} ({low:.3f}-{high:.3f}), before 0.73"


def test_the_default_bundles_have_rows() -> None:
    assert set(default_bundles().values()) <= {bundle.folder for bundle in newest_bundles().values()}


def test_the_forward_pass_is_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benchmark, "N_TIMED", 16)
    assert all(0.1 < seconds < 600 for seconds in fastest_forward_seconds(read_bundle()))
