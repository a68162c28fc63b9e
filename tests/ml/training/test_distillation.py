"""Distillation: teachers, the loss, and the photographs without a grade."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from ml.data.augment import resize_images
from ml.data.unlabelled import load_unlabelled
from ml.networks.architectures import build
from ml.training.batches import load_images, normalize
from ml.training.checkpoints import BEST
from ml.training.config import Distillation, TrainingConfig, read_config
from ml.training.distillation import DistillationLoss, TeacherEnsemble
from ml.training.losses import kd_loss, label_loss
from ml.training.run_data import RunData, load_graded
from ml.training.train import train
from ml.training.trainer import Trainer
from tests.ml.toys import SOURCES, random_teacher, toy_config, toy_dataset


def student_config(*teachers: Path | str, epochs: int = 1, **changes: Any) -> TrainingConfig:
    return toy_config(epochs=epochs, distillation=Distillation(teachers=tuple(map(str, teachers)), **changes))


@pytest.mark.parametrize(
    ("n_teachers", "changes"),
    [(1, {"teacher_bf16": True, "unlabelled": ("eyeq",), "unlabelled_fraction": 0.5}), (2, {})],
    ids=["unlabelled, teacher in bf16", "two teachers"],
)
def test_a_student_is_distilled(n_teachers: int, changes: dict[str, Any], first_run: Path, toy_data: Path) -> None:
    config = student_config(*[first_run] * n_teachers, **changes)
    run = first_run.parent / f"student-{n_teachers}"
    train(config, data=toy_data, imagenet=None, run=run)
    row = json.loads((run / "log.jsonl").read_text().splitlines()[-1])
    assert row["loss"] == pytest.approx(0.3 * row["task_loss"] + 0.7 * row["distillation_loss"], abs=1e-3)
    assert row["distillation_loss"] > 0
    assert set(row["validation"]) == set(SOURCES)
    build("tiny").load_state_dict(load_file(run / BEST))  # without the teacher's weights
    assert read_config(run) == config


def test_a_student_approaches_its_teacher() -> None:
    config = student_config("-", epochs=6, distill_loss_weight=1.0)
    dataset, teacher = toy_dataset(), TeacherEnsemble([random_teacher()])
    data = RunData(config, dataset, np.empty((0, 64, 64, 3), np.uint8), image_size=64)
    torch.manual_seed(0)
    assert config.distillation is not None
    trainer = Trainer(config, build("tiny"), data, DistillationLoss(config, config.distillation, teacher))

    def distance() -> float:
        images = resize_images(load_images(dataset.pixels, data.indices), 64)
        with torch.no_grad():
            student = trainer.network.eval()(normalize(resize_images(images, 48))).softmax(1)
        return float((student - teacher(images).softmax(1)).abs().mean())

    before = distance()
    for _ in range(6 * data.n_steps):
        trainer.run_step()
    assert distance() < 0.7 * before


def test_photographs_without_a_grade_count_in_the_distillation_loss_only() -> None:
    config = student_config("-", distill_loss_weight=0.9, temperature=3.0)
    assert config.distillation is not None
    teacher, network = TeacherEnsemble([random_teacher(48)]), build("tiny").eval()
    images, grades = torch.rand(6, 3, 48, 48), torch.tensor([0, 2, 4, 1])
    targets = torch.stack([grades, torch.full_like(grades, -1)], dim=1)  # without a label of oedema
    with torch.no_grad():
        losses = DistillationLoss(config, config.distillation, teacher)(network, images, targets)
        logits = network(normalize(images))
    assert losses["task_loss"] == pytest.approx(float(label_loss(config)(logits[:4, :5], grades)))
    assert losses["distillation_loss"] == pytest.approx(float(kd_loss(logits, teacher(images), 3.0)))
    assert losses["loss"] == pytest.approx(float(0.1 * losses["task_loss"] + 0.9 * losses["distillation_loss"]))


def test_unlabelled_photographs_exclude_rejects_and_people_held_out(toy_data: Path, first_run: Path) -> None:
    cache = first_run.parent / "cache"
    dataset = load_graded(toy_config(), data=toy_data, cache=cache)
    pixels = load_unlabelled([toy_data / "eyeq"], dataset=dataset, side_px=64, cache=cache)
    held_out = [photo for photo, split in zip(dataset.photos, dataset.splits, strict=True) if split]
    people = {int(photo.path.stem.split("-")[1]) for photo in held_out if photo.source == "eyepacs"}
    assert people  # the photographs of eyeq are of the thirty people of eyepacs
    assert len(pixels) == len([i for i in range(30) if i not in people and i % 10 != 9])


@pytest.mark.parametrize(
    ("teachers", "changes", "message"),
    [
        (["-"], {"distill_loss_weight": 1.5}, "between 0 and 1"),
        (["-"], {"temperature": 0.0}, "above 0"),
        ([], {}, "Name a teacher"),
        (["-"], {}, "- is not a run"),
    ],
)
def test_it_refuses_settings_that_cannot_be_used(teachers: list[str], changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        train(student_config(*teachers, **changes), data=Path("-"), imagenet=None, run=Path("-"))


def test_an_ensemble_averages_the_logits_of_its_teachers() -> None:
    images, teachers = torch.rand(4, 3, 64, 64), [random_teacher(48), random_teacher(64)]
    alone = [TeacherEnsemble([teacher])(images) for teacher in teachers]
    assert not torch.equal(*alone)
    ensemble, config = TeacherEnsemble(teachers), student_config("-")
    assert torch.allclose(ensemble(images), (alone[0] + alone[1]) / 2, atol=1e-5)
    assert torch.allclose(alone[1], teachers[1].network(normalize(images)), atol=1e-4)
    assert config.distillation is not None
    assert DistillationLoss(config, config.distillation, ensemble).image_size == 64  # of the larger teacher
