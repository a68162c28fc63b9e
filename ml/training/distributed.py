"""One process or several: torchrun starts them, and the gradients of all make each step.

    torchrun --nproc-per-node 2 -m ml train --run runs/x ...

Process 0 alone writes files and validates. NB: on CPUs every process keeps the batch statistics of its own part; on
GPUs batch norms are shared (SyncBatchNorm).
"""

import datetime
import os
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

LONGEST_WAIT = datetime.timedelta(hours=2)
"""The other processes wait this long for process 0 to prepare or to validate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DistributedContext:
    """How many processes train together, and which one this is."""

    count: int = 1
    rank: int = 0
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    @property
    def is_first(self) -> bool:
        return self.rank == 0

    def share_gradients(self, learner: nn.Module) -> nn.Module:
        """The same module, whose backward pass averages the gradients of all processes."""
        if self.count == 1:
            return learner
        if self.device.type == "cuda":
            shared = nn.SyncBatchNorm.convert_sync_batchnorm(learner)  # type: ignore[no-untyped-call]
            return DistributedDataParallel(shared, device_ids=[self.device.index])
        return DistributedDataParallel(learner)

    def told_by_first(self, value: Any) -> Any:
        """What process 0 gave: every process must call this, and waits for it."""
        if self.count == 1:
            return value
        box = [value]
        distributed.broadcast_object_list(box, src=0)
        return box[0]


def join() -> DistributedContext:
    """The processes that torchrun announces in the environment; one alone without it. CUDA where there is one."""
    count, rank = int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("RANK", "0"))
    has_cuda = torch.cuda.is_available()
    device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0"))) if has_cuda else torch.device("cpu")
    if has_cuda:
        torch.cuda.set_device(device)
    if count > 1 and not distributed.is_initialized():
        distributed.init_process_group("nccl" if has_cuda else "gloo", timeout=LONGEST_WAIT)
    return DistributedContext(count=count, rank=rank, device=device)


def leave(processes: DistributedContext) -> None:
    """End the group that ``join`` made."""
    if processes.count > 1 and distributed.is_initialized():
        distributed.destroy_process_group()
