"""Random changes to photographs before their quality is learned: other cameras, and faults with a known verdict.

All sources get the same changes, so that pixel count, JPEG quality, grain and tint, which differ from source to source
while their shares of rejects differ too, say nothing about the verdict.
"""

from typing import TYPE_CHECKING

import torch
from torch.nn import functional
from torchvision.io import decode_jpeg, encode_jpeg
from torchvision.transforms.functional import gaussian_blur

if TYPE_CHECKING:
    from torch import Generator, Tensor

SPOILED_SHARE = 0.12
DEFOCUS_SHARES = (0.012, 0.04)
"""Standard deviation of a spoiling defocus as a share of the disc: from 1.2 % only the great vessels remain."""
DARK_GAINS = (0.04, 0.14)
MILD_BLUR_SHARES = (0.0005, 0.003)
MAX_GRAIN = 0.025


def augment_quality(photos: "Tensor", *, side_px: int, random: "Generator") -> "tuple[Tensor, Tensor]":
    """[B, 3, H, H] uint8 -> [B, 3, S, S] float32 in [0, 1], and [B] bool: which were spoiled beyond grading."""
    n, side = len(photos), photos.shape[-1]
    x = photos.float() / 255  # [B, 3, H, H]
    if torch.rand(1, generator=random) < 0.5:
        x = _turn(x, random)
    is_spoiled = torch.rand(n, generator=random) < SPOILED_SHARE  # [B]
    luck = torch.rand(n, 4, generator=random)
    for i in range(n):
        seen = x[i].amax(dim=0, keepdim=True) > 0.02  # [1, H, H]
        if luck[i, 0] < 0.25:
            x[i] = _rescaled(x[i], share=_between(0.6, 1.0, random))
        x[i] = _recoloured(x[i], random)
        if is_spoiled[i]:
            x[i] = _spoiled(x[i], random)
        elif luck[i, 1] < 0.15:
            x[i] = _blurred(x[i], _between(*MILD_BLUR_SHARES, random) * side)
        if luck[i, 2] < 0.4:
            x[i] += torch.randn(x[i].shape, generator=random) * _between(0, MAX_GRAIN, random)
        x[i] = x[i].clamp(0, 1) * seen
        if luck[i, 3] < 0.25:
            x[i] = _as_jpeg(x[i], quality=int(_between(45, 95, random)))
    small = functional.interpolate(x, size=(side_px, side_px), mode="bilinear", antialias=True)  # [B, 3, S, S]
    return small, is_spoiled


def _between(low: float, high: float, random: "Generator") -> float:
    return low + (high - low) * float(torch.rand(1, generator=random))


def _turn(x: "Tensor", random: "Generator") -> "Tensor":
    """Any rotation, mirror image, zoom of 0.94 to 1.06."""
    n = len(x)
    angle = torch.rand(n, generator=random) * 2 * torch.pi
    zoom = torch.rand(n, generator=random) * 0.12 + 0.94
    mirror = torch.where(torch.rand(n, generator=random) < 0.5, -1.0, 1.0)
    theta = torch.zeros(n, 2, 3)
    theta[:, 0, 0], theta[:, 0, 1] = torch.cos(angle) * zoom * mirror, -torch.sin(angle) * zoom
    theta[:, 1, 0], theta[:, 1, 1] = torch.sin(angle) * zoom * mirror, torch.cos(angle) * zoom
    grid = functional.affine_grid(theta, list(x.shape), align_corners=False)  # [B, H, H, 2]
    return functional.grid_sample(x, grid, mode="bilinear", align_corners=False)  # [B, 3, H, H]


def _rescaled(photo: "Tensor", *, share: float) -> "Tensor":
    """[3, H, H] as from a camera with ``share`` of the pixels in a row."""
    side = photo.shape[-1]
    size = (int(side * share),) * 2
    small = functional.interpolate(photo[None], size=size, mode="bilinear", antialias=True)
    return functional.interpolate(small, size=(side, side), mode="bilinear")[0]  # [3, H, H]


def _recoloured(photo: "Tensor", random: "Generator") -> "Tensor":
    gain = _between(0.8, 1.2, random) * (1 + (torch.rand(3, 1, 1, generator=random) - 0.5) * 0.2)  # [3, 1, 1]
    return photo * gain


def _spoiled(photo: "Tensor", random: "Generator") -> "Tensor":
    if torch.rand(1, generator=random) < 0.3:
        return photo * _between(*DARK_GAINS, random)
    return _blurred(photo, _between(*DEFOCUS_SHARES, random) * photo.shape[-1])


def _blurred(photo: "Tensor", sigma_px: float) -> "Tensor":
    blurred: Tensor = gaussian_blur(photo, kernel_size=[2 * int(3 * sigma_px) + 3] * 2, sigma=[sigma_px] * 2)
    return blurred  # [3, H, H]


def _as_jpeg(photo: "Tensor", *, quality: int) -> "Tensor":
    again: Tensor = decode_jpeg(encode_jpeg((photo * 255).to(torch.uint8), quality=quality)).float() / 255
    return again  # [3, H, H]
