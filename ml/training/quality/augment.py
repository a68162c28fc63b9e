"""Random augmentation and degradation of photographs, to train the quality network.

All sources get the same augmentation: pixel count, JPEG quality, noise and tint differ between sources, and so do their
fractions of rejects. Without it the network could predict the source instead of the quality.
"""

from typing import TYPE_CHECKING

import torch
from torchvision.transforms.v2 import functional as transforms

from ml.data.augment import BatchRandom, add_noise, affine, downscale, gaussian_blur, jpeg, resize_images
from ml.training.quality.dataset import DEFOCUS_SIGMAS

if TYPE_CHECKING:
    from torch import Tensor

DEGRADE_PROB = 0.12
DARK_GAINS = (0.04, 0.14)
MILD_SIGMAS = (0.0005, 0.003)
MAX_NOISE_STD = 0.025


def augment_quality(photos: "Tensor", random: BatchRandom, *, image_size: int) -> "tuple[Tensor, Tensor]":
    """[B, 3, H, H] uint8 -> [B, 3, S, S] float32 in [0, 1], and [B] bool: degraded until they cannot be graded."""
    x = transforms.to_dtype(photos, torch.float32, scale=True)
    x = _random_rotation(x, random)
    is_retina = x.amax(dim=1, keepdim=True) > 0.02  # [B, 1, H, H]
    x = downscale(x, random.uniform(0.6, 1.0), random.bernoulli(0.25))
    balance = torch.stack([random.uniform(0.9, 1.1) for _ in range(3)], dim=1)  # [B, 3]
    x = x * (random.uniform(0.8, 1.2)[:, None] * balance)[:, :, None, None]
    x, is_degraded = _degrade(x, random)
    x = add_noise(x, random, std=torch.where(random.bernoulli(0.4), random.uniform(0.0, MAX_NOISE_STD), 0.0))
    x = jpeg(x.clamp(0, 1) * is_retina, random.uniform(45, 95), random.bernoulli(0.25))
    return resize_images(x, image_size), is_degraded


def _random_rotation(x: "Tensor", random: BatchRandom) -> "Tensor":
    """Rotate half of the photographs by any angle, with reflection and a zoom of 0.94 to 1.06."""
    chosen = random.bernoulli(0.5)
    scale = torch.where(chosen, random.uniform(0.94, 1.06), 1.0)
    return affine(
        x,
        angle=torch.where(chosen, random.uniform(-torch.pi, torch.pi), 0.0),
        mirror=chosen & random.bernoulli(0.5),
        scale=scale[:, None].expand(-1, 2),
        shift=torch.zeros(len(x), 2, device=x.device),
        image_size=x.shape[-1],
    )


def _degrade(x: "Tensor", random: BatchRandom) -> "tuple[Tensor, Tensor]":
    """Blur or darken some photographs until they cannot be graded; blur others slightly."""
    is_degraded, is_mild = random.bernoulli(DEGRADE_PROB), random.bernoulli(0.15)
    is_dark = is_degraded & random.bernoulli(0.3)
    x = x * torch.where(is_dark, random.uniform(*DARK_GAINS), 1.0)[:, None, None, None]
    sigma = torch.where(is_degraded, random.uniform(*DEFOCUS_SIGMAS), random.uniform(*MILD_SIGMAS)) * x.shape[-1]
    is_blurred = torch.where(is_degraded, ~is_dark, is_mild)
    return gaussian_blur(x, sigma[:, None].expand(-1, 2), is_blurred), is_degraded
