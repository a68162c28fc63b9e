"""Runs side by side: what differs is shown, and seeds are one row."""

import dataclasses
import json
from pathlib import Path

import pytest

from ml.ablation import ablation_table, outcomes_of
from ml.cli.main import main
from ml.errors import InputError
from ml.training.config import Distillation, TrainingConfig, write_config
from tests.ml.toys import toy_config

SOURCES = ("clinic a", "clinic b")


def finished(run: Path, config: TrainingConfig, *kappas: float) -> Path:
    """A run as training leaves it, an epoch for each kappa."""
    write_config(config, run)
    rows = [
        {"score": 1.5 * kappa, "validation": {source: {"kappa": kappa, "auc": 0.9} for source in SOURCES}}
        for kappa in kappas
    ]
    (run / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return run


@pytest.fixture
def runs(tmp_path: Path) -> list[Path]:
    def taught(temperature: float) -> Distillation:
        return Distillation(teacher=str(tmp_path / "teacher"), temperature=temperature)

    return [
        finished(tmp_path / "alone-1", toy_config(seed=1), 0.30, 0.50, 0.40),
        finished(tmp_path / "alone-2", toy_config(seed=2, n_threads=2), 0.60),
        finished(tmp_path / "soft-1", toy_config(seed=1, distillation=taught(2.0)), 0.70),
        finished(tmp_path / "softer-1", toy_config(seed=1, distillation=taught(4.0)), 0.65),
    ]


def test_what_was_kept_on_disk_or_blended_afterwards_makes_no_other_method(tmp_path: Path) -> None:
    how = Distillation(teacher="teacher")
    first = toy_config(distillation=how)
    second = toy_config(
        seed=2,
        distillation=dataclasses.replace(how, keep_words=True, ask_in_bf16=True),
        start_share=0.5,
        blended_with=("runs/x",),
    )
    runs = [finished(tmp_path / "first", first, 0.5), finished(tmp_path / "second", second, 0.6)]
    assert len(ablation_table(outcomes_of(runs)).splitlines()) == 3


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_methods_are_rows_with_what_they_differ_by_and_the_best_comes_first(runs: list[Path]) -> None:
    header, _, *rows = map(cells, ablation_table(outcomes_of(runs)).splitlines())
    table = [dict(zip(header, row, strict=True)) for row in rows]
    assert [(row["distilled"], row["temperature"], row["runs"]) for row in table] == [
        ("yes", "2.0", "1"),
        ("yes", "4.0", "1"),
        ("no", "-", "2"),
    ]
    assert "seed" not in header
    assert "side_px" not in header  # the same in all
    assert table[0]["clinic a kappa"] == "0.700"


def test_seeds_are_one_row_with_mean_and_range_of_their_best_epochs(runs: list[Path]) -> None:
    last = ablation_table(outcomes_of(runs)).splitlines()[-1]
    assert "0.550 (0.500-0.600)" in last
    assert "0.825 (0.750-0.900)" in last  # the score


def test_another_teacher_is_another_method_and_other_sources_are_refused(runs: list[Path], tmp_path: Path) -> None:
    other = toy_config(seed=1, distillation=Distillation(teacher=str(tmp_path / "elder"), temperature=2.0))
    header, _, *rows = map(
        cells, ablation_table(outcomes_of([runs[2], finished(tmp_path / "soft-2", other, 0.8)])).splitlines()
    )
    assert header[:2] == ["teacher", "runs"]
    assert [row[0] for row in rows] == ["elder", "teacher"]
    row = {"score": 1.0, "validation": {"clinic c": {"kappa": 0.5, "auc": 0.9}}}
    (tmp_path / "soft-2" / "log.jsonl").write_text(json.dumps(row) + "\n")
    with pytest.raises(InputError, match="soft-2 was validated on other sources than"):
        ablation_table(outcomes_of([runs[0], tmp_path / "soft-2"]))


def test_photographs_without_a_grade_are_a_method_of_their_own(runs: list[Path], tmp_path: Path) -> None:
    how = Distillation(teacher=str(tmp_path / "teacher"), temperature=2.0, unlabelled=("eyeq",))
    more = finished(tmp_path / "more", toy_config(seed=1, distillation=how), 0.8)
    header, _, *rows = map(cells, ablation_table(outcomes_of([runs[0], runs[2], more])).splitlines())
    column = header.index("unlabelled")
    assert [row[column] for row in rows] == ["eyeq", "none", "-"]


def test_a_run_without_a_finished_epoch_is_named(
    runs: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_config(toy_config(), tmp_path / "young")
    with pytest.raises(InputError, match="young has no finished epoch"):
        ablation_table(outcomes_of([*runs, tmp_path / "young"]))
    assert main(["ablation", str(runs[0]), str(tmp_path / "nothing")]) == 2
    assert "nothing is not a run" in capsys.readouterr().err
