"""The field of view is detected at any position in the frame."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from ml.serving.field_of_view import FieldOfView, detect_fov
from ml.synthetic import FundusDrawing, draw_fundus


def photograph(size: tuple[int, int], centre: tuple[float, float], radius: float, *, noise: float = 0.0) -> Image.Image:
    """A circle in a retina's colour with a darker centre, on a black or noisy frame."""
    image = Image.new("RGB", size)
    draw = ImageDraw.Draw(image)
    draw.circle(centre, radius, fill=(190, 90, 40))
    draw.circle(centre, radius / 4, fill=(120, 50, 25))
    grain = np.random.default_rng(0).normal(0, noise, (size[1], size[0], 3))
    return Image.fromarray(np.clip(np.asarray(image) + grain, 0, 255).astype(np.uint8))


def detected(image: Image.Image) -> FieldOfView:
    fov = detect_fov(image)
    assert fov is not None
    return fov


@pytest.mark.parametrize(
    ("size", "centre", "radius"),
    [
        pytest.param((600, 600), (300, 300), 290, id="square, whole"),
        pytest.param((800, 600), (400, 300), 290, id="4:3, whole"),
        pytest.param((900, 600), (450, 300), 360, id="3:2, cut at top and bottom"),
        pytest.param((900, 600), (350, 330), 340, id="off-centre and cut"),
        pytest.param((600, 600), (300, 300), 370, id="fills the frame but for the corners"),
        pytest.param((600, 600), (300, 300), 180, id="small in its frame"),
        pytest.param((800, 600), (520, 300), 290, id="cut on the right"),
    ],
)
@pytest.mark.parametrize("noise", [0.0, 4.0])
def test_it_is_detected_within_two_percent(
    size: tuple[int, int], centre: tuple[int, int], radius: int, noise: float
) -> None:
    fov = detected(photograph(size, centre, radius, noise=noise))
    assert fov.radius_px == pytest.approx(radius, rel=0.02)
    assert (fov.x_px, fov.y_px) == pytest.approx(centre, abs=0.02 * max(size))


def test_a_shadow_over_a_third_of_the_retina_does_not_move_it() -> None:
    image = photograph((800, 600), (400, 300), 280)
    ImageDraw.Draw(image).polygon([(0, 300), (330, 600), (0, 600)], fill=(3, 2, 2))
    assert detected(image).radius_px == pytest.approx(280, rel=0.03)


def test_a_notch_does_not_move_it() -> None:
    drawing = FundusDrawing(seed=3, has_notch=True, scale=0.3)
    image = draw_fundus(drawing)
    fov = detected(image)
    assert fov.diameter_px == pytest.approx(drawing.side_px, rel=0.03)
    assert fov.x_px == pytest.approx(image.width / 2, rel=0.02)


@pytest.mark.parametrize(
    "image", [*(Image.new("L", (400, 300), level) for level in (0, 7)), photograph((400, 300), (205, 155), 15)]
)
def test_a_black_image_or_a_speck_on_black_has_none(image: Image.Image) -> None:
    assert detect_fov(image.convert("RGB")) is None


def test_detection_is_deterministic() -> None:
    image = photograph((900, 600), (430, 310), 330, noise=5)
    assert detect_fov(image) == detect_fov(image.copy())
