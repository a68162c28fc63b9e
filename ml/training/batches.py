"""Photographs on their way into a network: which are drawn, as what tensors, and what a network says of them."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from ml.data.augment import augment, equalise_some, shrink
from ml.networks.architectures import IMAGENET_MEAN, IMAGENET_STD
from ml.vocabulary import N_GRADES

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Generator, Tensor, nn

    from ml.data.cache import FundusDataset


class Shard(NamedTuple):
    """A part of a batch: rows (n,) of the photographs, their grades [n], and the random numbers for all changes."""

    rows: "NDArray[np.int64]"
    grades: "Tensor"
    random: "Generator"


def generator(*numbers: int) -> "Generator":
    """Random numbers that depend on these alone, such as (seed, step, shard): a resumed run needs no other memory."""
    (seed,) = np.random.SeedSequence(numbers).generate_state(1, np.uint64)
    return torch.Generator().manual_seed(int(seed >> np.uint64(1)))


def to_tensor(pixels: "NDArray[np.uint8]") -> "Tensor":
    """(B, H, W, 3) uint8 -> [B, 3, H, W]."""
    return torch.from_numpy(np.ascontiguousarray(pixels)).permute(0, 3, 1, 2)  # [B, 3, H, W]


def load_images(retinas: "FundusDataset", chosen: "NDArray[np.int64]") -> "Tensor":
    """[B, 3, H, W] uint8 of the chosen photographs."""
    return to_tensor(retinas.pixels[chosen])


def changed(photos: "Tensor", *, side_px: int, equalised_share: float, random: "Generator") -> "Tensor":
    """[B, 3, H, W] uint8 -> [B, 3, S, S] in [0, 1], every photograph changed at random."""
    return augment(equalise_some(photos, share=equalised_share, random=random), side_px=side_px, random=random)


def augmented_images(retinas: "FundusDataset", shard: Shard, *, side_px: int, equalised_share: float) -> "Tensor":
    """[n, 3, S, S] in [0, 1]: the shard's photographs, changed at random."""
    return changed(
        load_images(retinas, shard.rows), side_px=side_px, equalised_share=equalised_share, random=shard.random
    )


def normalize(x: "Tensor") -> "Tensor":
    """[B, 3, S, S] in [0, 1] -> what the ImageNet weights expect, channels last."""
    mean = torch.tensor(IMAGENET_MEAN, device=x.device).view(3, 1, 1)
    std = torch.tensor(IMAGENET_STD, device=x.device).view(3, 1, 1)
    return ((x - mean) / std).contiguous(memory_format=torch.channels_last)


def sampling_weights(retinas: "FundusDataset", indices: "NDArray[np.int64]", *, power: float) -> "Tensor":
    """(n,) chance of each training photograph: sources by the square root of their size, rare grades more often."""
    sources, grades = retinas.sources[indices], retinas.grades[indices]
    weights = np.zeros(len(indices))
    for source in np.unique(sources):
        rows = sources == source
        share = np.bincount(grades[rows], minlength=N_GRADES) / rows.sum()
        inside = np.maximum(share[grades[rows]], 0.01) ** -power
        weights[rows] = inside / inside.sum() * np.sqrt(rows.sum())
    return torch.from_numpy(weights)


@torch.inference_mode()
def predict(network: "nn.Module", retinas: "FundusDataset", chosen: "NDArray[np.int64]", *, side_px: int) -> "Tensor":
    """[n, K] logits of the chosen photographs, unchanged but for the scale."""
    network.eval()
    device = next(network.parameters()).device
    parts = [
        network(normalize(shrink(load_images(retinas, chosen[start : start + 64]), side_px=side_px)).to(device)).cpu()
        for start in range(0, len(chosen), 64)
    ]
    return torch.cat(parts)
