"""The whole loop on a toy: it learns, and it goes on after a stop as if there had been none."""

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from ml.bundle import Bundle, read_bundle, read_evaluation
from ml.data.cache import FundusDataset
from ml.release.export import export_bundle
from ml.release.recalibrate import recalibrate
from ml.training.batches import sampling_weights
from ml.training.checkpoints import read_state
from ml.training.train import train
from tests.ml.toys import N_PHOTOS, toy_config, write_toy_data

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def toy_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_toy_data(tmp_path_factory.mktemp("toy"))


def test_training_lowers_the_loss_and_leaves_log_and_checkpoints(toy_data: Path, tmp_path: Path) -> None:
    best = train(toy_config(epochs=12), data=toy_data, imagenet=None, run=tmp_path / "run")
    rows = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert [row["epoch"] for row in rows] == list(range(1, 13))
    assert rows[-1]["loss"] < rows[0]["loss"] - 0.05
    assert set(rows[-1]["validation"]) == {"aptos2019", "eyepacs"}
    assert best.exists()
    assert (tmp_path / "run" / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert "12 of 12 epochs" in (tmp_path / "run" / "report.md").read_text()


KILLED_RUN = """
import os, signal, sys
from pathlib import Path
from ml.training.train import train
from ml.training.trainer import Trainer
from tests.ml.toys import toy_config

run_step = Trainer.run_step

def run_step_or_die(training):
    if training.step == 5:
        os.kill(os.getpid(), signal.SIGKILL)
    run_step(training)

Trainer.run_step = run_step_or_die
train(toy_config(checkpoint_seconds=0), data=Path(sys.argv[1]), imagenet=None, run=Path(sys.argv[2]))
"""


def test_a_killed_run_goes_on_at_its_step_as_if_it_had_not_been_killed(toy_data: Path, tmp_path: Path) -> None:
    whole = train(toy_config(), data=toy_data, imagenet=None, run=tmp_path / "whole").parent
    parts = tmp_path / "parts"
    killed = subprocess.run([sys.executable, "-c", KILLED_RUN, toy_data, parts], cwd=ROOT, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert read_state(parts / "last.pt")["step"] == 5  # in the middle of the second epoch
    train(toy_config(), data=toy_data, imagenet=None, run=parts, resume=True)
    first, second = (read_state(run / "last.pt") for run in (whole, parts))
    for part in ("network", "average"):
        assert all(torch.equal(first[part][name], second[part][name]) for name in first[part])
    rows = [[json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()] for run in (whole, parts)]
    for row in (*rows[0], *rows[1]):
        del row["seconds"]
    assert rows[0] == rows[1]
    assert not list(parts.glob("*.partial"))


def test_a_run_becomes_a_bundle_that_loads_whatever_its_sources_are_called(toy_data: Path, tmp_path: Path) -> None:
    data = tmp_path / "photographs"
    shutil.copytree(toy_data / "aptos2019", data / "our_clinic")
    shutil.copytree(toy_data / "eyepacs", data / "eyepacs")
    sources = ("our_clinic", "eyepacs")
    changes = {"epochs": 3, "learning_rate": 0.0, "patience": 1, "sources": sources}
    train(toy_config(architecture="mobilenet_v3_small", **changes), data=data, imagenet=None, run=tmp_path / "run")
    folder = tmp_path / "bundle"
    bundle = export_bundle(tmp_path / "run", data=data, folder=folder, name="toy", version="0.0.1", side_px=96)
    assert read_bundle(folder, verify=True) == bundle
    assert sum(map(sum, bundle.training["photographs_by_grade"]["eyepacs"].values())) == N_PHOTOS // 2
    card = (folder / "model-card.md").read_text()
    assert all(f"| {source} | " in card for source in sources)
    assert set(read_evaluation(bundle)["parts"]["test"]) == set(sources)
    assert "# stopped after 2 epochs" in card  # of three: nothing was better than the first
    assert bundle.side_px == 96
    assert "--name toy --version 0.0.1 --side-px 96\n" in card  # it was trained at 64


@pytest.fixture(scope="module")
def toy_bundle(toy_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    place = tmp_path_factory.mktemp("released")
    config = toy_config(architecture="mobilenet_v3_small", epochs=1)
    train(config, data=toy_data, imagenet=None, run=place / "run")
    return export_bundle(place / "run", data=toy_data, folder=place / "bundle", name="toy", version="0.0.1")


def test_recalibration_finds_what_export_had_fitted(toy_bundle: Bundle, toy_data: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(toy_bundle.folder, tmp_path / "other"))
    content = json.loads((other / "bundle.json").read_text())
    content |= {"calibration": {"temperature": 3.0, "bias": [1.0, 0, 0, 0, -1.0]}, "grade_cuts": [0.1, 0.4, 0.7, 1.0]}
    (other / "bundle.json").write_text(json.dumps(content))
    before = (other / "bundle.json").read_bytes()
    cache = toy_bundle.folder.parent / "cache"
    again = recalibrate(read_bundle(other), version="0.0.2", folder=tmp_path / "again", data=toy_data, cache=cache)
    assert read_bundle(again.folder, verify=True) == again
    assert again.weights_sha256 == toy_bundle.weights_sha256
    assert again.temperature == pytest.approx(toy_bundle.temperature, rel=0.01)
    assert again.bias == pytest.approx(toy_bundle.bias, abs=0.01)
    assert again.grade_cuts == pytest.approx(toy_bundle.grade_cuts, abs=0.05)
    assert (other / "bundle.json").read_bytes() == before
    assert not list(tmp_path.glob(".unfinished-*"))


def test_rare_grades_and_small_sources_are_drawn_more_often() -> None:
    sources = np.array(["big"] * 90 + ["small"] * 10)
    grades = np.array([0] * 80 + [4] * 10 + [0] * 8 + [4] * 2)
    retinas = FundusDataset(
        pixels=np.zeros((100, 1, 1, 3), np.uint8),
        grades=grades,
        sources=sources,
        groups=sources,
        splits=np.zeros(100, np.int8),
        files=[],
        n_duplicates=0,
        n_without_retina=0,
    )
    weights = sampling_weights(retinas, np.arange(100), power=0.5).numpy()
    assert weights[85] > 2 * weights[0]
    assert weights[sources == "small"].sum() / weights.sum() > 0.2
