"""Data of a training run: graded fundus crops with their splits, and crops without a grade."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
import torch

from ml.data.augment import BatchRandom, augment
from ml.data.cache import FundusDataset, load_dataset
from ml.data.splits import TRAIN
from ml.data.unlabelled import load_unlabelled
from ml.errors import InputError
from ml.training.batches import AUGMENTATION, load_images, sample_rows, sampling_weights, seeded_generator
from ml.training.config import TrainingConfig
from ml.training.distributed import DistributedContext
from ml.training.validation import validate, validation_score

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor, nn


@dataclass(kw_only=True)
class RunData:
    """Graded and unlabelled photographs of a run: uint8 arrays, memory-mapped, so that they are decoded only once.

    ``image_size`` is the side of the augmented images.
    """

    config: TrainingConfig
    dataset: FundusDataset
    unlabelled: "NDArray[np.uint8]"
    image_size: int
    indices: "NDArray[np.int64]" = field(init=False)
    weights: "Tensor" = field(init=False)
    n_steps: int = field(init=False)
    """Optimiser steps per epoch."""

    def __post_init__(self) -> None:
        """Raises InputError if the training photographs do not fill a batch."""
        self.indices = self.dataset.where(TRAIN)
        self.n_steps = len(self.indices) // self.config.batch_size
        if not self.n_steps:
            raise InputError(
                f"{len(self.indices)} training photographs do not fill one batch of {self.config.batch_size}."
            )
        self.weights = sampling_weights(
            self.dataset.sources[self.indices],
            self.dataset.grades[self.indices],
            power=self.config.class_balance_power,
        )

    @classmethod
    def load(cls, config: TrainingConfig, *, data: Path, cache: Path, image_size: int | None = None) -> Self:
        """Load the photographs of a configuration from the cache, which is filled first if it is empty."""
        dataset = load_graded(config, data=data, cache=cache)
        unlabelled = dataset.pixels[:0]
        if config.distillation and config.distillation.unlabelled:
            unlabelled = load_unlabelled(
                [data / name for name in config.distillation.unlabelled],
                graded=[data / source for source in config.sources],
                dataset=dataset,
                side_px=config.cache_size,
                cache=cache,
            )
        return cls(config=config, dataset=dataset, unlabelled=unlabelled, image_size=image_size or config.image_size)

    def batch(self, step: int, distributed: DistributedContext) -> "tuple[Tensor, Tensor]":
        """Augmented images [B + U, 3, S, S] in [0, 1] and grades [B] of this process for a step of the run.

        The last U images have no grade.
        """
        seed, (rank, count) = self.config.seed, (distributed.rank, distributed.world_size)
        size = self.config.batch_size
        sampled = sample_rows(self.weights, step, n_steps=self.n_steps, batch_size=size, seed=seed)
        rows = self.indices[sampled]  # (B,) of all processes
        generator = seeded_generator(seed, AUGMENTATION, step)
        extra = self._sample_unlabelled(count, generator)  # (U,) of all processes
        images = load_images(self.dataset.pixels, rows[rank::count], distributed.device)
        if len(extra):
            images = torch.cat([images, load_images(self.unlabelled, extra[rank::count], distributed.device)])
        random = BatchRandom(generator, size + len(extra), start=rank, step=count, device=distributed.device)
        images = augment(images, random, image_size=self.image_size, equalize_prob=self.config.equalize_prob)
        return images, torch.from_numpy(self.dataset.grades[rows[rank::count]]).to(distributed.device)

    def _sample_unlabelled(self, count: int, generator: torch.Generator) -> "NDArray[np.int64]":
        if not len(self.unlabelled) or self.config.distillation is None:
            return np.zeros(0, np.int64)
        n = count * round(self.config.batch_size / count * self.config.distillation.unlabelled_fraction)
        return torch.randint(len(self.unlabelled), (n,), generator=generator).numpy()

    def validate(self, network: "nn.Module") -> tuple[float, dict[str, dict[str, float]]]:
        """Validation score, and validation metrics by source."""
        metrics = validate(network, self.dataset, image_size=self.config.image_size)
        return validation_score(metrics), metrics


def load_graded(config: TrainingConfig, *, data: Path, cache: Path) -> FundusDataset:
    """The graded photographs of a run, cropped and split."""
    return load_dataset([data / source for source in config.sources], side_px=config.cache_size, cache=cache)
