"""Teachers: fused batch norms, ensembles."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch

from ml.networks.architectures import build
from ml.training.batches import normalize
from ml.training.checkpoints import read_state, save_atomically
from ml.training.teacher import Ensemble, Teacher
from tests.ml.toys import random_teacher


@pytest.mark.parametrize("architecture", ["tiny", "resnet50", "mobilenet_v3_small"])
def test_fused_batch_norms_do_not_change_the_logits(architecture: str) -> None:
    torch.manual_seed(2)
    network = build(architecture).eval()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d) and module.running_mean is not None:
            module.running_mean.uniform_(-0.2, 0.2)
            module.weight.data.uniform_(0.8, 1.2)
    images = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        expected = network(normalize(images))
    teacher = Teacher(network, 64)
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in teacher.network.modules())
    assert torch.allclose(teacher(images), expected, atol=1e-4)


def test_an_ensemble_averages_the_logits_of_its_teachers() -> None:
    images, first, second = torch.rand(4, 3, 64, 64), random_teacher(image_size=48), random_teacher(image_size=64)
    ensemble = Ensemble([first, second])
    assert torch.allclose(ensemble(images), (first(images) + second(images)) / 2, atol=1e-5)
    assert ensemble.image_size == 64


def test_two_writers_of_one_file_leave_it_whole(tmp_path: Path) -> None:
    path, state = tmp_path / "last.pt", {"logits": torch.rand(64, 5)}
    together = threading.Barrier(2)

    def write() -> None:
        for _ in range(20):
            together.wait(timeout=30)
            save_atomically(state, path)

    with ThreadPoolExecutor(2) as pool:
        for writer in [pool.submit(write), pool.submit(write)]:
            writer.result()
    assert torch.equal(read_state(path)["logits"], state["logits"])
    assert list(tmp_path.iterdir()) == [path]
