"""Batches that are computed ahead, so that augmentation and training run at the same time on a GPU."""

from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Protocol

import torch

if TYPE_CHECKING:
    from torch import Tensor

#: Batches that are computed at the same time. The photographs of one take 0.3 GB at 384 pixels.
N_AHEAD = 4


class BatchSource(Protocol):
    """Batches that depend on their step alone."""

    def batch(self, step: int, device: torch.device) -> "tuple[Tensor, Tensor]":
        """Augmented images [B, 3, S, S] in [0, 1] and targets of a step, on the device."""


class Prefetcher:
    """Batches of steps that follow each other; on a CPU, where nothing is gained, each is computed on request."""

    def __init__(self, data: BatchSource, device: torch.device) -> None:
        self.data, self.device = data, device
        self.pool = ThreadPoolExecutor(N_AHEAD)
        n_streams = N_AHEAD if device.type == "cuda" else 0  # few, because each keeps the memory that it has freed
        self.streams = [torch.cuda.Stream() for _ in range(n_streams)]  # type: ignore[no-untyped-call]  # untyped torch
        self.pending: dict[int, Future[tuple[Tensor, Tensor, torch.cuda.Event]]] = {}

    def batch(self, step: int) -> "tuple[Tensor, Tensor]":
        """Images and targets of a step, on the device."""
        if self.device.type != "cuda":
            return self.data.batch(step, self.device)
        for each in range(step, step + N_AHEAD + 1):
            if each not in self.pending:
                self.pending[each] = self.pool.submit(self._compute, each)
        images, targets, computed = self.pending.pop(step).result()
        stream = torch.cuda.current_stream()
        stream.wait_event(computed)
        for tensor in (images, targets):
            tensor.record_stream(stream)  # its memory is not given to another batch before this stream has read it
        return images, targets

    def _compute(self, step: int) -> "tuple[Tensor, Tensor, torch.cuda.Event]":
        with torch.cuda.stream(self.streams[step % N_AHEAD]):
            images, targets = self.data.batch(step, self.device)
            return images, targets, torch.cuda.current_stream().record_event()
