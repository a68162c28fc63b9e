"""Random changes to batches of cropped retinas, as other cameras and hands would have made them."""

import io
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image, ImageFilter
from torch.nn import functional

from ml.serving.preprocess import COLOR_MEAN, COLOR_STD

if TYPE_CHECKING:
    from torch import Generator, Tensor


def augment(photos: "Tensor", *, side_px: int, random: "Generator") -> "Tensor":
    """[B, 3, H, W] uint8 retinas -> [B, 3, S, S] float32 in [0, 1]; every photograph is changed in its own way."""
    x = reduced(photos, side_px=side_px).float() / 255.0  # [B, 3, H, W], H and W at most 1.15 S
    x = _move(x, side_px=side_px, random=random)  # [B, 3, S, S]
    x = _defocus(x, random=random)
    x = _soften(x, random=random)
    x = _recolour(x, random=random)
    x = _compress(x, random=random)
    return _cut_frame(x, random=random)


def equalise_some(photos: "Tensor", *, share: float, random: "Generator") -> "Tensor":
    """[B, 3, H, W] uint8 -> the same with the channels of some photographs equalised, as ``eyepacs_equalized`` are."""
    for i in torch.nonzero(torch.rand(len(photos), generator=random) < share).flatten().tolist():
        photos[i] = equalise(photos[i])
    return photos


def equalise(photo: "Tensor") -> "Tensor":
    """[3, H, W] uint8 -> every value of each channel equally common on the lit disc, at the evened mean and spread."""
    lit = photo.amax(dim=0) > 5  # [H, W]
    if not lit.any():
        return photo
    even = torch.empty_like(photo)
    for channel in range(3):
        counts = torch.bincount(photo[channel][lit].long(), minlength=256).double()
        rank = (counts.cumsum(0) - counts / 2) / counts.sum() - 0.5  # [256], in [-0.5, 0.5]
        table = (COLOR_MEAN + rank * 12**0.5 * COLOR_STD).round().clamp(0, 255).to(torch.uint8)
        even[channel] = table[photo[channel].long()]
    return even * lit


def shrink(photos: "Tensor", *, side_px: int) -> "Tensor":
    """[B, 3, H, W] uint8 -> [B, 3, S, S] float32 in [0, 1], unchanged but for the scale."""
    x = photos.float() / 255.0
    if x.shape[-1] == side_px:
        return x
    return functional.interpolate(x, size=(side_px, side_px), mode="bilinear", antialias=True)  # [B, 3, S, S]


def _uniform(n: int, low: float, high: float, random: "Generator") -> "Tensor":
    return torch.rand(n, generator=random) * (high - low) + low


REDUCED_TO = 1.15
"""Side of the photographs before they are turned, as a share of the network's: turning takes single pixels, and from a
much larger photograph it would take some and skip others, which no network sees later when photographs are graded."""
KEPT_RADIUS = 0.82
"""Share of the retina's radius that every crop keeps around the centre. On a 45 degree photograph of the macula the
optic disc ends there: its centre is 15.5 degrees from the fovea (Rohrschneider, IOVS 2004), its edge 3 further."""
MAX_SHIFT = 0.2


def reduced(photos: "Tensor", *, side_px: int) -> "Tensor":
    """[B, 3, H, W] uint8, made smaller where it is much larger than the network's input."""
    side = int(side_px * REDUCED_TO)
    if min(photos.shape[-2:]) <= side:
        return photos
    return functional.interpolate(photos, size=(side, side), mode="bilinear", antialias=True)  # [B, 3, 1.15 S, 1.15 S]


def _move(x: "Tensor", *, side_px: int, random: "Generator") -> "Tensor":
    """Any rotation, mirror image, zoom of 0.9 to 1.15, slight stretch, and any crop that keeps the centre."""
    n = len(x)
    angle = _uniform(n, -torch.pi, torch.pi, random)
    zoom = 1 / _uniform(n, 0.9, 1.15, random)
    stretch = _uniform(n, 0.95, 1.05, random)
    mirror = torch.where(torch.rand(n, generator=random) < 0.5, -1.0, 1.0)
    theta = torch.zeros(n, 2, 3)
    theta[:, 0, 0] = torch.cos(angle) * zoom * stretch * mirror
    theta[:, 0, 1] = -torch.sin(angle) * zoom * stretch
    theta[:, 1, 0] = torch.sin(angle) * zoom / stretch * mirror
    theta[:, 1, 1] = torch.cos(angle) * zoom / stretch
    reach = zoom * torch.minimum(stretch, 1 / stretch)  # [B]: of the crop's nearest edge, in radii of the retina
    shift = (reach - KEPT_RADIUS).clamp(0, MAX_SHIFT) * torch.rand(n, generator=random)  # [B]
    towards = _uniform(n, -torch.pi, torch.pi, random)
    theta[:, 0, 2], theta[:, 1, 2] = shift * torch.cos(towards), shift * torch.sin(towards)
    grid = functional.affine_grid(theta, [n, 3, side_px, side_px], align_corners=False)  # [B, S, S, 2]
    return functional.grid_sample(x, grid, mode="bilinear", align_corners=False)  # [B, 3, S, S]


DEFOCUSED_SHARE = 0.15
DEFOCUS_SHARES = (0.001, 0.006)
"""Standard deviation of the blur as a share of the retina's diameter. From 1.2 % on only the great vessels remain and
the photograph could not be graded (ml/data/quality_calibration.py)."""


def _defocus(x: "Tensor", *, random: "Generator") -> "Tensor":
    """Some photographs out of focus; across and along differ, and after the turning that is any direction: a shake."""
    for i in torch.nonzero(torch.rand(len(x), generator=random) < DEFOCUSED_SHARE).flatten().tolist():
        across, along = (_uniform(2, *DEFOCUS_SHARES, random) * x.shape[-1]).tolist()
        x[i] = _pixels_of(_picture_of(x[i]).filter(ImageFilter.GaussianBlur((across, along))))  # [3, S, S]
    return x


COMPRESSED_SHARE = 0.2
JPEG_QUALITIES = (25, 85)


def _compress(x: "Tensor", *, random: "Generator") -> "Tensor":
    """Some photographs through a real JPEG encoder and back, as cheap cameras and messengers store them."""
    for i in torch.nonzero(torch.rand(len(x), generator=random) < COMPRESSED_SHARE).flatten().tolist():
        quality = int(torch.randint(*JPEG_QUALITIES, (1,), generator=random))
        file = io.BytesIO()
        _picture_of(x[i]).save(file, "JPEG", quality=quality)
        x[i] = _pixels_of(Image.open(file)) * (x[i].amax(dim=0) > 0)  # what rings over the rim stays black
    return x


def _picture_of(photo: "Tensor") -> Image.Image:
    """Of [3, S, S] float32 in [0, 1]."""
    return Image.fromarray(photo.permute(1, 2, 0).mul(255).round_().to(torch.uint8).numpy())


def _pixels_of(picture: Image.Image) -> "Tensor":
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1).float().div_(255)  # [3, S, S]


def _soften(x: "Tensor", *, random: "Generator") -> "Tensor":
    """A quarter of the photographs lose detail, as from a small sensor or a strong JPEG."""
    chosen = torch.rand(len(x), generator=random) < 0.25
    if not chosen.any():
        return x
    side = x.shape[-1]
    small = int(side * float(_uniform(1, 0.55, 0.95, random)))
    soft = functional.interpolate(x[chosen], size=(small, small), mode="bilinear", antialias=True)
    x[chosen] = functional.interpolate(soft, size=(side, side), mode="bilinear")
    return x


def _recolour(x: "Tensor", *, random: "Generator") -> "Tensor":
    """Brightness, contrast, colour balance, saturation and sensor noise; the black surround stays black."""
    n, side = len(x), x.shape[-1]
    inside = x.amax(dim=1, keepdim=True) > 0.02  # [B, 1, S, S]
    gain = _uniform(n, 0.75, 1.25, random).view(n, 1, 1) * (
        1 + (torch.rand(n, 3, 1, generator=random) - 0.5) * 0.24
    )  # [B, 3, 1]
    lift = (torch.rand(n, 3, 1, generator=random) - 0.5) * 0.16 + 0.44 * (1 - gain)  # [B, 3, 1]
    keep = _uniform(n, 0.3, 1.4, random).view(n, 1, 1)
    mix = keep * torch.eye(3) + (1 - keep) / 3  # [B, 3, 3]: saturation
    flat = torch.baddbmm(mix @ lift, mix * gain.transpose(1, 2), x.flatten(2))  # [B, 3, S*S]
    noise = _noise(side)[int(torch.randint(NOISE_ROWS, (1,), generator=random)) :][: 3 * side * side].view(3, -1)
    flat.addcmul_(noise, _uniform(n, 0.0, 0.03, random).view(n, 1, 1).expand_as(flat))
    return flat.clamp_(0, 1).view_as(x).mul_(inside)


NOISE_ROWS = 4096


@lru_cache(maxsize=2)
def _noise(side_px: int) -> "Tensor":
    """A strip of Gaussian noise to cut from: drawing it anew for every batch would cost more than the network."""
    return torch.randn(3 * side_px * side_px + NOISE_ROWS, generator=torch.Generator().manual_seed(0))


def _cut_frame(x: "Tensor", *, random: "Generator") -> "Tensor":
    """Blank top and bottom of a third of the discs: which camera cuts them must say nothing about the grade."""
    side = x.shape[-1]
    for i in torch.nonzero(torch.rand(len(x), generator=random) < 0.35).flatten().tolist():
        band = int(side * float(_uniform(1, 0.03, 0.14, random)))
        x[i, :, :band] = 0
        x[i, :, side - band :] = 0
    return x
