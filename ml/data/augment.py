"""Random augmentation of batches of fundus crops, on the device that holds them.

A transform of torchvision.transforms.v2 draws one set of parameters per call, from the global generator. Here each
photograph of a batch has its own parameters, from a given generator, so that a run can resume at any step. The
operations are those of torchvision and PyTorch.
"""

import io
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image
from torch.nn import functional
from torchvision.transforms.v2 import functional as transforms

from ml.serving.preprocess import COLOR_MEAN, COLOR_STD

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Generator, Tensor

#: Side of a photograph before it is rotated, as a multiple of the image size. Rotation interpolates between four
#: pixels: from a larger photograph it would skip pixels, which resizing with antialiasing at inference does not.
MAX_INPUT_SCALE = 1.15
#: Fraction of the retina's radius around the centre that every crop keeps. On a 45 degree photograph of the macula the
#: optic disc ends there: its centre is 15.5 degrees from the fovea (Rohrschneider, IOVS 2004), its edge 3 further.
MIN_KEPT_RADIUS = 0.82
MAX_SHIFT = 0.2
BLUR_PROB = 0.15
#: Standard deviation of the blur as a fraction of the retina's diameter. From 1.2 % only the large vessels remain and
#: the photograph could not be graded (ml/training/quality/dataset.py).
BLUR_SIGMAS = (0.001, 0.006)
DOWNSCALE_PROB = 0.25
DOWNSCALE_FACTORS = (0.55, 0.95)
JPEG_PROB = 0.2
JPEG_QUALITIES = (25, 85)
JPEG_THREADS = 4
CUT_PROB = 0.35
CUT_FRACTIONS = (0.03, 0.14)
MAX_NOISE_STD = 0.03
N_NOISE_OFFSETS = 4096


class BatchRandom:
    """Random numbers for each of the ``n`` photographs of a batch."""

    def __init__(self, generator: "Generator", n: int, *, device: "torch.device | str" = "cpu") -> None:
        self.generator, self.n, self.device = generator, n, device

    def uniform(self, low: float = 0.0, high: float = 1.0) -> "Tensor":
        """[B] in [low, high)."""
        numbers = torch.rand(self.n, generator=self.generator)
        return (low + (high - low) * numbers).to(self.device)

    def bernoulli(self, p: float) -> "Tensor":
        """[B] bool, true with probability p."""
        return self.uniform() < p


def augment(photos: "Tensor", random: BatchRandom, *, image_size: int, equalize_prob: float = 0.0) -> "Tensor":
    """Augment [B, 3, H, W] uint8 fundus crops to [B, 3, S, S] float32 in [0, 1]."""
    x = equalize(photos, random.bernoulli(equalize_prob))
    side = min(x.shape[-1], int(image_size * MAX_INPUT_SCALE))
    x = transforms.to_dtype(transforms.resize(x, [side, side], antialias=True), torch.float32, scale=True)
    x = _random_affine(x, random, image_size=image_size)  # [B, 3, S, S]
    sigmas = [random.uniform(*BLUR_SIGMAS) * image_size for _ in range(2)]
    x = gaussian_blur(x, torch.stack(sigmas, dim=1), random.bernoulli(BLUR_PROB))
    x = downscale(x, random.uniform(*DOWNSCALE_FACTORS), random.bernoulli(DOWNSCALE_PROB))
    x = _random_color(x, random)
    x = jpeg(x, random.uniform(*JPEG_QUALITIES), random.bernoulli(JPEG_PROB))
    return _cut_frame(x, torch.where(random.bernoulli(CUT_PROB), random.uniform(*CUT_FRACTIONS), 0.0))


def resize_images(images: "Tensor", image_size: int) -> "Tensor":
    """[B, 3, H, W] uint8, or float in [0, 1] -> [B, 3, S, S] float32 in [0, 1]."""
    x: Tensor = transforms.to_dtype(images, torch.float32, scale=True)
    return transforms.resize(x, [image_size, image_size], antialias=True)  # type: ignore[no-any-return]  # untyped


def equalize(photos: "Tensor", chosen: "Tensor") -> "Tensor":
    """Equalise the channels of the chosen photographs inside the retina; [B, 3, H, W] uint8, [B] bool.

    Each value becomes equally frequent, with the mean and standard deviation of standardised colours.
    """
    photos = photos.clone() if chosen.any() else photos
    for i in chosen.nonzero().flatten().tolist():
        photos[i] = _equalize_one(photos[i])
    return photos


def _equalize_one(photo: "Tensor") -> "Tensor":
    is_retina = photo.amax(dim=0) > 5  # [H, W]
    if not is_retina.any():
        return photo
    channels = []
    for channel in photo:
        counts = torch.bincount(channel[is_retina].long(), minlength=256).double()
        rank = (counts.cumsum(0) - counts / 2) / counts.sum() - 0.5  # [256], in [-0.5, 0.5]
        table = (COLOR_MEAN + rank * 12**0.5 * COLOR_STD).round().clamp(0, 255).to(torch.uint8)
        channels.append(table[channel.long()])
    return torch.stack(channels) * is_retina


def affine(
    x: "Tensor", *, angle: "Tensor", mirror: "Tensor", scale: "Tensor", shift: "Tensor", image_size: int
) -> "Tensor":
    """Rotate, mirror, scale and shift [B, 3, H, W] to [B, 3, S, S].

    ``angle`` [B] in radians, ``mirror`` [B] bool, ``scale`` [B, 2] of the sampled square along x and y, ``shift``
    [B, 2] of its centre in half sides.
    """
    sign = 1.0 - 2.0 * mirror.float()
    rotation = torch.stack([angle.cos() * sign, -angle.sin(), angle.sin() * sign, angle.cos()], dim=1)
    matrix = torch.cat([scale[:, :, None] * rotation.view(-1, 2, 2), shift[:, :, None]], dim=2)  # [B, 2, 3]
    grid = functional.affine_grid(matrix, [len(x), 3, image_size, image_size], align_corners=False)  # [B, S, S, 2]
    return functional.grid_sample(x, grid, mode="bilinear", align_corners=False)  # [B, 3, S, S]


def _random_affine(x: "Tensor", random: BatchRandom, *, image_size: int) -> "Tensor":
    """Random rotation, reflection, zoom of 0.9 to 1.15, stretch, and shift that keeps the centre."""
    zoom, stretch = 1 / random.uniform(0.9, 1.15), random.uniform(0.95, 1.05)
    reach = zoom * torch.minimum(stretch, 1 / stretch)  # [B]: distance of the nearest edge, in radii of the retina
    distance = (reach - MIN_KEPT_RADIUS).clamp(0, MAX_SHIFT) * random.uniform()
    direction = random.uniform(-torch.pi, torch.pi)
    return affine(
        x,
        angle=random.uniform(-torch.pi, torch.pi),
        mirror=random.bernoulli(0.5),
        scale=torch.stack([zoom * stretch, zoom / stretch], dim=1),
        shift=distance[:, None] * torch.stack([direction.cos(), direction.sin()], dim=1),
        image_size=image_size,
    )


def gaussian_blur(x: "Tensor", sigma_px: "Tensor", chosen: "Tensor") -> "Tensor":
    """Blur the chosen photographs, in place; ``sigma_px`` [B, 2] along x and y, which simulates defocus and motion."""
    sigmas = sigma_px.tolist()
    for i in chosen.nonzero().flatten().tolist():
        sigma = sigmas[i]
        x[i] = transforms.gaussian_blur(x[i], [2 * int(3 * s) + 3 for s in sigma], sigma)
    return x


def downscale(x: "Tensor", factor: "Tensor", chosen: "Tensor") -> "Tensor":
    """Resize the chosen photographs to ``factor`` [B] of their side and back, in place."""
    side, factors = x.shape[-1], factor.tolist()
    for i in chosen.nonzero().flatten().tolist():
        small = int(side * factors[i])
        x[i] = transforms.resize(transforms.resize(x[i], [small, small], antialias=True), [side, side], antialias=True)
    return x


def _random_color(x: "Tensor", random: BatchRandom) -> "Tensor":
    """Brightness, contrast, colour balance, saturation and noise; the black surround stays black."""
    inside = x.amax(dim=1, keepdim=True) > 0.02  # [B, 1, S, S]
    balance = torch.stack([random.uniform(-0.12, 0.12) for _ in range(3)], dim=1)[:, :, None]  # [B, 3, 1]
    offset = torch.stack([random.uniform(-0.08, 0.08) for _ in range(3)], dim=1)[:, :, None]
    gain = random.uniform(0.75, 1.25)[:, None, None] * (1 + balance)
    offset = offset + 0.44 * (1 - gain)  # the mean brightness stays
    saturation = random.uniform(0.3, 1.4)[:, None, None]
    mix = saturation * torch.eye(3, device=x.device) + (1 - saturation) / 3  # [B, 3, 3]
    flat = torch.baddbmm(mix @ offset, mix * gain.transpose(1, 2), x.flatten(2))  # [B, 3, S*S]
    x = add_noise(flat.view_as(x), random, std=random.uniform(0.0, MAX_NOISE_STD))
    return x.clamp_(0, 1).mul_(inside)


def add_noise(x: "Tensor", random: BatchRandom, *, std: "Tensor") -> "Tensor":
    """Add Gaussian noise with standard deviation ``std`` [B], in place."""
    noise = _noise(x[0].numel() + N_NOISE_OFFSETS, str(x.device))
    for photo, offset, scale in zip(x, random.uniform(0, N_NOISE_OFFSETS).long().tolist(), std, strict=True):
        photo.addcmul_(noise[offset : offset + photo.numel()].view_as(photo), scale)
    return x


@lru_cache(maxsize=2)
def _noise(n: int, device: str) -> "Tensor":
    """Gaussian noise to cut pieces from: on a CPU, new noise for each batch would take longer than the network."""
    return torch.randn(n, generator=torch.Generator().manual_seed(0)).to(device)


def jpeg(x: "Tensor", quality: "Tensor", chosen: "Tensor") -> "Tensor":
    """Encode and decode the chosen photographs as JPEG, in place; ``quality`` [B]. The black surround stays black."""
    rows = chosen.nonzero().flatten()
    if not len(rows):
        return x
    pixels = x[rows].permute(0, 2, 3, 1).mul(255).round().to(torch.uint8).cpu().numpy()
    qualities = quality[rows].int().tolist()
    with ThreadPoolExecutor(JPEG_THREADS) as pool:
        decoded = torch.from_numpy(np.stack(list(pool.map(_encode_and_decode, pixels, qualities))))
    x[rows] = decoded.to(x.device).permute(0, 3, 1, 2) / 255 * (x[rows].amax(dim=1, keepdim=True) > 0)
    return x


def _encode_and_decode(pixels: "NDArray[np.uint8]", quality: int) -> "NDArray[np.uint8]":
    """(S, S, 3) after JPEG of this quality."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    return np.array(Image.open(file))


def _cut_frame(x: "Tensor", fraction: "Tensor") -> "Tensor":
    """Blacken ``fraction`` [B] of the side at top and bottom: a cut field of view."""
    side = x.shape[-1]
    y = torch.arange(side, device=x.device)[None, None, :, None]
    band = (side * fraction).long()[:, None, None, None]
    return x * ((y >= band) & (y < side - band))
