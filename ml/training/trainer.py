"""One run in progress: network, moving average, optimiser and schedule, one step after the other."""

import copy
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from ml.data.labels import EQUALIZED_SOURCE
from ml.data.splits import TRAIN, VALIDATION
from ml.errors import InputError
from ml.metrics.grading import expected_grade, quadratic_kappa, referable_auc
from ml.training.batches import (
    Shard,
    augmented_images,
    generator,
    normalize,
    predict,
    sampling_weights,
)
from ml.training.config import TrainingConfig
from ml.training.distributed import DistributedContext
from ml.training.losses import label_loss
from ml.vocabulary import REFERABLE_FROM

if TYPE_CHECKING:
    from torch import Tensor

    from ml.data.cache import FundusDataset

DRAW, CHANGE, DROP = 0, 1, 2
"""Streams of random numbers: which photographs, how they are changed, which features are dropped."""


class Trainer:
    """One run in progress. All its chance depends on seed and step alone, so that it can go on from any step."""

    def __init__(
        self,
        config: TrainingConfig,
        retinas: "FundusDataset",
        network: nn.Module,
        *,
        processes: DistributedContext | None = None,
    ) -> None:
        self.config, self.retinas = config, retinas
        self.processes = processes or DistributedContext()
        self.device = self.processes.device
        self.label_loss = label_loss(config.loss)
        self.n_shards = _shards(config, self.processes)
        self.network: nn.Module = network.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        for name in config.freeze:
            self.network.get_submodule(name).requires_grad_(requires_grad=False)
        self.average = copy.deepcopy(self.network).eval()
        self.indices = retinas.where(TRAIN)
        self.n_steps = len(self.indices) // config.batch_size
        if not self.n_steps:
            raise InputError(f"{len(self.indices)} training photographs do not fill one batch of {config.batch_size}.")
        self.weights = sampling_weights(retinas, self.indices, power=config.class_balance_power)
        self.step, self.epoch_loss, self.epoch_seconds = 0, 0.0, 0.0
        self.best_score, self.n_since_best, self.is_best = -1.0, 0, False
        self.history: list[dict[str, Any]] = []
        learner = self.learner()
        self.optimiser = torch.optim.AdamW(
            [p for p in learner.parameters() if p.requires_grad],
            lr=config.learning_rate,
            weight_decay=config.weight_decay,
        )
        n_rates = config.epochs * self.n_steps + 1
        rising = max(0.2, 2 / n_rates)  # at least one step: torch divides by their number
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimiser, config.learning_rate, total_steps=n_rates, pct_start=rising
        )
        self.learn: nn.Module = self.processes.share_gradients(learner)

    def learner(self) -> nn.Module:
        """The module that is trained: the network, and what a subclass needs beside it. Called once."""
        return self.network

    @property
    def epoch(self) -> int:
        """Finished epochs."""
        return self.step // self.n_steps

    @property
    def is_over(self) -> bool:
        """All epochs are done, or patience ran out."""
        patience = self.config.patience
        return self.epoch >= self.config.epochs or (patience > 0 and self.n_since_best >= patience)

    def run_step(self) -> None:
        """One batch: loss, gradients, step of the optimiser, of the schedule and of the moving average."""
        started = time.perf_counter()
        self.learn.train()
        for name in self.config.freeze:
            self.network.get_submodule(name).eval()
        torch.manual_seed(generator(self.config.seed, DROP, self.step, self.processes.rank).initial_seed())
        loss = self.loss(self._shards_of(self.step))
        self.optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.learn.parameters(), self.config.clip_norm)
        self.optimiser.step()
        self.schedule.step()
        self.step += 1
        self._follow()
        self.epoch_loss += float(loss.detach())
        self.epoch_seconds += time.perf_counter() - started

    def loss(self, shards: list[Shard]) -> "Tensor":
        """The loss of this process's part of a batch."""
        x = self.pictures(shards, side_px=self.config.image_size)  # [B, 3, S, S]
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.config.bf16):
            logits = self.learn(normalize(x).to(self.device))  # [B, K]
        return self.label_loss(logits.float(), self.grades(shards), self.config)

    def pictures(self, shards: list[Shard], *, side_px: int) -> "Tensor":
        """[B, 3, S, S] in [0, 1]: the photographs of the shards, each shard changed with its own random numbers."""
        share = self.config.equalize_prob
        return torch.cat([augmented_images(self.retinas, s, side_px=side_px, equalised_share=share) for s in shards])

    def grades(self, shards: list[Shard]) -> "Tensor":
        """[B] labels of the shards' photographs as they are shown."""
        return torch.cat([shard.grades for shard in shards]).to(self.device)

    def _shards_of(self, step: int) -> list[Shard]:
        """This process's photographs of a step. Drawn for an epoch at once, so that every process knows them all."""
        epoch, number = divmod(step, self.n_steps)
        size = self.config.batch_size
        drawn = torch.multinomial(
            self.weights, self.n_steps * size, replacement=True, generator=generator(self.config.seed, DRAW, epoch)
        )
        rows = self.indices[drawn[number * size : (number + 1) * size].numpy()]
        mine = self.n_shards // self.processes.count
        first = self.processes.rank * mine
        shards = list(enumerate(np.split(rows, self.n_shards)))[first : first + mine]
        return [
            Shard(part, torch.from_numpy(self.retinas.grades[part]), generator(self.config.seed, CHANGE, step, i))
            for i, part in shards
        ]

    @torch.no_grad()
    def _follow(self) -> None:
        """Move the average towards the network; faster at first, while it still holds the starting weights."""
        decay = min(self.config.ema_decay, (1 + self.step) / (10 + self.step))
        for mean, now in zip(self.average.state_dict().values(), self.network.state_dict().values(), strict=True):
            if mean.dtype.is_floating_point:
                mean.lerp_(now, 1 - decay)
            else:
                mean.copy_(now)

    def finish_epoch(self) -> dict[str, Any]:
        """Validate the average; returns the log row. ``is_best`` then says whether it is the best so far."""
        figures = validate(self.average, self.retinas, side_px=self.config.image_size)
        score = validation_score(figures)
        self.is_best = score > self.best_score
        self.best_score = max(score, self.best_score)
        self.n_since_best = 0 if self.is_best else self.n_since_best + 1
        row = {
            "epoch": self.epoch,
            "loss": round(self.epoch_loss / self.n_steps, 4),
            "learning_rate": self.schedule.get_last_lr()[0],
            "seconds": round(self.epoch_seconds),
            "score": round(score, 4),
            "is_best": self.is_best,
            "validation": figures,
        }
        self.history.append(row)
        self.epoch_loss, self.epoch_seconds = 0.0, 0.0
        return row

    def state(self) -> dict[str, Any]:
        """What a resumed run needs to go on as if it had not stopped."""
        return {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "schedule": self.schedule.state_dict(),
            "step": self.step,
            "epoch_loss": self.epoch_loss,
            "epoch_seconds": self.epoch_seconds,
            "best_score": self.best_score,
            "n_since_best": self.n_since_best,
            "history": self.history,
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Take up where ``state()`` was taken."""
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.schedule.load_state_dict(state["schedule"])
        self.step = state["step"]
        self.epoch_loss, self.epoch_seconds = state["epoch_loss"], state["epoch_seconds"]
        self.best_score, self.n_since_best = state["best_score"], state["n_since_best"]
        self.history = state["history"]


def _shards(config: TrainingConfig, processes: DistributedContext) -> int:
    n_shards = max(config.n_shards, processes.count)
    if n_shards % processes.count or config.batch_size % n_shards:
        raise InputError(
            f"A batch of {config.batch_size} in {n_shards} shards cannot be divided among {processes.count} processes."
        )
    return n_shards


def validate(network: nn.Module, retinas: "FundusDataset", *, side_px: int) -> dict[str, dict[str, float]]:
    """Number, accuracy, quadratic kappa and referable AUC of each source's validation photographs."""
    chosen = retinas.where(VALIDATION)
    probabilities = predict(network, retinas, chosen, side_px=side_px).softmax(1).numpy()
    truth, sources = retinas.grades[chosen], retinas.sources[chosen]
    grade = expected_grade(probabilities).round().astype(np.int64)
    p_referable = probabilities[:, REFERABLE_FROM:].sum(axis=1)
    return {
        str(source): {
            "n": int(rows.sum()),
            "accuracy": round(float((grade[rows] == truth[rows]).mean()), 4),
            "kappa": round(quadratic_kappa(truth[rows], grade[rows]), 4),
            "auc": round(referable_auc(truth[rows], p_referable[rows]) or 0.0, 4),
        }
        for source in np.unique(sources)
        for rows in [sources == source]
    }


def validation_score(figures: dict[str, dict[str, float]]) -> float:
    """Referable AUC of the worst source with natural colours, plus the mean kappa: what the best epoch is chosen by.

    The worst is judged by AUC, for kappa on the 144 photographs of the smallest source moves by 0.1 between epochs that
    tell eyes apart equally well; in the mean a source weighs as the root of its number of photographs, as its error
    falls. ``EQUALIZED_SOURCE`` counts in the mean, and cannot be the worst.
    """
    natural = [row["auc"] for source, row in figures.items() if source != EQUALIZED_SOURCE]
    rows = list(figures.values())
    mean = np.average([row["kappa"] for row in rows], weights=[row["n"] ** 0.5 for row in rows])
    return min(natural or [row["auc"] for row in rows]) + float(mean)
