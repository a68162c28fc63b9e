"""Training loop: optimiser, learning rate schedule, moving average of the weights, checkpoints."""

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import tqdm

from ml.data.cache_files import atomic_write
from ml.training.batches import DROPOUT, seeded_generator
from ml.training.checkpoints import BEST, LAST, load_checkpoint, save_checkpoint, save_weights
from ml.training.config import TrainingConfig
from ml.training.prefetch import BatchSource, Prefetcher
from ml.training.run_report import write_report

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    Loss = Callable[[nn.Module, Tensor, Tensor], dict[str, Tensor]]
    Tensors = tuple[Tensor, ...] | list[Tensor]
    EmaUpdate = Callable[[Tensors, Tensors, Tensor | int], None]

#: Fraction of the steps in which the learning rate rises.
WARM_UP = 0.2
LOSSES = ("loss", "task_loss", "distillation_loss")
#: Attributes of a trainer that a checkpoint holds: those with a state dict, and plain values.
STATEFUL = ("network", "ema", "optimizer", "schedule")
VALUES = ("step", "seconds", "loss_sums", "best_score", "n_since_best", "history")


class TrainingData(BatchSource, Protocol):
    """Batches and validation of a run."""

    n_steps: int
    """Optimiser steps per epoch."""

    def validate(self, network: nn.Module) -> tuple[float, dict[str, dict[str, float]]]:
        """Score that selects the best epoch, and metrics by source."""


class Trainer:
    """Trains a network; all randomness depends on seed and step, so that a run can resume at any step.

    ``loss`` is a module that maps network, images and targets to the loss and its components.
    """

    def __init__(
        self,
        config: TrainingConfig,
        network: nn.Module,
        data: TrainingData,
        loss: "nn.Module",
    ) -> None:
        self.config, self.data = config, data
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.batches = Prefetcher(data, self.device)
        self.network: nn.Module = network.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]  # its stub lacks memory_format
        self.loss: Loss = loss.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]  # its stub lacks memory_format
        for name in config.freeze:
            network.get_submodule(name).requires_grad_(requires_grad=False)
        self.ema = AveragedModel(self.network, multi_avg_fn=_ema_update(config.ema_decay), use_buffers=True)
        self.ema.update_parameters(self.network)  # the first update copies
        self.optimizer = torch.optim.AdamW(
            [p for p in network.parameters() if p.requires_grad],
            lr=config.learning_rate,
            weight_decay=config.weight_decay,
        )
        n_rates = config.epochs * data.n_steps + 1
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimizer,
            config.learning_rate,
            total_steps=n_rates,
            pct_start=max(WARM_UP, 2 / n_rates),  # at least one step: torch divides by their number
        )
        self.step, self.seconds, self.loss_sums = 0, 0.0, torch.zeros(3, dtype=torch.float64, device=self.device)
        self.best_score, self.n_since_best = -1.0, 0
        self.history: list[dict[str, Any]] = []

    @property
    def epoch(self) -> int:
        """Number of finished epochs."""
        return self.step // self.data.n_steps

    @property
    def is_finished(self) -> bool:
        """All epochs are done, or the validation score has not improved for ``patience`` epochs."""
        patience = self.config.patience
        return self.epoch >= self.config.epochs or (patience > 0 and self.n_since_best >= patience)

    def run_step(self) -> None:
        """One optimiser step on one batch."""
        started = time.perf_counter()
        self.network.train()
        for name in self.config.freeze:
            self.network.get_submodule(name).eval()
        dropout = seeded_generator(self.config.seed, DROPOUT, self.step)
        torch.manual_seed(dropout.initial_seed())
        images, targets = self.batches.batch(self.step)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.config.bf16):
            losses = self.loss(self.network, images, targets)
        self.optimizer.zero_grad()
        losses["loss"].backward()  # type: ignore[no-untyped-call]  # untyped torch
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.config.clip_norm)
        self.optimizer.step()
        self.schedule.step()
        self.ema.update_parameters(self.network)
        self.step += 1
        self.loss_sums += torch.stack([losses[name].detach().double() for name in LOSSES])
        self.seconds += time.perf_counter() - started

    def finish_epoch(self) -> dict[str, Any]:
        """Validate the averaged network; returns the row of the log."""
        score, metrics = self.data.validate(self.ema.module)
        is_best = score > self.best_score
        self.best_score = max(score, self.best_score)
        self.n_since_best = 0 if is_best else self.n_since_best + 1
        means = (self.loss_sums / self.data.n_steps).tolist()
        row = {
            "epoch": self.epoch,
            **{name: round(mean, 4) for name, mean in zip(LOSSES, means, strict=True)},
            "learning_rate": self.schedule.get_last_lr()[0],
            "seconds": round(self.seconds),
            "score": round(score, 4),
            "is_best": is_best,
            "validation": metrics,
        }
        self.history.append(row)
        self.loss_sums.zero_()
        self.seconds = 0.0
        return row

    def state_dict(self) -> dict[str, Any]:
        """State to resume from, bit for bit."""
        states = {name: getattr(self, name).state_dict() for name in STATEFUL}
        return states | {name: getattr(self, name) for name in VALUES}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Resume from ``state_dict()``."""
        for name in STATEFUL:
            getattr(self, name).load_state_dict(state[name])
        for name in VALUES:
            setattr(self, name, state[name])
        self.loss_sums = self.loss_sums.to(self.device)


def _ema_update(decay: float) -> "EmaUpdate":
    """Exponential moving average with warm-up: the decay rises from 0.1 to ``decay``."""

    def update(averaged: "Tensors", current: "Tensors", n_averaged: "Tensor | int") -> None:
        n = int(n_averaged)
        fixed = get_ema_multi_avg_fn(min(decay, (1 + n) / (10 + n)))  # type: ignore[no-untyped-call]  # untyped torch
        fixed(averaged, current, n_averaged)

    return update


def fit(trainer: Trainer, run: Path, *, resume: bool = False) -> None:
    """Train until the run is finished; write checkpoints, log and report into ``run``.

    Resumes at the step of the last checkpoint, if there is one.
    """
    if resume and (run / LAST).exists():
        trainer.load_state_dict(load_checkpoint(run / LAST))
    n_steps, saved_at = trainer.data.n_steps, time.monotonic()
    while not trainer.is_finished:
        done = trainer.step % n_steps
        epoch = f"epoch {trainer.epoch + 1}"
        for _ in tqdm(range(done, n_steps), epoch, n_steps, initial=done, mininterval=5):
            trainer.run_step()
            is_due = time.monotonic() - saved_at >= trainer.config.checkpoint_seconds
            if is_due and trainer.step % n_steps:
                save_checkpoint(trainer.state_dict(), run / LAST)
                saved_at = time.monotonic()
        _finish_epoch(trainer, run)
        saved_at = time.monotonic()
    write_report(run)


def _finish_epoch(trainer: Trainer, run: Path) -> None:
    """Validate, and write the files of an epoch; the checkpoint last, so that a kill before it repeats the epoch."""
    row = trainer.finish_epoch()
    if row["is_best"]:
        save_weights(trainer.ema.module.state_dict(), run / BEST)
    with atomic_write(run / "log.jsonl") as partial:
        partial.write_text("".join(json.dumps(line) + "\n" for line in trainer.history))
    save_checkpoint(trainer.state_dict(), run / LAST)
    tqdm.write(json.dumps(row))
