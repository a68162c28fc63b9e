"""The commands that measure and describe bundles."""

import shutil
from pathlib import Path

import pytest

from ml.bundle import Bundle, read_evaluation
from ml.cli.main import main
from ml.evaluation.lesion_heatmaps import MEASURES


def test_evaluate_writes_evaluation_card_and_report(
    toy_bundle: Bundle, toy_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, report, cache = tmp_path / "toy", tmp_path / "report", toy_bundle.folder.parent / "cache"
    shutil.copytree(toy_bundle.folder, folder, ignore=shutil.ignore_patterns("evaluation.json", "model-card.md"))
    command = ["evaluate", str(folder), "--against", str(toy_bundle.folder), "--output", str(report)]
    assert main([*command, "--data", str(toy_data), "--cache", str(cache)]) == 0
    assert capsys.readouterr().out == f"{report / 'report.md'}\n"
    assert set(read_evaluation(toy_bundle)["splits"]) == {"test", "validation"}
    assert (folder / "model-card.md").read_text().startswith(f"# Model card: {toy_bundle.model_version}")
    text = (report / "report.md").read_text()
    assert text.startswith(f"# Evaluation: {toy_bundle.model_version}\n")
    assert "(curves.png)" in text
    assert (report / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert "| mean of the sources | quadratic kappa " in text


def test_card_rewrites_the_model_card(bundle_copy: Bundle, capsys: pytest.CaptureFixture[str]) -> None:
    card = bundle_copy.folder / "model-card.md"
    card.unlink()
    assert main(["card", str(bundle_copy.folder)]) == 0
    assert capsys.readouterr().out == f"{card}\n"
    assert card.read_text().startswith(f"# Model card: {bundle_copy.model_version}")


def test_the_pointing_game_runs_on_synthetic_photographs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pointing-game", "--synthetic", "1"]) == 0
    rows = [[cell.strip() for cell in row.split("|")[1:4]] for row in capsys.readouterr().out.splitlines()[2:5]]
    assert [row[:2] for row in rows] == [["grade", "1 of 1"]] * 3
    assert [row[2] for row in rows] == list(MEASURES.values())
