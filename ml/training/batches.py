"""Batches: seeded random numbers, sampling weights, and tensors of photographs."""

from typing import TYPE_CHECKING

import numpy as np
import torch

from ml.networks.architectures import IMAGENET_MEAN, IMAGENET_STD

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Generator, Tensor

    from ml.data.cache import StackedPixels

#: Streams of random numbers.
SAMPLING, AUGMENTATION, DROPOUT = 0, 1, 2
#: A rarer label is sampled as if it had this frequency in its source.
MIN_LABEL_FREQUENCY = 0.01


def seeded_generator(*numbers: int) -> "Generator":
    """Random generator seeded by these numbers alone, such as (seed, step): a resumed run needs no other state."""
    (seed,) = np.random.SeedSequence(numbers).generate_state(1, np.uint64)
    return torch.Generator().manual_seed(int(seed >> np.uint64(1)))


def sample_rows(weights: "Tensor", step: int, *, n_steps: int, batch_size: int, seed: int) -> "NDArray[np.int64]":
    """(B,) rows of a step, sampled with replacement in proportion to ``weights``."""
    epoch, number = divmod(step, n_steps)
    generator = seeded_generator(seed, SAMPLING, epoch)
    rows = torch.multinomial(weights, n_steps * batch_size, replacement=True, generator=generator).numpy()
    batch: NDArray[np.int64] = rows[number * batch_size : (number + 1) * batch_size]
    return batch


def load_images(
    pixels: "StackedPixels | NDArray[np.uint8]", rows: "NDArray[np.int64]", device: "torch.device | None" = None
) -> "Tensor":
    """Rows of (n, H, W, 3) uint8 -> [B, 3, H, W] uint8 on the device, from pinned memory."""
    images = torch.from_numpy(np.ascontiguousarray(pixels[rows])).permute(0, 3, 1, 2)  # [B, 3, H, W]
    if device is None or device.type == "cpu":
        return images
    return images.pin_memory().to(device, non_blocking=True)


def normalize(x: "Tensor") -> "Tensor":
    """Standardise [B, 3, S, S] in [0, 1] by the mean and deviation of ImageNet; channels last."""
    mean = torch.tensor(IMAGENET_MEAN, device=x.device).view(3, 1, 1)
    std = torch.tensor(IMAGENET_STD, device=x.device).view(3, 1, 1)
    return ((x - mean) / std).contiguous(memory_format=torch.channels_last)


def sampling_weights(
    sources: "NDArray[np.str_]",
    labels: "NDArray[np.generic]",
    *,
    power: float = 0.5,
    source_weights: dict[str, float] | None = None,
) -> "Tensor":
    """(n,) sampling weight of each photograph: within a source, (frequency of its label) ** -power.

    A source weighs as much as ``source_weights`` state, else the square root of its size.
    """
    weights = np.zeros(len(labels))
    for source in np.unique(sources):
        rows = sources == source
        _, label, counts = np.unique(labels[rows], return_inverse=True, return_counts=True)
        inside = np.maximum(counts[label] / rows.sum(), MIN_LABEL_FREQUENCY) ** -power
        weights[rows] = inside / inside.sum() * (source_weights[source] if source_weights else rows.sum() ** 0.5)
    return torch.from_numpy(weights)
