"""Training runs: they learn, stop, and resume after a kill."""

import json
import multiprocessing
import os
import re
import shutil
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from ml.bundle import read_evaluation
from ml.networks.architectures import build
from ml.release.export import export_bundle
from ml.training import trainer as trainer_module
from ml.training.batches import sampling_weights
from ml.training.checkpoints import BEST, LAST, load_checkpoint, save_weights
from ml.training.config import TrainingConfig, write_config
from ml.training.train import train
from tests.ml.toys import N_PHOTOS, SOURCES, toy_config


def log_of(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]


def lowest_kappa(row: dict[str, Any]) -> float:
    return min(float(metrics["kappa"]) for metrics in row["validation"].values())


def test_a_run_writes_log_report_and_weights(first_run: Path) -> None:
    rows = log_of(first_run)
    assert [row["epoch"] for row in rows] == [1, 2]
    assert set(rows[-1]["validation"]) == set(SOURCES)
    assert all(row["loss"] == row["task_loss"] > row["distillation_loss"] == 0 for row in rows)
    build("tiny").load_state_dict(load_file(first_run / BEST))
    assert (first_run / "curves.png").read_bytes().startswith(b"\x89PNG")
    report = (first_run / "report.md").read_text()
    assert "2 of 2 epochs" in report
    assert re.search(r"\| epoch +\| loss +\| score +\| aptos2019 kappa ", report)
    assert not list(first_run.glob("*partial*"))


def test_a_network_learns_to_grade(runs: Path, toy_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainer_module, "write_report", lambda *_: None)  # it takes longer than an epoch
    config = toy_config(epochs=40, learning_rate=0.01, class_balance_power=0.0, image_size=64)
    train(config, data=toy_data, imagenet=None, run=runs / "long")
    rows = log_of(runs / "long")
    assert lowest_kappa(rows[0]) < 0.2
    assert lowest_kappa(max(rows, key=lambda row: row["score"])) > lowest_kappa(rows[0]) + 0.4
    assert rows[-1]["loss"] < rows[0]["loss"] - 0.05


def test_training_stops_after_patience_epochs_without_a_better_score(runs: Path, toy_data: Path) -> None:
    still = toy_config(epochs=30, learning_rate=0.0, patience=2)
    train(still, data=toy_data, imagenet=None, run=runs / "still")
    assert len(log_of(runs / "still")) < 30
    assert [row["is_best"] for row in log_of(runs / "still")][-2:] == [False, False]


def train_until(kill_at: int, config: TrainingConfig, data: Path, run: Path) -> None:
    """Train in this process, which kills itself before the step ``kill_at``."""
    run_step = trainer_module.Trainer.run_step

    def run_step_or_die(trainer: trainer_module.Trainer) -> None:
        if trainer.step == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        run_step(trainer)

    trainer_module.Trainer.run_step = run_step_or_die  # type: ignore[assignment, method-assign]
    train(config, data=data, imagenet=None, run=run)


def test_a_killed_run_resumes_at_its_step_bit_for_bit(first_run: Path, toy_data: Path) -> None:
    run = first_run.parent / "killed"
    options = (5, toy_config(checkpoint_seconds=0), toy_data, run)
    process = multiprocessing.get_context("spawn").Process(target=train_until, args=options)
    process.start()
    process.join(timeout=300)
    assert process.exitcode == -signal.SIGKILL
    assert load_checkpoint(run / LAST)["step"] == 5  # within the second epoch
    train(toy_config(), data=toy_data, imagenet=None, run=run, resume=True)
    first, second = (load_checkpoint(folder / LAST) for folder in (first_run, run))
    for name in ("network", "ema"):
        assert all(torch.equal(first[name][key], second[name][key]) for key in first[name])
    assert torch.equal(first["loss_sums"], second["loss_sums"])
    logs = [[row | {"seconds": 0} for row in log_of(folder)] for folder in (first_run, run)]
    assert logs[0] == logs[1]


def test_a_run_on_other_sources_becomes_a_bundle(toy_data: Path, tmp_path: Path) -> None:
    data, sources, run = tmp_path / "data", ("our_clinic", "eyepacs"), tmp_path / "run"
    for folder, source in zip(SOURCES, sources, strict=True):
        shutil.copytree(toy_data / folder, data / source)
    config = toy_config(epochs=9, learning_rate=0.0, patience=1, sources=sources)
    train(config, data=data, imagenet=None, run=run)
    options = {"name": "toy", "version": "0.0.1", "image_size": 96}
    bundle = export_bundle(run, data=data, folder=tmp_path / "bundle", **options)  # type: ignore[arg-type]  # mixed
    assert bundle.image_size == 96
    assert sum(map(sum, bundle.training["photographs_by_grade"]["eyepacs"].values())) == N_PHOTOS // 2
    card = (bundle.folder / "model-card.md").read_text()
    assert all(re.search(rf"\| {source} +\| ", card) for source in sources)
    assert "--name toy --version 0.0.1 --image-size 96\n" in card  # it was trained at 48
    assert set(read_evaluation(bundle)["splits"]["test"]) == set(sources)
    assert bundle.training["stages"][-1]["epochs_finished"] == len(log_of(run)) < 9


def test_rare_grades_and_small_sources_are_sampled_more_often() -> None:
    sources = np.array(["big"] * 90 + ["small"] * 10)
    grades = np.array([0] * 80 + [4] * 10 + [0] * 8 + [4] * 2)
    weights = sampling_weights(sources, grades, power=0.5).numpy()
    assert weights[85] > 2 * weights[0]
    assert weights[sources == "small"].sum() / weights.sum() > 0.2


def test_it_refuses_starting_weights_of_another_architecture(toy_data: Path, tmp_path: Path) -> None:
    write_config(toy_config(architecture="mobilenet_v3_small"), tmp_path / "other")
    save_weights(build("mobilenet_v3_small").state_dict(), tmp_path / "other" / BEST)
    with pytest.raises(ValueError, match="does not hold a tiny"):
        train(toy_config(init_from=str(tmp_path / "other")), data=toy_data, imagenet=None, run=tmp_path / "run")
    assert not (tmp_path / "cache").exists()
