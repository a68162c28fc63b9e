"""Drawn photographs: repeatable, anatomically the right way round, and faulty only where asked."""

from dataclasses import fields, replace
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from ml.synthetic.fundus import Faults, Frame, FundusDrawing, draw_fundus, drawing_for_grade
from ml.synthetic.lesions import Lesions, lesions_for_grade
from ml.vocabulary import ICDRGrade, Laterality

PLAIN = FundusDrawing(seed=5)


@cache
def pixels(drawing: FundusDrawing) -> NDArray[np.float32]:
    """(H, W, 3) in 0..255."""
    return np.asarray(draw_fundus(drawing), dtype=np.float32)


def centre(picture: NDArray[np.float32], share: float = 0.5) -> NDArray[np.float32]:
    height, width = picture.shape[:2]
    half = int(min(height, width) * share / 2)
    return picture[height // 2 - half : height // 2 + half, width // 2 - half : width // 2 + half]


def sharpness(picture: NDArray[np.float32]) -> float:
    """Mean squared step between neighbouring green pixels two apart, inside the retina."""
    green = centre(picture)[..., 1]
    return float(((green[:, 2:] - green[:, :-2]) ** 2).mean())


def test_the_same_drawing_gives_the_same_pixels() -> None:
    drawing = drawing_for_grade(ICDRGrade.PROLIFERATIVE, Laterality.LEFT, seed=3)
    assert draw_fundus(drawing).tobytes() == draw_fundus(drawing).tobytes()


def test_another_seed_is_another_eye() -> None:
    difference = np.abs(pixels(PLAIN) - pixels(replace(PLAIN, seed=6)))
    assert difference.mean() > 5


@pytest.mark.parametrize("seed", [5, 11])
@pytest.mark.parametrize("laterality", list(Laterality))
def test_the_disc_lies_on_the_nasal_side(seed: int, laterality: Laterality) -> None:
    green = pixels(FundusDrawing(seed=seed, laterality=laterality))[..., 1]
    brightest = np.argwhere(green >= np.quantile(green, 0.995)).mean(axis=0)
    is_on_the_viewers_right = brightest[1] > green.shape[1] * 0.6
    is_on_the_viewers_left = brightest[1] < green.shape[1] * 0.4
    assert (is_on_the_viewers_right, is_on_the_viewers_left) == (
        laterality is Laterality.RIGHT,
        laterality is Laterality.LEFT,
    )


def test_the_macula_is_darker_than_its_surroundings() -> None:
    picture = pixels(PLAIN)
    _, (fovea_x, fovea_y) = PLAIN.landmarks
    radius = 0.487 * picture.shape[0]
    x, y = int(600 + fovea_x * radius), int(600 + fovea_y * radius)
    pit, ring = picture[y - 12 : y + 12, x - 12 : x + 12], picture[y - 260 : y + 260, x - 260 : x + 260]
    assert pit[..., 1].mean() < 0.75 * np.median(ring[..., 1])


def test_a_healthy_eye_has_no_lesions() -> None:
    assert drawing_for_grade(ICDRGrade.NONE, Laterality.RIGHT, seed=1).lesions == Lesions()


@pytest.mark.parametrize("seed", range(20))
def test_lesions_multiply_with_the_grade(seed: int) -> None:
    totals = [lesions_for_grade(grade, np.random.default_rng(seed)).n_total for grade in ICDRGrade]
    assert totals == sorted(totals)
    assert len(set(totals)) == len(totals)


def test_only_microaneurysms_make_a_mild_eye() -> None:
    lesions = lesions_for_grade(ICDRGrade.MILD, np.random.default_rng(1))
    assert lesions == Lesions(n_microaneurysms=lesions.n_microaneurysms)


def test_new_vessels_are_kept_for_proliferative_eyes() -> None:
    drawn = {grade: lesions_for_grade(grade, np.random.default_rng(2)) for grade in ICDRGrade}
    assert [grade for grade, lesions in drawn.items() if lesions.n_new_vessels] == [ICDRGrade.PROLIFERATIVE]


@pytest.mark.parametrize("name", [f.name for f in fields(Lesions)])
def test_each_kind_of_lesion_changes_the_picture_and_leaves_the_rest(name: str) -> None:
    healthy, diseased = pixels(PLAIN), pixels(replace(PLAIN, lesions=Lesions(**{name: 1})))
    changed = (np.abs(healthy - diseased).max(axis=-1) > 8).mean()
    assert 0 < changed < 0.1


def test_blood_darkens_and_exudates_brighten() -> None:
    healthy = centre(pixels(PLAIN), 0.8)
    bled = centre(pixels(replace(PLAIN, lesions=Lesions(n_haemorrhages=20))), 0.8)
    leaked = centre(pixels(replace(PLAIN, lesions=Lesions(n_exudate_clusters=4))), 0.8)
    assert (healthy - bled)[..., 1].max() > 25
    assert (bled - healthy)[..., 1].max() < 12
    assert (leaked - healthy)[..., 1].max() > 40
    assert (healthy - leaked)[..., 1].max() < 12


def test_more_blur_is_less_sharp() -> None:
    drawn = [pixels(replace(PLAIN, faults=Faults(blur_px=blur))) for blur in (0.0, 4.0, 12.0)]
    sharp = [sharpness(picture) for picture in drawn]
    assert sharp[0] > 1.5 * sharp[1]
    assert sharp[1] > sharp[2]


def test_exposure_darkens_and_brightens() -> None:
    dark, right, bright = (
        centre(pixels(replace(PLAIN, faults=Faults(exposure_stops=stops)))).mean() for stops in (-2.0, 0.0, 1.2)
    )
    assert dark < 0.4 * right
    assert bright > 1.3 * right


@pytest.mark.parametrize("laterality", list(Laterality))
def test_uneven_light_falls_off_towards_the_temporal_edge(laterality: Laterality) -> None:
    picture = pixels(replace(PLAIN, laterality=laterality, faults=Faults(unevenness=0.8)))
    height, width = picture.shape[:2]
    strip = picture[height // 3 : 2 * height // 3, :, 0]
    left, right = strip[:, width // 8 : width // 4].mean(), strip[:, -width // 4 : -width // 8].mean()
    temporal, nasal = (left, right) if laterality is Laterality.RIGHT else (right, left)
    assert temporal < 0.6 * nasal


def test_a_lid_hides_the_top_of_the_retina_only() -> None:
    open_eye, lidded = pixels(PLAIN), pixels(replace(PLAIN, faults=Faults(lid=0.5)))
    difference = np.abs(open_eye - lidded).mean(axis=(1, 2))
    height = len(difference)
    assert difference[height // 20 : height // 5].mean() > 10
    assert difference[height * 2 // 3 :].mean() < 3


@pytest.mark.parametrize("frame", list(Frame))
@pytest.mark.parametrize("cut", [0.0, 0.13])
def test_each_frame_has_its_shape_and_a_black_surround(frame: Frame, cut: float) -> None:
    drawing = replace(PLAIN, frame=frame, cut=cut, has_notch=False)
    picture = pixels(drawing)
    assert picture.shape[1::-1] == frame.size_px
    corners = np.stack([picture[:20, :20], picture[:20, -20:], picture[-20:, :20], picture[-20:, -20:]])
    assert corners.max() < 16
    middle_column = picture[:, picture.shape[1] // 2 - 5 : picture.shape[1] // 2 + 5]
    assert middle_column.mean(axis=(1, 2))[picture.shape[0] // 2] > 40
