"""The whole loop on a toy: it learns, and it goes on after a stop as if there had been none."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ml.bundle import read_bundle
from ml.export import export_bundle
from ml.train import Training, TrainingConfig, ordinal_target, sampling_weights, train

N_PHOTOS = 60


@pytest.fixture(scope="module")
def toy_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty small discs whose number of dark spots is their grade."""
    root = tmp_path_factory.mktemp("toy")
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:96, :96]
    for source in ("aptos2019", "eyepacs"):
        (root / source / "images").mkdir(parents=True)
        rows = []
        for i in range(N_PHOTOS // 2):
            grade = i % 5
            photo = np.zeros((96, 96, 3))
            disc = (x - 48) ** 2 + (y - 48) ** 2 < 44**2
            photo[disc] = rng.normal((170, 90, 50), 12, (int(disc.sum()), 3))
            for _ in range(4 * grade):
                cx, cy = rng.integers(22, 74, 2)
                photo[(x - cx) ** 2 + (y - cy) ** 2 < 14] = (40, 10, 8)
            name = f"images/{source}-{i}.png"
            Image.fromarray(np.clip(photo, 0, 255).astype(np.uint8)).save(root / source / name)
            rows.append({"file": name, "grade": grade, "patient": i})
        with (root / source / "labels.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, ["file", "grade", "patient"])
            writer.writeheader()
            writer.writerows(rows)
    return root


def toy_config(**changes: object) -> TrainingConfig:
    values = {
        "sources": ("aptos2019", "eyepacs"),
        "side_px": 64,
        "cache_side_px": 64,
        "n_epochs": 2,
        "batch": 12,
        "n_threads": 1,
    }
    return TrainingConfig(**values | changes)  # type: ignore[arg-type]


def test_training_lowers_the_loss_and_leaves_log_and_checkpoints(toy_data: Path, tmp_path: Path) -> None:
    best = train(toy_config(n_epochs=12, learning_rate=3e-3), data=toy_data, imagenet=None, run=tmp_path / "run")
    rows = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert [row["epoch"] for row in rows] == list(range(1, 13))
    assert rows[-1]["loss"] < rows[0]["loss"] - 0.05
    assert set(rows[-1]["validation"]) == {"aptos2019", "eyepacs"}
    assert best.exists()


def test_a_stopped_run_goes_on_as_if_it_had_not_stopped(toy_data: Path, tmp_path: Path) -> None:
    whole = train(toy_config(), data=toy_data, imagenet=None, run=tmp_path / "whole").parent
    stop = Training.run_epoch

    def stop_in_the_second_epoch(self: Training) -> dict[str, object]:
        if self.epoch == 1:
            raise KeyboardInterrupt
        return stop(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Training, "run_epoch", stop_in_the_second_epoch)
        with pytest.raises(KeyboardInterrupt):
            train(toy_config(), data=toy_data, imagenet=None, run=tmp_path / "parts")
    parts = train(toy_config(), data=toy_data, imagenet=None, run=tmp_path / "parts", resume=True).parent
    first, second = (torch.load(run / "last.pt", weights_only=True)["network"] for run in (whole, parts))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_a_run_becomes_a_bundle_that_loads(toy_data: Path, tmp_path: Path) -> None:
    train(toy_config(n_epochs=1), data=toy_data, imagenet=None, run=tmp_path / "run")
    folder = tmp_path / "bundle"
    bundle = export_bundle(tmp_path / "run", data=toy_data, folder=folder, name="toy", version="0.0.1")
    assert read_bundle(folder, verify=True) == bundle
    assert sum(map(sum, bundle.training["photographs_by_grade"]["eyepacs"].values())) == N_PHOTOS // 2
    assert "| eyepacs |" in (folder / "model-card.md").read_text()


def test_ordinal_targets_fall_with_the_distance() -> None:
    target = ordinal_target(torch.tensor([0, 2]), 2.0)
    assert target.sum(dim=1).tolist() == pytest.approx([1, 1])
    assert target[0].tolist() == sorted(target[0].tolist(), reverse=True)
    assert target[1, 1] == target[1, 3] < target[1, 2]


def test_rare_grades_and_small_sources_are_drawn_more_often(toy_data: Path, tmp_path: Path) -> None:
    from ml.data.cache import RetinaSet

    sources = np.array(["big"] * 90 + ["small"] * 10)
    grades = np.array([0] * 80 + [4] * 10 + [0] * 8 + [4] * 2)
    retinas = RetinaSet(
        pixels=np.zeros((100, 1, 1, 3), np.uint8),
        grades=grades,
        sources=sources,
        groups=sources,
        parts=np.zeros(100, np.int8),
        files=[],
        n_copies=0,
        n_without_retina=0,
    )
    weights = sampling_weights(retinas, np.arange(100), power=0.5).numpy()
    assert weights[85] > 2 * weights[0]
    assert weights[sources == "small"].sum() / weights.sum() > 0.2
