"""Augmentation varies what differs between cameras, and keeps what the grade depends on."""

from unittest.mock import Mock

import numpy as np
import pytest
import torch
from PIL import Image

from ml.data import augment as module
from ml.data.augment import MAX_SHIFT, MIN_KEPT_RADIUS, BatchRandom, augment, equalize, resize_images
from ml.serving.preprocess import COLOR_MEAN, COLOR_STD, crop_fundus, standardize_colors
from ml.synthetic import FundusDrawing, draw_fundus
from ml.training.batches import seeded_generator

SIZE = 128


def random_for(images: torch.Tensor, seed: int = 0) -> BatchRandom:
    return BatchRandom(seeded_generator(seed), len(images))


@pytest.fixture(scope="module")
def crop() -> torch.Tensor:
    """[3, 256, 256] uint8: a synthetic fundus crop as it is cached."""
    found = crop_fundus(draw_fundus(FundusDrawing(seed=4)), side_px=256)
    assert found is not None
    return torch.from_numpy(standardize_colors(found)).permute(2, 0, 1)


@pytest.fixture
def sharp(crop: torch.Tensor) -> torch.Tensor:
    """[64, 3, S, S] float32 in [0, 1]: the same crop many times."""
    return resize_images(crop[None], SIZE).repeat(64, 1, 1, 1)


def sharpness(x: torch.Tensor) -> torch.Tensor:
    """[B] mean absolute difference between neighbours inside the retina."""
    inner = x[..., 40:-40, 40:-40]
    return (inner[..., 1:] - inner[..., :-1]).abs().mean(dim=(1, 2, 3))


def test_every_crop_keeps_the_centre_with_macula_and_optic_disc() -> None:
    axis = (torch.arange(256) - 127.5) / 128
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    angle = torch.atan2(y, x)
    ring = ((x**2 + y**2).sqrt() - (MIN_KEPT_RADIUS - 0.05)).abs() < 0.04
    for k in range(8):
        sector = ring & (((angle + torch.pi) / (torch.pi / 4)).int() == k)  # [256, 256]
        marked = sector.float().expand(200, 3, -1, -1)
        moved = module._random_affine(marked, random_for(marked, k), image_size=SIZE)
        kept = moved[:, 0].sum(dim=(1, 2)) / (sector.sum() / 4)  # [200]: half the side, a quarter of the pixels
        assert float(kept.min()) > 0.7  # zoom and stretch change the area, nothing is lost


def test_crops_shift_the_centre_up_to_the_limit() -> None:
    centre = torch.zeros(300, 3, SIZE, SIZE)
    centre[:, :, 62:66, 62:66] = 1
    moved = module._random_affine(centre, random_for(centre, 1), image_size=SIZE)[:, 0]
    at = torch.arange(SIZE).float()
    weight = moved.sum(dim=(1, 2))
    x = (moved.sum(dim=1) * at).sum(dim=1) / weight - 63.5
    y = (moved.sum(dim=2) * at).sum(dim=1) / weight - 63.5
    shift = (x**2 + y**2).sqrt() / 64
    assert 0.1 < float(shift.max()) < MAX_SHIFT * 1.2
    assert float(shift.std()) > 0.02


def test_only_the_chosen_photographs_are_blurred_and_keep_their_brightness(sharp: torch.Tensor) -> None:
    sigma = torch.linspace(0.5, 1.5, 64)[:, None].expand(-1, 2)
    chosen = torch.arange(64) % 4 == 0
    blurred = module.gaussian_blur(sharp.clone(), sigma, chosen)
    assert torch.equal(blurred[~chosen], sharp[~chosen])
    assert (sharpness(blurred)[chosen].diff() < 0).all()
    assert blurred.mean(dim=(1, 2, 3)).numpy() == pytest.approx(sharp.mean(dim=(1, 2, 3)).numpy(), abs=2e-3)


def test_jpeg_leaves_blocks_of_eight_pixels_and_a_black_surround(sharp: torch.Tensor) -> None:
    chosen = torch.arange(64) % 2 == 0
    stored = module.jpeg(sharp.clone(), torch.linspace(25, 85, 64), chosen)
    error = (stored - sharp).abs().mean(dim=(1, 2, 3))
    assert (error[~chosen] == 0).all()
    assert 0.002 < float(error[chosen].min()) <= float(error[chosen].max()) < 0.05
    within = (stored - sharp)[chosen][:, 1, 32:96, 32:96]
    inside, at_border = within[..., 7::8] - within[..., 6::8], within[..., 8::8] - within[..., 7:-1:8]
    assert at_border.abs().mean() > inside.abs().mean()
    surround = sharp[0].amax(dim=0) == 0
    assert surround.any()
    assert float(stored[:, :, surround].max()) == 0


def test_colour_and_noise_vary_and_the_surround_stays_black(sharp: torch.Tensor) -> None:
    x = module._random_color(sharp.clone(), random_for(sharp))
    assert 0 <= float(x.min()) < float(x.max()) <= 1
    assert float(x.mean(dim=(2, 3)).std(dim=0).min()) > 0.03
    assert float(x[:, :, sharp[0].amax(dim=0) == 0].max()) == 0
    assert not torch.equal(x[0] - x[0].mean(), x[1] - x[1].mean())


def test_the_frame_is_cut_at_top_and_bottom() -> None:
    cut = module._cut_frame(torch.ones(2, 3, 100, 100), torch.tensor([0.0, 0.1]))
    assert (cut[0] == 1).all()
    assert (cut[1, :, 10:90] == 1).all()
    assert float(cut[1].sum()) == 3 * 80 * 100


def test_a_small_sensor_loses_detail(sharp: torch.Tensor) -> None:
    x = module.downscale(sharp.clone(), torch.full((64,), 0.6), torch.arange(64) == 3)
    assert x.shape == sharp.shape
    assert sharpness(x)[3] < 0.9 * sharpness(sharp)[3]
    assert torch.equal(x[:3], sharp[:3])


def test_a_large_photograph_is_resized_with_antialiasing_first() -> None:
    """A pattern finer than the network's pixels becomes grey, as at inference."""
    fine = torch.zeros(8, 3, 512, 512, dtype=torch.uint8)
    fine[..., ::2] = 200
    assert float(resize_images(fine, SIZE).std()) < 0.02
    augmented = augment(fine, random_for(fine), image_size=SIZE)[:, :, 40:88, 40:88]
    assert float((augmented - augmented.mean(dim=(2, 3), keepdim=True)).std()) < 0.04  # noise


@pytest.mark.parametrize("size", [96, 256])
def test_augmented_photographs_repeat_with_the_seed_and_leave_the_cache_unchanged(
    crop: torch.Tensor, size: int
) -> None:
    batch = crop.repeat(16, 1, 1, 1)
    first, again, other = (augment(batch, random_for(batch, s), image_size=size, equalize_prob=0.5) for s in (3, 3, 4))
    assert first.shape == (16, 3, size, size)
    assert 0 <= first.min() < first.max() <= 1
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert (first[:, :, 0, 0] == 0).all()  # the surround stays black
    assert torch.equal(batch, crop.repeat(16, 1, 1, 1))


def test_each_operation_is_applied_with_its_probability() -> None:
    random = BatchRandom(seeded_generator(0), 4000)
    for p in (0.0, 0.15, 1.0):
        assert float(random.bernoulli(p).float().mean()) == pytest.approx(p, abs=0.02)
    assert [float(f(random.uniform(2, 5))) for f in (torch.min, torch.max)] == pytest.approx([2, 5], abs=0.01)


@pytest.mark.parametrize(
    ("operation", "prob"),
    [
        ("equalize", 0.3),
        ("gaussian_blur", module.BLUR_PROB),
        ("downscale", module.DOWNSCALE_PROB),
        ("jpeg", module.JPEG_PROB),
    ],
)
def test_augmentation_samples_photographs_and_amounts_independently(
    operation: str, prob: float, sharp: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    applied = Mock(wraps=getattr(module, operation))
    monkeypatch.setattr(module, operation, applied)
    photos = (sharp * 255).to(torch.uint8)
    augment(photos, random_for(photos, 5), image_size=32, equalize_prob=0.3)
    _, *amounts, chosen = applied.call_args.args
    assert float(chosen.float().mean()) == pytest.approx(prob, abs=0.12)
    assert all(len(amount.unique(dim=0)) == len(photos) for amount in amounts)


def test_equalisation_makes_values_equally_frequent_with_the_standard_mean_and_deviation(crop: torch.Tensor) -> None:
    batch, is_retina = crop[None].repeat(2, 1, 1, 1), crop.amax(dim=0) > 5
    plain, equalized = equalize(batch, torch.tensor([False, True]))
    assert torch.equal(plain, crop)
    assert (equalized[:, ~is_retina] == 0).all()
    for channel in equalized[:, is_retina].double():
        assert float(channel.mean()) == pytest.approx(COLOR_MEAN, abs=2)
        assert float(channel.std()) == pytest.approx(COLOR_STD, abs=3)
        counts, _ = np.histogram(channel.numpy(), bins=8)
        assert counts.min() > 0.6 * counts.mean()
    order = crop[1][is_retina].argsort(stable=True)
    assert (equalized[1][is_retina][order].int().diff() >= 0).all()


def test_a_black_photograph_can_be_equalised() -> None:
    black = torch.zeros(1, 3, 16, 16, dtype=torch.uint8)
    assert torch.equal(equalize(black, torch.tensor([True])), black)


def test_resizing_is_that_of_pillow(crop: torch.Tensor) -> None:
    small = resize_images(crop[None], 64)[0].permute(1, 2, 0).numpy() * 255
    photo = Image.fromarray(crop.permute(1, 2, 0).numpy())
    expected = np.asarray(photo.resize((64, 64), Image.Resampling.BILINEAR), float)
    assert np.abs(small - expected).mean() < 1
