"""Distillation: the student approaches its teacher, on photographs with and without a grade."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ml.data.augment import shrink
from ml.data.cache import FundusDataset
from ml.data.unlabelled import load_unlabelled
from ml.networks.architectures import build
from ml.training.batches import generator, load_images
from ml.training.config import Distillation, TrainingConfig, read_config
from ml.training.distillation import DistillationTrainer, distill
from ml.training.teacher import Ensemble
from ml.training.train import load_run_data, train
from tests.ml.toys import SOURCES, random_teacher, toy_config, toy_retinas, write_toy_data


@pytest.fixture(scope="module")
def toy_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_toy_data(tmp_path_factory.mktemp("toy"))


@pytest.fixture(scope="module")
def teacher_run(toy_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("runs") / "teacher"
    return train(toy_config(epochs=1, image_size=48), data=toy_data, imagenet=None, run=run).parent


def student_config(*teachers: Path | str, epochs: int = 1, **changes: Any) -> TrainingConfig:
    return toy_config(epochs=epochs, distillation=Distillation(teachers=tuple(map(str, teachers)), **changes))


@pytest.mark.parametrize(
    ("n_teachers", "changes"),
    [(1, {}), (1, {"teacher_bf16": True, "unlabelled": ("eyeq",), "unlabelled_fraction": 0.5}), (2, {})],
    ids=["one teacher", "unlabelled, teacher in bf16", "two teachers"],
)
def test_a_student_is_distilled(n_teachers: int, changes: dict[str, Any], teacher_run: Path, toy_data: Path) -> None:
    run = teacher_run.parent / "-".join(["student", str(n_teachers), *changes])
    config = student_config(*[teacher_run] * n_teachers, **changes)
    best = distill(config, data=toy_data, imagenet=None, run=run)
    row = json.loads((run / "log.jsonl").read_text().splitlines()[-1])
    assert np.isfinite(row["loss"])
    assert set(row["validation"]) == set(SOURCES)
    build("tiny").load_state_dict(torch.load(best, weights_only=True))
    assert read_config(run) == config


def distance(trainer: DistillationTrainer) -> float:
    """Mean absolute difference of student and teacher probabilities on the training photographs."""
    images = shrink(load_images(trainer.retinas, trainer.indices), side_px=64)
    with torch.no_grad():
        own = trainer.network.eval()((images - 0.45) / 0.225).softmax(1)
    return float((own - trainer.teacher(images).softmax(1)).abs().mean())


def test_a_student_approaches_its_teacher() -> None:
    retinas = toy_retinas()
    torch.manual_seed(0)
    trainer = DistillationTrainer(
        student_config("-", epochs=6, distill_loss_weight=1.0),
        retinas,
        build("tiny"),
        teacher=Ensemble([random_teacher()]),
        unlabelled=retinas.pixels[:0],
    )
    before = distance(trainer)
    for _ in range(6 * trainer.n_steps):
        trainer.run_step()
    assert distance(trainer) < 0.7 * before


def test_unlabelled_photographs_exclude_rejects_and_people_held_out(toy_data: Path, tmp_path: Path) -> None:
    retinas: FundusDataset = load_run_data(toy_config(), data=toy_data, cache=tmp_path)
    pixels = load_unlabelled(
        [toy_data / "eyeq"],
        graded=[toy_data / source for source in SOURCES],
        dataset=retinas,
        side_px=64,
        cache=tmp_path,
    )
    held_out = {
        f for s, f, p in zip(retinas.sources, retinas.files, retinas.splits, strict=True) if s == "eyepacs" and p
    }
    people = {int(name.split("-")[1].split(".")[0]) for name in held_out}
    assert people  # the toy set's eyeq photographs are of the same thirty people
    assert len(pixels) == len([i for i in range(30) if i not in people and i % 10 != 9])


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"distill_loss_weight": 1.5}, "between 0 and 1"), ({"temperature": 0.0}, "above 0"), ({}, "is not a run")],
)
def test_it_refuses_settings_that_cannot_be_used(
    changes: dict[str, Any], message: str, toy_data: Path, tmp_path: Path
) -> None:
    config = dataclasses.replace(student_config(tmp_path, **changes))
    with pytest.raises(ValueError, match=message):
        distill(config, data=toy_data, imagenet=None, run=tmp_path / "run")


def test_random_numbers_depend_only_on_the_given_numbers() -> None:
    first, again, other = generator(1, 2, 3), generator(1, 2, 3), generator(1, 3, 2)
    sampled = [torch.rand(4, generator=random).tolist() for random in (first, again, other)]
    assert sampled[0] == sampled[1] != sampled[2]
