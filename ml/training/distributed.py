"""Distributed data-parallel training: one process, or several that torchrun starts.

    torchrun --nproc-per-node 2 -m ml train --output runs/x ...

The main process writes files and validates. NB: on CPUs the batch statistics of each process are
separate; on GPUs they are shared (SyncBatchNorm).
"""

import datetime
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

#: Maximum time that processes wait for the main process to fill the cache or to validate.
TIMEOUT = datetime.timedelta(hours=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class DistributedContext:
    """Number of training processes, rank of this one, and its device."""

    world_size: int = 1
    rank: int = 0
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    @property
    def is_main_process(self) -> bool:
        return self.rank == 0

    def wrap_ddp(self, network: nn.Module) -> nn.Module:
        """The same network, whose backward pass averages the gradients of all processes."""
        if self.world_size == 1:
            return network
        if self.device.type == "cuda":
            synced = nn.SyncBatchNorm.convert_sync_batchnorm(network)  # type: ignore[no-untyped-call]  # untyped torch
            return DistributedDataParallel(synced, device_ids=[self.device.index])
        return DistributedDataParallel(network)

    def broadcast(self, value: Any) -> Any:
        """The value of the main process; all processes must call it."""
        values = [value]
        if self.world_size > 1:
            distributed.broadcast_object_list(values, src=0)
        return values[0]

    @contextmanager
    def main_process_first(self) -> Iterator[None]:
        """Run the block in the main process, then in the others."""
        if not self.is_main_process:
            self.broadcast(None)
        yield
        if self.is_main_process:
            self.broadcast(None)


@contextmanager
def distributed_context() -> Iterator[DistributedContext]:
    """The processes that torchrun sets in the environment, else one alone; on CUDA if it is available."""
    world_size, rank = int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("RANK", "0"))
    device = torch.device("cpu")
    if torch.cuda.is_available():
        device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        torch.cuda.set_device(device)
    if world_size > 1:
        distributed.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=TIMEOUT)
    try:
        yield DistributedContext(world_size=world_size, rank=rank, device=device)
    finally:
        if world_size > 1:
            distributed.destroy_process_group()
