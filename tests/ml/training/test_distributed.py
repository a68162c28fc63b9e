"""Two processes that train together give the model that one gives."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from ml.training.checkpoints import read_state
from ml.training.distributed import DistributedContext, join, leave
from ml.training.train import train
from tests.ml.toys import toy_config, write_toy_data
from tests.screening.processes import free_port

ROOT = Path(__file__).resolve().parents[3]

MEMBER = """
import sys
from pathlib import Path
from ml.training.train import train
from tests.ml.toys import frozen_norms, toy_config

with frozen_norms():
    train(toy_config(n_shards=2), data=Path(sys.argv[1]), imagenet=None, run=Path(sys.argv[2]))
"""


def members(n: int, *arguments: Path) -> list["subprocess.Popen[bytes]"]:
    """n processes as torchrun would start them."""
    shared = os.environ | {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port()), "WORLD_SIZE": str(n)}
    return [
        subprocess.Popen([sys.executable, "-c", MEMBER, *map(str, arguments)], cwd=ROOT, env=shared | {"RANK": str(i)})
        for i in range(n)
    ]


def test_two_processes_give_the_same_model_as_one(tmp_path: Path) -> None:
    data = write_toy_data(tmp_path / "toy")
    for n, name in ((1, "one"), (2, "two")):
        assert [process.wait(timeout=300) for process in members(n, data, tmp_path / name)] == [0] * n
    one, two = (read_state(tmp_path / name / "last.pt") for name in ("one", "two"))
    assert one["step"] == two["step"] > 0
    for part in ("network", "average"):
        assert all(torch.allclose(one[part][k].float(), two[part][k].float(), atol=1e-4) for k in one[part])
    scores = [
        json.loads((tmp_path / name / "log.jsonl").read_text().splitlines()[-1])["score"] for name in ("one", "two")
    ]
    assert scores[0] == pytest.approx(scores[1], abs=0.02)


def test_two_processes_learn_otherwise_than_one_that_sees_other_changes(tmp_path: Path) -> None:
    """The comparison above could fail: without shards, one process changes the same photographs differently."""
    data = write_toy_data(tmp_path / "toy")
    states = []
    for n_shards in (1, 2):
        run = tmp_path / str(n_shards)
        train(toy_config(n_shards=n_shards), data=data, imagenet=None, run=run)
        states.append(read_state(run / "last.pt")["network"])
    assert not all(torch.allclose(states[0][k].float(), states[1][k].float(), atol=1e-4) for k in states[0])


def test_without_torchrun_one_process_trains_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("WORLD_SIZE", "RANK"):
        monkeypatch.delenv(name, raising=False)
    alone = join()
    assert alone == DistributedContext(device=alone.device)
    assert alone.told_by_first("word") == "word"
    leave(alone)
