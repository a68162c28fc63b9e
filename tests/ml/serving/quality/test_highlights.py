"""Small white reflections, which wet lids and lashes have and retinas do not."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ml.serving.preprocess import FundusCrop, crop_fundus
from ml.serving.quality.coefficients import Scores
from ml.serving.quality.gate import assess_quality, decide, released_gate
from ml.serving.quality.highlights import highlight_fraction
from ml.serving.quality.network import square_view
from ml.vocabulary import ICDRGrade, QualityReason
from tests.ml.serving.quality.builders import cropped, features_of, synthetic_eye

SIDE_PX = 320
N_DRIMDB_OUTLIERS = 14
LIMITS = released_gate().coefficients.limits


def highlights_of(crop: FundusCrop) -> float:
    return highlight_fraction(square_view(crop))


def with_dots(color: tuple[int, int, int], n: int = 150) -> Image.Image:
    """A retina with small square dots."""
    pixels = np.array(synthetic_eye())
    crop = cropped(synthetic_eye(), SIDE_PX)
    rng = np.random.default_rng(5)
    angle, distance = rng.uniform(0, 2 * np.pi, n), np.sqrt(rng.uniform(0, 0.7, n)) * crop.fov.radius_px
    for x, y in zip(crop.fov.x_px + distance * np.cos(angle), crop.fov.y_px + distance * np.sin(angle), strict=True):
        pixels[int(y) : int(y) + 3, int(x) : int(x) + 3] = color
    return Image.fromarray(pixels)


@pytest.mark.parametrize("grade", list(ICDRGrade))
def test_a_retina_has_few(grade: ICDRGrade) -> None:
    assert highlights_of(cropped(synthetic_eye(grade=grade), SIDE_PX)) < LIMITS.max_highlights


@pytest.mark.parametrize("side_px", [224, 288, 384])
def test_white_dots_count(side_px: int) -> None:
    assert highlights_of(cropped(with_dots((255, 250, 245)), side_px)) > LIMITS.max_highlights


def test_yellow_dots_do_not_count() -> None:
    assert highlights_of(cropped(with_dots((250, 225, 60)), SIDE_PX)) < LIMITS.max_highlights


@pytest.mark.parametrize(
    ("highlights", "p_fundus", "is_retina"), [(9.0, 0.8, False), (9.0, 0.99, True), (0.1, 0.8, True)]
)
def test_only_a_doubtful_retina_is_refused_for_them(highlights: float, p_fundus: float, *, is_retina: bool) -> None:
    features = features_of(cropped(synthetic_eye(), SIDE_PX))
    scores = Scores(p_fundus=p_fundus, p_gradable=0.99, p_sharp=0.99, highlights=highlights)
    quality = decide(features, released_gate().coefficients, diameter_px=700, scores=scores)
    assert (QualityReason.NO_RETINA not in quality.reasons) is is_retina
    assert quality.level.is_gradable is is_retina


@pytest.mark.real_data
def test_no_real_photograph_without_a_retina_is_graded(data_dir: Path) -> None:
    photos = sorted((data_dir / "drimdb" / "images").glob("drimdb_outlier*.jpg"))
    assert len(photos) == N_DRIMDB_OUTLIERS
    accepted = [path.name for path in photos if assess_quality(crop_fundus(path, side_px=384)).level.is_gradable]
    assert accepted == []
