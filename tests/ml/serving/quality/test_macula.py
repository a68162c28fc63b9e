"""Glare or a shadow over the macula limits a photograph; elsewhere it does not."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from ml.serving.preprocess import crop_fundus
from ml.serving.quality.gate import Quality, assess_quality
from ml.vocabulary import QualityLevel, QualityReason
from tests.ml.serving.quality.builders import cropped, features_of, synthetic_eye


def with_spot(photo: Image.Image, light: float, *, radius: float, x: float = 0.0, y: float = 0.0) -> Image.Image:
    """A soft round spot, its centre x, y radii from that of the field: ``light`` 0 to 1 adds white, below 0 darkens."""
    fov = cropped(photo, side_px=288).fov
    mask = Image.new("L", photo.size)
    centre, r = (fov.x_px + x * fov.radius_px, fov.y_px + y * fov.radius_px), radius * fov.radius_px
    ImageDraw.Draw(mask).ellipse((centre[0] - r, centre[1] - r, centre[0] + r, centre[1] + r), fill=255)
    soft = np.asarray(mask.filter(ImageFilter.GaussianBlur(r / 8)), np.float32)[..., None] / 255
    pixels = np.asarray(photo, np.float32)
    lit = pixels * (1 - soft * abs(light)) + 255 * soft * max(light, 0.0)
    return Image.fromarray(lit.astype(np.uint8))


def assess(photo: Image.Image) -> Quality:
    return assess_quality(crop_fundus(photo, side_px=288))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("radius", [0.25, 0.35])
@pytest.mark.parametrize("light", [0.7, 1.0, -0.9])
def test_glare_or_shadow_over_the_macula_is_named(light: float, radius: float, seed: int) -> None:
    quality = assess(with_spot(synthetic_eye(seed), light, radius=radius))
    assert quality.level is not QualityLevel.GOOD
    assert QualityReason.MACULA_NOT_VISIBLE in quality.reasons


@pytest.mark.parametrize(("x", "y"), [(0.0, 0.75), (-0.6, -0.5)])
def test_a_spot_at_the_rim_leaves_the_macula_visible(x: float, y: float) -> None:
    photo = synthetic_eye(1)
    assert QualityReason.MACULA_NOT_VISIBLE not in assess(photo).reasons
    assert QualityReason.MACULA_NOT_VISIBLE not in assess(with_spot(photo, 0.9, radius=0.25, x=x, y=y)).reasons


def test_the_fraction_rises_with_the_size_of_the_spot() -> None:
    photo = synthetic_eye(2)
    spots = [with_spot(photo, 0.9, radius=radius) for radius in (0.05, 0.15, 0.3)]
    hidden = [features_of(cropped(spot, side_px=288))["macula_hidden"] for spot in spots]
    assert 0 <= hidden[0] < hidden[1] < hidden[2] == 1
