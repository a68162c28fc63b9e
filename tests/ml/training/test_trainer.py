"""The trainer: it resumes bit for bit, averages weights, and gives the same batch for a step."""

import copy
import dataclasses

import numpy as np
import pytest
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel

from ml.networks.architectures import build
from ml.training.batches import seeded_generator
from ml.training.config import Distillation, TrainingConfig
from ml.training.distillation import DistillationLoss, TeacherEnsemble
from ml.training.losses import SupervisedLoss
from ml.training.run_data import RunData
from ml.training.trainer import Trainer, _ema_update
from tests.ml.toys import random_teacher, toy_config, toy_dataset

DISTILLATION = Distillation(teachers=("-",), unlabelled=("eyeq",), unlabelled_fraction=0.5)
CPU = torch.device("cpu")


def run_data(config: TrainingConfig) -> RunData:
    dataset = toy_dataset()
    return RunData(config, dataset, dataset.pixels[np.arange(7)], image_size=48)


@pytest.mark.parametrize("distillation", [None, DISTILLATION], ids=["graded", "with unlabelled"])
def test_a_batch_depends_on_its_step_alone(distillation: Distillation | None) -> None:
    data = run_data(toy_config(distillation=distillation, equalize_prob=0.3))
    images, grades = data.batch(3, CPU)
    assert images.shape == (18 if distillation else 12, 3, 48, 48)
    assert 0 <= images.min() < images.max() <= 1
    assert [torch.equal(one, other) for one, other in zip(data.batch(3, CPU), (images, grades), strict=True)] == [
        True
    ] * 2
    assert not torch.equal(data.batch(4, CPU)[0], images)


def test_a_student_resumes_at_any_step_bit_for_bit() -> None:
    config = toy_config(distillation=DISTILLATION)
    loss = DistillationLoss(config, DISTILLATION, TeacherEnsemble([random_teacher(48)]))
    complete, resumed = (Trainer(config, build("tiny"), run_data(config), loss) for _ in range(2))
    for step in range(5):
        if step == 2:
            resumed.load_state_dict(copy.deepcopy(complete.state_dict()))
        complete.run_step()
        if step >= 2:
            resumed.run_step()
    states = [trainer.network.state_dict() for trainer in (complete, resumed)]
    assert all(torch.equal(value, states[1][name]) for name, value in states[0].items())


def test_random_numbers_depend_only_on_the_given_numbers() -> None:
    first, again, other = (torch.rand(4, generator=seeded_generator(*n)) for n in ((1, 2, 3), (1, 2, 3), (1, 3, 2)))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_the_moving_average_forgets_the_starting_weights_and_includes_buffers() -> None:
    network = nn.BatchNorm1d(1)
    network.running_mean = torch.ones(1)
    ema = AveragedModel(network, multi_avg_fn=_ema_update(0.5), use_buffers=True)
    ema.update_parameters(network)
    expected = 1.0
    for step in range(1, 11):
        nn.init.constant_(network.weight, 1 + step)
        network.running_mean = torch.tensor([1.0 + step])
        ema.update_parameters(network)
        decay = min(0.5, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * (1 + step)
    averaged = ema.module.state_dict()
    assert [float(averaged[name]) for name in ("weight", "running_mean")] == pytest.approx([expected] * 2)


@pytest.mark.parametrize("bf16", [False, True], ids=["float32", "bfloat16"])
def test_frozen_modules_keep_weights_and_statistics(bf16: bool) -> None:
    config = toy_config(freeze=("features.0", "features.1"), bf16=bf16)
    network = build("tiny")
    before = {name: value.clone() for name, value in network.state_dict().items()}
    trainer = Trainer(config, network, run_data(config), SupervisedLoss(config))
    for _ in range(2):
        trainer.run_step()
    after = network.state_dict()
    assert all(value.dtype == before[name].dtype for name, value in after.items())
    assert trainer.loss_sums.isfinite().all()
    changed = {name for name, value in after.items() if not torch.equal(value, before[name])}
    assert not any(name.startswith(("features.0.", "features.1.")) for name in changed)
    assert {"features.3.weight", "features.4.running_mean", "classifier.0.weight"} <= changed


def test_it_refuses_fewer_photographs_than_a_batch() -> None:
    with pytest.raises(ValueError, match="50 training photographs do not fill one batch of 1000"):
        run_data(dataclasses.replace(toy_config(), batch_size=1000))
