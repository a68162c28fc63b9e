"""The pointing game, on drawn retinas whose lesions are known."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ml.evaluation.pointing_game import Game, idrid_masks, play, pointing_figures
from ml.prediction import Prediction
from ml.synthetic import draw_fundus, drawing_for_grade
from ml.synthetic.lesion_mask import lesion_mask
from ml.vocabulary import ICDRGrade, Laterality


def prediction(heat: np.ndarray, box: tuple[float, float, float, float] = (0, 0, 1, 1)) -> Prediction:
    return Prediction(
        model_version="toy",
        p_gradable=1,
        is_gradable=True,
        grade=ICDRGrade.MODERATE,
        heatmap=heat.astype(np.float32),
        heatmap_box=box,
    )


def one_hot(row: int, column: int) -> np.ndarray:
    heat = np.zeros((9, 9))
    heat[row, column] = 1
    return heat


def test_a_heatmap_that_points_at_the_lesion_hits_and_another_does_not() -> None:
    lesions = np.zeros((90, 90), bool)
    lesions[62:66, 23:27] = True  # in the cell of row 6, column 2
    hit, miss = play(prediction(one_hot(6, 2)), lesions), play(prediction(one_hot(2, 6)), lesions)
    assert hit is not None
    assert miss is not None
    assert hit.is_hit
    assert not miss.is_hit
    assert not hit.is_centre_hit
    assert 0 < hit.p_random < 0.06
    assert hit.heat_on_lesions > 0.5 > miss.heat_on_lesions


def test_the_box_says_where_the_heatmap_lies() -> None:
    lesions = np.zeros((90, 180), bool)
    lesions[45, 135] = True
    right_half = (0.5, 0.0, 1.0, 1.0)
    game = play(prediction(one_hot(4, 4), right_half), lesions)
    assert game is not None
    assert game.is_hit
    assert game.is_centre_hit


def test_without_lesions_or_heat_there_is_no_game() -> None:
    lesions = np.zeros((90, 90), bool)
    assert play(prediction(one_hot(1, 1)), lesions) is None
    assert play(prediction(np.zeros((9, 9))), ~lesions) is None


@pytest.mark.parametrize("laterality", list(Laterality))
def test_the_mask_of_a_drawn_retina_is_where_its_lesions_changed_the_picture(laterality: Laterality) -> None:
    import dataclasses

    from ml.synthetic.lesions import Lesions

    drawing = drawing_for_grade(ICDRGrade.MODERATE, laterality, seed=5)
    healthy = dataclasses.replace(drawing, lesions=Lesions())
    with_lesions, without = (np.asarray(draw_fundus(d), int) for d in (drawing, healthy))
    changed = np.abs(with_lesions - without).max(axis=2) > 25
    mask = lesion_mask(drawing)
    assert mask.shape == changed.shape
    assert (mask & changed).sum() > 0.8 * changed.sum()
    assert 0 < mask.mean() < 0.05
    assert not lesion_mask(healthy).any()


def test_masks_are_found_in_the_layout_of_idrid_and_joined(tmp_path: Path) -> None:
    photos = tmp_path / "1. Original Images" / "b. Testing Set"
    truth = tmp_path / "2. All Segmentation Groundtruths" / "b. Testing Set"
    photos.mkdir(parents=True)
    Image.new("RGB", (1700, 1100)).save(photos / "IDRiD_55.jpg")
    Image.new("RGB", (1700, 1100)).save(photos / "IDRiD_56.jpg")  # without masks
    for kind, place in (("MA", (10, 20)), ("EX", (1600, 1000)), ("OD", (800, 500))):
        (truth / kind).mkdir(parents=True)
        mask = Image.new("RGB", (1700, 1100))
        mask.putpixel(place, (255, 0, 0))
        mask.save(truth / kind / f"IDRiD_55_{kind}.tif")
    ((photo, lesions),) = idrid_masks(tmp_path)
    assert photo.name == "IDRiD_55.jpg"
    assert lesions.shape == (367, 567)  # a third
    assert np.argwhere(lesions).tolist() == [[6, 3], [333, 533]]  # the optic disc is no lesion


def test_the_figures_are_means_over_the_games() -> None:
    played = [
        Game(is_hit=True, is_centre_hit=False, p_random=0.1, heat_on_lesions=0.5),
        Game(is_hit=False, is_centre_hit=False, p_random=0.3, heat_on_lesions=0.1),
    ]
    assert pointing_figures(played) == pytest.approx(
        {"n": 2, "hits": 0.5, "hits_of_a_random_place": 0.2, "hits_of_the_centre": 0, "heat_on_lesions": 0.3}
    )
    with pytest.raises(ValueError, match="No photograph"):
        pointing_figures([])
