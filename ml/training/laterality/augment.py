"""Random augmentation of photographs, to train the laterality network: it changes the label with the picture.

A reflection shows the other eye, a turn by 180 degrees the same eye turned. Shifted until the disc is central, turned
by about 90 degrees, shuffled or blurred until nothing is recognisable, a photograph becomes one of the class OTHER.
"""

from typing import TYPE_CHECKING

import torch

from ml.data.augment import BatchRandom, add_noise, affine, downscale, gaussian_blur
from ml.serving.laterality.network import LEFT, LEFT_ROTATED, OTHER, RIGHT, RIGHT_ROTATED

if TYPE_CHECKING:
    from torch import Tensor

#: Class after a reflection left to right, and after a turn by 180 degrees.
REFLECTED = (LEFT, RIGHT, LEFT_ROTATED, RIGHT_ROTATED, OTHER)
ROTATED = (RIGHT_ROTATED, LEFT_ROTATED, RIGHT, LEFT, OTHER)
#: Centre of the disc in radii of a 45 degree field with the fovea at its centre: 15.5 degrees nasal, 1.5 above
#: (Rohrschneider, IOVS 2004).
DISC_X, DISC_Y = 0.69, -0.07
#: In radii. A disc nearer to the centre than the first is central, farther than the second lateral; the same for the
#: fovea, and for the disc at the edge. Photographs in between are not used.
CENTRAL, LATERAL = 0.3, 0.42
FOVEA_CENTRAL, FOVEA_LATERAL = 0.36, 0.5
DISC_INSIDE, DISC_OUTSIDE = 0.9, 1.1
MAX_NOISE_STD = 0.03


def augment_laterality(photos: "Tensor", allowed: "Tensor", random: BatchRandom) -> "tuple[Tensor, Tensor]":
    """[B, 3, S, S] uint8, [B, 5] -> [B, 3, S, S] float32 in [0, 1], and the classes that are allowed afterwards."""
    x = photos.float() / 255
    reflect, rotate = random.bernoulli(0.5), random.bernoulli(0.5)
    x = torch.where(reflect[:, None, None, None], x.flip(3), x)
    x = torch.where(rotate[:, None, None, None], x.flip((2, 3)), x)
    allowed = torch.where(reflect[:, None], allowed[:, REFLECTED], allowed)
    allowed = torch.where(rotate[:, None], allowed[:, ROTATED], allowed)
    x, allowed = _move(x, allowed, random)
    x, is_spoilt = _spoil(x, random)
    allowed = torch.where(is_spoilt[:, None], _only_other(allowed), allowed)
    return _light(x, random), allowed


def _only_other(allowed: "Tensor") -> "Tensor":
    other = torch.zeros_like(allowed)
    other[:, OTHER] = 1
    return other


def _move(x: "Tensor", allowed: "Tensor", random: BatchRandom) -> "tuple[Tensor, Tensor]":
    """Rotate, zoom and shift. If the position of the disc is known (one class allowed) some are shifted far."""
    side, is_known = x.shape[-1], allowed.sum(dim=1) == 1
    is_far = is_known & random.bernoulli(0.22)
    is_quarter = random.bernoulli(0.04)
    angle = torch.where(is_quarter, random.uniform(1.05, 2.09), random.uniform(-0.1, 0.1))
    scale = torch.where(is_far, random.uniform(0.62, 1.0), random.uniform(0.88, 1.12))
    optic_disc = _optic_disc_positions(allowed)  # [B, 2]
    to_optic_disc = random.uniform(-0.4, 1.2)[:, None] * optic_disc
    near = torch.stack([random.uniform(-0.12, 0.12), random.uniform(-0.12, 0.12)], dim=1)
    shift = torch.where(is_far[:, None], to_optic_disc + near, near)
    nothing = torch.zeros(len(x), dtype=torch.bool)
    x = affine(x, angle=angle, mirror=nothing, scale=scale[:, None].expand(-1, 2), shift=shift, image_size=side)
    x = x * _circle(side)
    optic_disc_x, optic_disc_radius = (
        ((optic_disc - shift) / scale[:, None])[:, 0].abs(),
        (optic_disc - shift).norm(dim=1) / scale,
    )
    fovea_radius = shift.norm(dim=1) / scale
    is_other = is_quarter | is_far & (
        (optic_disc_x < CENTRAL) | (fovea_radius > FOVEA_LATERAL) | (optic_disc_radius > DISC_OUTSIDE)
    )
    is_eye = (optic_disc_x > LATERAL) & (fovea_radius < FOVEA_CENTRAL) & (optic_disc_radius < DISC_INSIDE)
    is_unclear = is_far & ~is_other & ~is_eye
    allowed = torch.where(is_other[:, None], _only_other(allowed), allowed)
    return x, torch.where(is_unclear[:, None], torch.ones_like(allowed), allowed)


def _optic_disc_positions(allowed: "Tensor") -> "Tensor":
    """[B, 2] x, y of the disc in radii, if one class is allowed."""
    x = torch.tensor([DISC_X, -DISC_X, -DISC_X, DISC_X, 0.0])
    y = torch.tensor([DISC_Y, DISC_Y, -DISC_Y, -DISC_Y, 0.0])
    chosen = allowed.argmax(dim=1)
    return torch.stack([x[chosen], y[chosen]], dim=1)


def _circle(side: int) -> "Tensor":
    axis = torch.linspace(-1, 1, side)
    return ((axis[:, None] ** 2 + axis[None, :] ** 2) < 0.98**2).float()


def _spoil(x: "Tensor", random: BatchRandom) -> "tuple[Tensor, Tensor]":
    """Shuffle the blocks of some photographs, and blur others until no landmark is left."""
    side = x.shape[-1]
    is_shuffled, is_blurred = random.bernoulli(0.03), random.bernoulli(0.03)
    order = torch.stack([random.uniform() for _ in range(16)], dim=1).argsort(dim=1)
    for i in is_shuffled.nonzero().flatten().tolist():
        blocks = x[i].unfold(1, side // 4, side // 4).unfold(2, side // 4, side // 4).flatten(1, 2)  # [3, 16, s, s]
        blocks = blocks[:, order[i]].view(3, 4, 4, side // 4, side // 4).permute(0, 1, 3, 2, 4)
        x[i] = blocks.reshape(3, side, side) * _circle(side)
    x = downscale(x, random.uniform(0.03, 0.06), is_blurred)
    return x, is_shuffled | is_blurred


def _light(x: "Tensor", random: BatchRandom) -> "Tensor":
    """Uneven light, gamma of each channel, saturation, blur, noise, and a frame cut at the top and the bottom."""
    side = x.shape[-1]
    is_retina = x.amax(dim=1, keepdim=True) > 0.02  # [B, 1, S, S]
    axis = torch.linspace(-1, 1, side)
    slope_x, slope_y = random.uniform(-0.45, 0.45), random.uniform(-0.45, 0.45)
    light = 1 + slope_x[:, None, None] * axis[None, None, :] + slope_y[:, None, None] * axis[None, :, None]
    x = (x * light[:, None]).clamp(1e-4, 1)
    gamma = torch.stack([random.uniform(-0.35, 0.35) for _ in range(3)], dim=1).exp()
    x = x ** gamma[:, :, None, None]
    saturation = random.uniform(0.2, 1.3)[:, None, None, None]
    x = saturation * x + (1 - saturation) * x.mean(dim=1, keepdim=True)
    x = gaussian_blur(x, (random.uniform(0.003, 0.012) * side)[:, None].expand(-1, 2), random.bernoulli(0.15))
    x = downscale(x, random.uniform(0.5, 0.9), random.bernoulli(0.15))
    x = add_noise(x.contiguous(), random, std=random.uniform(0.0, MAX_NOISE_STD))
    y = torch.arange(side)[None, None, :, None]
    band = (side * torch.where(random.bernoulli(0.4), random.uniform(0.03, 0.14), 0.0)).long()[:, None, None, None]
    return x.clamp(0, 1) * is_retina * ((y >= band) & (y < side - band))
