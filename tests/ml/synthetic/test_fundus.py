"""Synthetic photographs repeat, have the right anatomy, and faults only if asked for."""

from dataclasses import astuple, fields, replace
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from ml.synthetic.camera import Faults, Frame
from ml.synthetic.fundus import FundusDrawing, draw_fundus, drawing_for_grade
from ml.synthetic.lesion_mask import lesion_mask
from ml.synthetic.lesions import Lesions, lesions_for_grade
from ml.vocabulary import ICDRGrade, Laterality

Pixels = NDArray[np.float32]

HEALTHY = FundusDrawing(seed=5, scale=0.4)


@cache
def pixels_of(drawing: FundusDrawing) -> Pixels:
    """(H, W, 3) in 0..255."""
    return np.asarray(draw_fundus(drawing), dtype=np.float32)


def with_faults(**faults: float) -> Pixels:
    return pixels_of(replace(HEALTHY, faults=Faults(**faults)))


def with_lesions(**lesions: int) -> Pixels:
    return pixels_of(replace(HEALTHY, lesions=Lesions(**lesions)))


def centre(photo: Pixels, fraction: float = 0.5) -> Pixels:
    height, width = photo.shape[:2]
    half = int(min(height, width) * fraction / 2)
    return photo[height // 2 - half : height // 2 + half, width // 2 - half : width // 2 + half]


def test_the_same_drawing_gives_the_same_pixels_and_another_seed_another_eye() -> None:
    drawing = replace(drawing_for_grade(ICDRGrade.PROLIFERATIVE, Laterality.LEFT, seed=3), scale=0.3)
    assert draw_fundus(drawing).tobytes() == draw_fundus(drawing).tobytes()
    assert np.abs(pixels_of(HEALTHY) - pixels_of(replace(HEALTHY, seed=6))).mean() > 5


@pytest.mark.parametrize("seed", [5, 11])
@pytest.mark.parametrize("laterality", list(Laterality))
def test_the_optic_disc_is_on_the_nasal_side(seed: int, laterality: Laterality) -> None:
    green = pixels_of(replace(HEALTHY, seed=seed, laterality=laterality))[..., 1]
    x = np.argwhere(green >= np.quantile(green, 0.995))[:, 1].mean() / green.shape[1]
    assert (x > 0.6, x < 0.4) == (laterality is Laterality.RIGHT, laterality is Laterality.LEFT)


def test_the_macula_is_darker_than_its_surroundings() -> None:
    green, side = pixels_of(HEALTHY)[..., 1], 480
    _, fovea = HEALTHY.landmarks
    x, y = (round(side / 2 + 0.487 * side * at) for at in fovea)
    pit, surroundings = green[y - 5 : y + 5, x - 5 : x + 5], green[y - 104 : y + 104, x - 104 : x + 104]
    assert pit.mean() < 0.75 * np.median(surroundings)


@pytest.mark.parametrize("seed", range(20))
def test_number_and_kinds_of_lesions_follow_the_grade(seed: int) -> None:
    lesions = {grade: lesions_for_grade(grade, np.random.default_rng(seed)) for grade in ICDRGrade}
    totals = [sum(astuple(lesions[grade])) for grade in ICDRGrade]
    assert totals == sorted(set(totals))
    assert lesions[ICDRGrade.NONE] == Lesions()
    assert lesions[ICDRGrade.MILD] == Lesions(n_microaneurysms=lesions[ICDRGrade.MILD].n_microaneurysms)
    assert [grade for grade in ICDRGrade if lesions[grade].n_new_vessels] == [ICDRGrade.PROLIFERATIVE]


@pytest.mark.parametrize("name", [f.name for f in fields(Lesions)])
def test_each_kind_of_lesion_changes_a_small_area(name: str) -> None:
    changed = (np.abs(pixels_of(HEALTHY) - with_lesions(**{name: 1})).max(axis=-1) > 8).mean()
    assert 0 < changed < 0.1


def test_haemorrhages_darken_and_exudates_brighten() -> None:
    healthy, bleeding, exudates = (
        centre(photo, 0.8)[..., 1]
        for photo in (pixels_of(HEALTHY), with_lesions(n_haemorrhages=20), with_lesions(n_exudate_clusters=4))
    )
    assert (healthy - bleeding).max() > 25
    assert (bleeding - healthy).max() < 12
    assert (exudates - healthy).max() > 40
    assert (healthy - exudates).max() < 12


@pytest.mark.parametrize("laterality", list(Laterality))
def test_the_lesion_mask_is_where_lesions_changed_the_photograph(laterality: Laterality) -> None:
    drawing = replace(drawing_for_grade(ICDRGrade.MODERATE, laterality, seed=5), scale=0.5)
    healthy = replace(drawing, lesions=Lesions())
    changed = np.abs(pixels_of(drawing) - pixels_of(healthy)).max(axis=2) > 25
    mask = lesion_mask(drawing)
    assert mask.shape == changed.shape
    assert (mask & changed).sum() > 0.8 * changed.sum()
    assert 0 < mask.mean() < 0.05
    assert not lesion_mask(healthy).any()


def test_more_blur_is_less_sharp() -> None:
    gradients = (np.diff(centre(with_faults(blur_px=blur_px))[..., 1]) for blur_px in (0.0, 4.0, 12.0))
    sharp, blurred, defocused = (float((gradient**2).mean()) for gradient in gradients)
    assert sharp > 1.5 * blurred > 1.5 * defocused


def test_exposure_darkens_and_brightens() -> None:
    dark, right, bright = (centre(with_faults(exposure_stops=stops)).mean() for stops in (-2.0, 0.0, 1.2))
    assert dark < 0.4 * right
    assert bright > 1.3 * right


@pytest.mark.parametrize("laterality", list(Laterality))
def test_uneven_light_falls_off_towards_the_temporal_edge(laterality: Laterality) -> None:
    photo = pixels_of(replace(HEALTHY, laterality=laterality, faults=Faults(unevenness=0.8)))
    height, width = photo.shape[:2]
    strip = photo[height // 3 : 2 * height // 3, :, 0]
    left, right = strip[:, width // 8 : width // 4].mean(), strip[:, -width // 4 : -width // 8].mean()
    temporal, nasal = (left, right) if laterality is Laterality.RIGHT else (right, left)
    assert temporal < 0.6 * nasal


def test_a_lid_hides_the_top_of_the_retina_only() -> None:
    difference = np.abs(pixels_of(HEALTHY) - with_faults(lid=0.5)).mean(axis=(1, 2))
    height = len(difference)
    assert difference[height // 20 : height // 5].mean() > 10
    assert difference[height * 2 // 3 :].mean() < 3


@pytest.mark.parametrize("frame", list(Frame))
@pytest.mark.parametrize("cut", [0.0, 0.13])
def test_each_frame_has_its_size_and_a_black_surround(frame: Frame, cut: float) -> None:
    photo = pixels_of(replace(HEALTHY, frame=frame, cut=cut, has_notch=False))
    assert photo.shape[1::-1] == tuple(round(0.4 * length) for length in frame.size_px)
    corners = [photo[:8, :8], photo[:8, -8:], photo[-8:, :8], photo[-8:, -8:]]
    assert max(corner.max() for corner in corners) < 16
    assert centre(photo, 0.02).mean() > 40
