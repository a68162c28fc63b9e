"""Data of a training run: graded fundus crops with their splits, and crops without a grade."""

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
from ml.training.validation import validate

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor, nn


class RunData:
    """Graded and unlabelled photographs of a run: memory-mapped uint8 arrays, so that each is decoded only once.

    ``image_size`` is the side of the augmented images. Raises InputError if there are too few photographs for a batch.
    """

    def __init__(
        self, config: TrainingConfig, dataset: FundusDataset, unlabelled: "NDArray[np.uint8]", *, image_size: int
    ) -> None:
        self.config, self.dataset, self.unlabelled, self.image_size = config, dataset, unlabelled, image_size
        self.indices = dataset.where(TRAIN)
        self.n_steps = len(self.indices) // config.batch_size
        if not self.n_steps:
            raise InputError(f"{len(self.indices)} training photographs do not fill one batch of {config.batch_size}.")
        sources, grades = dataset.sources[self.indices], dataset.grades[self.indices]
        self.weights = sampling_weights(sources, grades, power=config.class_balance_power)
        self.n_unlabelled_per_photo = 0.0
        if config.distillation and len(unlabelled):
            self.n_unlabelled_per_photo = config.distillation.unlabelled_fraction

    @classmethod
    def load(cls, config: TrainingConfig, *, data: Path, cache: Path, image_size: int | None = None) -> Self:
        """Load the photographs of a configuration; fills the cache if it is empty."""
        dataset = load_graded(config, data=data, cache=cache)
        unlabelled = np.empty((0, 1, 1, 3), np.uint8)
        if config.distillation and config.distillation.unlabelled:
            unlabelled = load_unlabelled(
                [data / name for name in config.distillation.unlabelled],
                dataset=dataset,
                side_px=config.cache_size,
                cache=cache,
            )
        return cls(config, dataset, unlabelled, image_size=image_size or config.image_size)

    def batch(self, step: int, device: torch.device) -> "tuple[Tensor, Tensor]":
        """Augmented images [B + U, 3, S, S] in [0, 1], of which the first B have targets [B, 2]."""
        size, seed = self.config.batch_size, self.config.seed
        sampled = sample_rows(self.weights, step, n_steps=self.n_steps, batch_size=size, seed=seed)
        rows = self.indices[sampled]
        generator = seeded_generator(seed, AUGMENTATION, step)
        n_unlabelled = round(size * self.n_unlabelled_per_photo)
        images = load_images(self.dataset.pixels, rows, device)
        if n_unlabelled:
            extra = torch.randint(len(self.unlabelled), (n_unlabelled,), generator=generator).numpy()
            images = torch.cat([images, load_images(self.unlabelled, extra, device)])
        random = BatchRandom(generator, size + n_unlabelled, device=device)
        images = augment(images, random, image_size=self.image_size, equalize_prob=self.config.equalize_prob)
        targets = np.stack([self.dataset.grades[rows], self.dataset.oedema[rows]], axis=1)
        return images, torch.from_numpy(targets).to(device)

    def validate(self, network: "nn.Module") -> tuple[float, dict[str, dict[str, float]]]:
        """Validation score, and validation metrics by source."""
        return validate(network, self.dataset, image_size=self.config.image_size)


def load_graded(config: TrainingConfig, *, data: Path, cache: Path) -> FundusDataset:
    """The graded photographs of a run, cropped and split."""
    return load_dataset([data / source for source in config.sources], side_px=config.cache_size, cache=cache)
