"""Image quality: what would hide lesions is never a clear negative, and what is no retina has no grade."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from ml.grader import Grader
from ml.serving.preprocess import crop_fundus
from ml.synthetic import draw_fundus, drawing_for_grade
from ml.training.quality.negatives import document, in_fov, in_retina_colors
from ml.training.quality.round_objects import draw_round_object
from ml.vocabulary import ICDRGrade, Laterality, QualityLevel, QualityReason
from tests.cases.conftest import Record

GOOD, USABLE, UNGRADABLE = QualityLevel.GOOD, QualityLevel.USABLE, QualityLevel.UNGRADABLE


@cache
def healthy_eye() -> Image.Image:
    """A field of view of more than 700 pixels."""
    return draw_fundus(replace(drawing_for_grade(ICDRGrade.NONE, Laterality.RIGHT, seed=7), scale=0.75))


def blurred(sigma: float) -> Image.Image:
    """By a fraction of the width of the field of view."""
    crop = crop_fundus(healthy_eye(), side_px=288)
    assert crop is not None
    return healthy_eye().filter(ImageFilter.GaussianBlur(sigma * crop.fov.diameter_px))


def with_spot(level: int) -> Image.Image:
    """A spot of this grey level over the macula."""
    photo, mask = healthy_eye().copy(), Image.new("L", healthy_eye().size)
    x, y, r = photo.width / 2, photo.height / 2, 0.14 * photo.height
    ImageDraw.Draw(mask).ellipse((x - r, y - r, x + r, y + r), fill=235)
    photo.paste((level, level, level), mask=mask.filter(ImageFilter.GaussianBlur(6)))
    return photo


def page() -> Image.Image:
    rng = np.random.default_rng(33)
    return in_fov(in_retina_colors(document(rng), rng), rng)


CASES: list[tuple[str, Callable[[], Image.Image], set[QualityLevel], QualityReason | None]] = [
    ("a good photograph", healthy_eye, {GOOD}, None),
    ("blurred by 0.3 % of the field", lambda: blurred(0.003), {USABLE, UNGRADABLE}, QualityReason.BLURRED),
    ("blurred until no vessel is visible", lambda: blurred(0.03), {UNGRADABLE}, QualityReason.BLURRED),
    ("glare over the macula", lambda: with_spot(255), {USABLE, UNGRADABLE}, QualityReason.MACULA_NOT_VISIBLE),
    ("shadow over the macula", lambda: with_spot(4), {USABLE, UNGRADABLE}, QualityReason.MACULA_NOT_VISIBLE),
    ("a page in the colours of a retina", page, {UNGRADABLE}, QualityReason.NO_RETINA),
    *(
        (f"{kind} {seed}", lambda k=kind, s=seed: draw_round_object(np.random.default_rng(s), k), {UNGRADABLE}, None)
        for kind in ("fruit", "plate", "ball", "eye from outside")
        for seed in range(700, 703)
    ),
]


@pytest.fixture(scope="module")
def grader() -> Grader:
    return Grader.load()


@pytest.mark.parametrize(("kind", "photo", "levels", "reason"), CASES, ids=[case[0] for case in CASES])
def test_quality_is_seen(
    kind: str,
    photo: Callable[[], Image.Image],
    levels: set[QualityLevel],
    reason: QualityReason | None,
    grader: Grader,
    record_case: Record,
) -> None:
    prediction = grader.grade(photo())
    record_case(kind, f"{prediction.quality_level} {list(map(str, prediction.quality_reasons))}")
    assert prediction.quality_level in levels
    assert reason is None or reason in prediction.quality_reasons
    is_negative = prediction.is_referable is False
    assert prediction.is_limited_negative == (is_negative and prediction.quality_level is USABLE)
    assert (prediction.grade is None) == (prediction.quality_level is UNGRADABLE)
