"""Batches that are computed ahead."""

import pytest
import torch

from ml.training.prefetch import N_AHEAD, Prefetcher


class Steps:
    """Batches that hold the number of their step."""

    def __init__(self) -> None:
        self.computed: list[int] = []

    def batch(self, step: int, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
        self.computed.append(step)
        return torch.full((2,), step, device=device), torch.zeros(2, device=device)


def test_on_a_cpu_only_the_requested_batch_is_computed() -> None:
    steps = Steps()
    batches = Prefetcher(steps, torch.device("cpu"))
    assert [int(batches.batch(step)[0][0]) for step in (3, 4)] == [3, 4]
    assert steps.computed == [3, 4]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_on_a_gpu_the_next_batches_are_computed_ahead_and_come_in_order() -> None:
    steps = Steps()
    batches = Prefetcher(steps, torch.device("cuda"))
    assert [int(batches.batch(step)[0][0]) for step in range(5, 25)] == list(range(5, 25))
    assert sorted(set(steps.computed)) == sorted(steps.computed)
    assert len(steps.computed) <= 20 + N_AHEAD
