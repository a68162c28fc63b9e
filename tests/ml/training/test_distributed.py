"""Two processes give the model that one gives."""

from pathlib import Path

import pytest
import torch

from ml.networks.architectures import build
from ml.training.checkpoints import LAST, load_checkpoint
from ml.training.config import TrainingConfig
from ml.training.distributed import DistributedContext, distributed_context
from ml.training.train import train
from tests.ml.toys import toy_config
from tests.ml.training.processes import start_training
from tests.screening.processes import free_port


def config() -> TrainingConfig:
    """One epoch with frozen batch norms: on CPUs the batch statistics of each process are separate."""
    return toy_config(epochs=1, freeze=("features.1", "features.4", "features.7", "features.10"))


def test_two_processes_give_the_same_model_as_one(first_run: Path, toy_data: Path) -> None:
    one, two = first_run.parent / "one-process", first_run.parent / "two-processes"
    environ = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port()), "WORLD_SIZE": "2"}
    processes = [start_training(config(), data=toy_data, run=two, environ=environ | {"RANK": rank}) for rank in "01"]
    train(config(), data=toy_data, imagenet=None, run=one)
    for process in processes:
        process.join(timeout=300)
        assert process.exitcode == 0
    states = [load_checkpoint(run / LAST) for run in (one, two)]
    assert states[0]["step"] == states[1]["step"] == 3
    for name in ("network", "ema"):
        assert all(torch.allclose(states[0][name][k], states[1][name][k], atol=1e-4) for k in states[0][name])
    assert states[0]["best_score"] == pytest.approx(states[1]["best_score"], abs=0.02)
    torch.manual_seed(config().seed)
    start = build("tiny").state_dict()["features.0.weight"]
    assert (states[0]["network"]["features.0.weight"] - start).abs().max() > 1e-3  # the comparison could fail


def test_without_torchrun_one_process_trains_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("WORLD_SIZE", "RANK"):
        monkeypatch.delenv(name, raising=False)
    with distributed_context() as alone:
        assert alone == DistributedContext(device=alone.device)
        assert alone.broadcast("value") == "value"


def test_it_refuses_a_batch_that_processes_cannot_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.distributed, "init_process_group", lambda *_, **__: None)
    monkeypatch.setattr(torch.distributed, "destroy_process_group", lambda: None)
    monkeypatch.setenv("WORLD_SIZE", "5")
    with pytest.raises(ValueError, match="A batch of 12 cannot be divided by 5 processes"):
        train(toy_config(), data=Path("-"), imagenet=None, run=Path("-"))
