"""Augmentation changes what cameras and hands change, and keeps what the grade depends on."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from ml.data import augment as steps
from ml.data.augment import KEPT_RADIUS, augment, equalise, equalise_some
from ml.serving.preprocess import COLOR_MEAN, COLOR_STD, crop_fundus, standardize_colors
from ml.synthetic import FundusDrawing, draw_fundus

SIDE_PX = 128


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def retina() -> torch.Tensor:
    """[3, 256, 256] uint8: a drawn retina as the cache holds it."""
    found = crop_fundus(draw_fundus(FundusDrawing(seed=4)), side_px=256)
    assert found is not None
    return torch.from_numpy(standardize_colors(found)).permute(2, 0, 1)


def sharpness(x: torch.Tensor) -> torch.Tensor:
    """[B] mean absolute difference between neighbours inside the disc."""
    inner = x[..., 40:-40, 40:-40]
    return (inner[..., 1:] - inner[..., :-1]).abs().mean(dim=(1, 2, 3))


@pytest.fixture
def sharp(retina: torch.Tensor) -> torch.Tensor:
    """[64, 3, S, S] float32 in [0, 1]: the same retina many times."""
    small = functional.interpolate(retina[None].float() / 255, size=(SIDE_PX, SIDE_PX), mode="bilinear", antialias=True)
    return small.repeat(64, 1, 1, 1)


def test_every_crop_keeps_the_centre_where_macula_and_optic_disc_lie() -> None:
    axis = (torch.arange(256) - 127.5) / 128
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    angle = torch.atan2(y, x)
    ring = ((x**2 + y**2).sqrt() - (KEPT_RADIUS - 0.05)).abs() < 0.04
    sectors = torch.stack(
        [ring & (((angle + torch.pi) / (torch.pi / 4)).int() == k) for k in range(8)]
    )  # [8, 256, 256]
    for k in range(8):
        marked = sectors[k].float().expand(200, 3, -1, -1)
        moved = steps._move(marked, side_px=SIDE_PX, random=seeded(k))
        share = moved[:, 0].sum(dim=(1, 2)) / (marked[0, 0].sum() / 4)  # [200]: half the side, a quarter of the pixels
        assert float(share.min()) > 0.7  # nothing is lost; a zoom of 0.9 and a stretch make it smaller


def test_crops_move_the_centre_but_by_no_more_than_the_limit() -> None:
    centre = torch.zeros(300, 3, 128, 128)
    centre[:, :, 62:66, 62:66] = 1
    moved = steps._move(centre, side_px=128, random=seeded(1))[:, 0]
    at = torch.arange(128).float()
    weight = moved.sum(dim=(1, 2))
    x = (moved.sum(dim=1) * at).sum(dim=1) / weight - 63.5
    y = (moved.sum(dim=2) * at).sum(dim=1) / weight - 63.5
    shift = (x**2 + y**2).sqrt() / 64
    assert 0.1 < float(shift.max()) < steps.MAX_SHIFT * 1.2
    assert float(shift.std()) > 0.02


def test_a_share_of_the_photographs_is_out_of_focus_each_by_its_own_amount(sharp: torch.Tensor) -> None:
    before = sharpness(sharp)
    after = sharpness(steps._defocus(sharp.clone(), random=seeded(2)))
    is_blurred = after < before - 1e-6
    assert 0.04 < float(is_blurred.float().mean()) < 0.35
    assert len(set(after[is_blurred].tolist())) == int(is_blurred.sum())
    assert torch.equal(after[~is_blurred], before[~is_blurred])


def test_blur_keeps_the_brightness(sharp: torch.Tensor) -> None:
    blurred = steps._defocus(sharp.clone(), random=seeded(2))
    assert blurred.mean(dim=(1, 2, 3)).numpy() == pytest.approx(sharp.mean(dim=(1, 2, 3)).numpy(), abs=2e-3)


def test_a_share_of_the_photographs_went_through_a_jpeg_encoder(sharp: torch.Tensor) -> None:
    stored = steps._compress(sharp.clone(), random=seeded(3))
    error = (stored - sharp).abs().mean(dim=(1, 2, 3))
    is_stored = error > 0
    assert 0.08 < float(is_stored.float().mean()) < 0.4
    assert 0.002 < float(error[is_stored].min()) <= float(error[is_stored].max()) < 0.05
    within = (stored - sharp)[is_stored][:, 1, 32:96, 32:96]
    at_border = (
        (within[..., 7::8] - within[..., 6::8]).abs().mean(),
        (within[..., 8::8] - within[..., 7:-1:8]).abs().mean(),
    )
    assert at_border[1] > at_border[0]  # the squares of eight pixels that only JPEG leaves


def test_what_is_black_outside_the_retina_stays_black(sharp: torch.Tensor) -> None:
    outside = sharp[0].amax(dim=0) == 0
    assert outside.any()
    stored = steps._compress(sharp.clone(), random=seeded(3))
    assert float(stored[:, :, outside].max()) == 0


def test_a_large_photograph_is_made_smaller_without_skipping_pixels() -> None:
    """A pattern finer than the network's pixels becomes grey, as in grading, and no coarse pattern of its own."""
    fine = torch.zeros(1, 3, 512, 512, dtype=torch.uint8)
    fine[..., ::2] = 200
    reduced = steps.reduced(fine, side_px=SIDE_PX)
    assert reduced.shape[-1] == int(SIDE_PX * steps.REDUCED_TO)
    assert float(reduced.float().std()) < 4
    assert steps.reduced(fine, side_px=480).shape[-1] == 512


def test_augmentation_leaves_the_cached_photographs_alone(retina: torch.Tensor) -> None:
    batch = retina.repeat(8, 1, 1, 1)
    before = batch.clone()
    augment(batch, side_px=SIDE_PX, random=seeded())
    assert torch.equal(batch, before)


def test_an_equalised_photograph_has_every_value_equally_often_at_the_evened_mean_and_spread(
    retina: torch.Tensor,
) -> None:
    lit = retina.amax(dim=0) > 5
    for channel in equalise(retina)[:, lit].double():
        assert float(channel.mean()) == pytest.approx(COLOR_MEAN, abs=2)
        assert float(channel.std()) == pytest.approx(COLOR_STD, abs=3)
        counts, _ = np.histogram(channel.numpy(), bins=8)
        assert counts.min() > 0.6 * counts.mean()


def test_equalising_keeps_the_order_of_values_and_the_black_surround(retina: torch.Tensor) -> None:
    even, lit = equalise(retina), retina.amax(dim=0) > 5
    assert (even[:, ~lit] == 0).all()
    order = retina[1][lit].argsort(stable=True)
    assert (even[1][lit][order].int().diff() >= 0).all()


@pytest.mark.parametrize(("share", "expected"), [(0.0, 0), (1.0, 40)])
def test_none_or_all_are_equalised_at_the_ends_of_the_share(retina: torch.Tensor, share: float, expected: int) -> None:
    changed = equalise_some(retina.repeat(40, 1, 1, 1), share=share, random=seeded())
    assert sum(not torch.equal(photo, retina) for photo in changed) == expected


def test_the_share_to_equalise_is_kept_on_average_and_repeats_with_the_seed(retina: torch.Tensor) -> None:
    first, again = (equalise_some(retina.repeat(100, 1, 1, 1), share=0.3, random=seeded(5)) for _ in range(2))
    assert torch.equal(first, again)
    assert 18 <= sum(not torch.equal(photo, retina) for photo in first) <= 42


def test_a_black_photograph_can_be_equalised() -> None:
    assert (equalise(torch.zeros(3, 16, 16, dtype=torch.uint8)) == 0).all()
