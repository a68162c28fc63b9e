"""The disc is found wherever the frame puts it."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from ml.serving.field_of_view import detect_fov
from ml.synthetic import FundusDrawing, draw_fundus


def photograph(size: tuple[int, int], centre: tuple[float, float], radius: float, *, noise: float = 0.0) -> Image.Image:
    """A retina-coloured disc with a darker middle on a black, possibly noisy, border."""
    image = Image.new("RGB", size)
    draw = ImageDraw.Draw(image)
    x, y = centre
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=(190, 90, 40))
    draw.ellipse((x - radius / 4, y - radius / 4, x + radius / 4, y + radius / 4), fill=(120, 50, 25))
    if not noise:
        return image
    grain = np.random.default_rng(0).normal(0, noise, (size[1], size[0], 3))
    return Image.fromarray(np.clip(np.asarray(image) + grain, 0, 255).astype(np.uint8))


@pytest.mark.parametrize(
    ("size", "centre", "radius"),
    [
        pytest.param((600, 600), (300, 300), 290, id="square, whole"),
        pytest.param((800, 600), (400, 300), 290, id="4:3, whole"),
        pytest.param((900, 600), (450, 300), 360, id="3:2, cut at top and bottom"),
        pytest.param((900, 600), (350, 330), 340, id="off-centre and cut"),
        pytest.param((600, 600), (300, 300), 370, id="frame inside the disc but for the corners"),
        pytest.param((600, 600), (300, 300), 180, id="small in its frame"),
        pytest.param((800, 600), (520, 300), 290, id="cut on the right"),
    ],
)
@pytest.mark.parametrize("noise", [0.0, 4.0])
def test_the_disc_is_found_within_two_percent(
    size: tuple[int, int], centre: tuple[int, int], radius: int, noise: float
) -> None:
    disc = detect_fov(photograph(size, centre, radius, noise=noise))
    assert disc is not None
    assert disc.radius_px == pytest.approx(radius, rel=0.02)
    assert (disc.x_px, disc.y_px) == pytest.approx(centre, abs=0.02 * max(size))


def test_a_shadow_over_a_third_of_the_retina_does_not_move_the_disc() -> None:
    image = photograph((800, 600), (400, 300), 280)
    ImageDraw.Draw(image).polygon([(0, 300), (330, 600), (0, 600)], fill=(3, 2, 2))
    disc = detect_fov(image)
    assert disc is not None
    assert disc.radius_px == pytest.approx(280, rel=0.03)


def test_a_drawn_photograph_with_a_notch_is_found() -> None:
    image = draw_fundus(FundusDrawing(seed=3, has_notch=True))
    disc = detect_fov(image)
    assert disc is not None
    assert disc.support > 0.8
    assert disc.x_px == pytest.approx(image.width / 2, rel=0.02)


@pytest.mark.parametrize("colour", [(0, 0, 0), (7, 7, 7)])
def test_a_black_picture_has_no_disc(colour: tuple[int, int, int]) -> None:
    assert detect_fov(Image.new("RGB", (400, 300), colour)) is None


def test_a_speck_on_black_is_no_disc() -> None:
    image = Image.new("RGB", (400, 300))
    ImageDraw.Draw(image).ellipse((190, 140, 220, 170), fill=(255, 255, 255))
    assert detect_fov(image) is None


def test_the_same_picture_gives_the_same_disc() -> None:
    image = photograph((900, 600), (430, 310), 330, noise=5)
    assert detect_fov(image) == detect_fov(image.copy())
