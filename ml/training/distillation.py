"""Train a student with a teacher: ``python -m ml distill --teachers RUN_OR_BUNDLE --run runs/x``."""

from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import nn

from ml.data.unlabelled import load_unlabelled
from ml.errors import InputError
from ml.training.batches import Shard, changed, normalize, to_tensor
from ml.training.config import Distillation, TrainingConfig
from ml.training.distributed import DistributedContext
from ml.training.losses import kd_loss
from ml.training.teacher import Ensemble, load_teachers, resize
from ml.training.train import train
from ml.training.trainer import Trainer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from ml.data.cache import FundusDataset


def distill(
    config: TrainingConfig, *, data: Path, imagenet: Path | str | None, run: Path, resume: bool = False
) -> Path:
    """Train the student of ``config.distillation`` to the end and return the file with its best averaged weights.

    Raises InputError for settings that do not go together, before anything is read.
    """
    settings = _checked(config)
    teacher = load_teachers(settings.teachers, bf16=config.bf16 or settings.teacher_bf16)

    def begin(
        config: TrainingConfig, retinas: "FundusDataset", network: nn.Module, *, processes: DistributedContext
    ) -> "DistillationTrainer":
        pixels = retinas.pixels[:0]
        if settings.unlabelled:
            pixels = load_unlabelled(
                [data / name for name in settings.unlabelled],
                graded=[data / source for source in config.sources],
                dataset=retinas,
                side_px=config.cache_size,
                cache=run.parent / "cache",
            )
        return DistillationTrainer(config, retinas, network, processes=processes, teacher=teacher, unlabelled=pixels)

    return train(config, data=data, imagenet=imagenet, run=run, resume=resume, begin=begin)


def _checked(config: TrainingConfig) -> Distillation:
    settings = config.distillation
    if settings is None or not settings.teachers:
        raise InputError("Name a teacher: the configuration has no distillation.")
    if not (0 <= settings.distill_loss_weight <= 1 and settings.temperature > 0):
        raise InputError("The weight of the distillation loss lies between 0 and 1, and the temperature above 0.")
    return settings


class DistillationTrainer(Trainer):
    """A trainer whose loss also has the divergence from a teacher."""

    def __init__(
        self,
        config: TrainingConfig,
        retinas: "FundusDataset",
        network: nn.Module,
        *,
        processes: DistributedContext | None = None,
        teacher: Ensemble,
        unlabelled: "NDArray[np.uint8]",
    ) -> None:
        self.settings, self.unlabelled = _checked(config), unlabelled
        super().__init__(config, retinas, network, processes=processes)
        self.teacher = teacher.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]

    def loss(self, shards: list[Shard]) -> "Tensor":
        """Of photographs with a label the loss of label and teacher, of those without a label the teacher's alone."""
        settings, config = self.settings, self.config
        side_px = max(config.image_size, self.teacher.image_size)
        grades = self.grades(shards)  # [B]
        pictures = self.pictures(shards, side_px=side_px)  # [B, 3, S, S]
        pictures = torch.cat([pictures, *self._unlabelled_pictures(shards, side_px=side_px)])  # [B + U, 3, S, S]
        pictures = pictures.to(self.device)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=config.bf16):
            logits = self.learn(normalize(resize(pictures, config.image_size)))
        logits = logits.float()  # [B + U, K]
        task_loss = self.label_loss(logits[: len(grades)], grades, config)
        distillation_loss = kd_loss(logits, self.teacher(pictures), settings.temperature)
        weight = settings.distill_loss_weight
        return (1 - weight) * task_loss + weight * distillation_loss

    def _unlabelled_pictures(self, shards: list[Shard], *, side_px: int) -> "list[Tensor]":
        pictures = []
        for shard in shards if len(self.unlabelled) else []:
            n = round(len(shard.rows) * self.settings.unlabelled_fraction)
            if not n:
                continue
            rows = torch.randint(len(self.unlabelled), (n,), generator=shard.random).numpy()
            photos = to_tensor(self.unlabelled[rows])
            pictures.append(
                changed(photos, side_px=side_px, equalised_share=self.config.equalize_prob, random=shard.random)
            )
        return pictures
