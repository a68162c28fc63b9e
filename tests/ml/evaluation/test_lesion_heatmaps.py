"""Pointing game and energy of heatmaps, on masks with known results."""

import dataclasses
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from ml.evaluation.lesion_heatmaps import (
    HELD_OUT,
    TRAINING,
    LesionMasks,
    heatmap_metrics,
    heatmap_verdict,
    idrid_masks,
    masks_by_split,
    score,
)
from ml.prediction import Prediction
from ml.vocabulary import ICDRGrade, QualityLevel
from tests.copies import synthetic_photo

WHOLE = (0.0, 0.0, 1.0, 1.0)


def one_cell(row: int, column: int) -> np.ndarray:
    """A heatmap of 9 x 9 cells with one that is not 0."""
    heatmap = np.zeros((9, 9), np.float32)
    heatmap[row, column] = 1
    return heatmap


def test_it_is_a_hit_if_the_maximum_lies_on_a_lesion() -> None:
    lesions = np.zeros((90, 90), bool)
    lesions[62:66, 23:27] = True  # in the cell of row 6, column 2
    hit, miss = score(one_cell(6, 2), WHOLE, lesions), score(one_cell(2, 6), WHOLE, lesions)
    assert hit
    assert miss
    assert (hit["hit_rate"], miss["hit_rate"], hit["center_hit_rate"]) == (1, 0, 0)
    assert 0 < hit["random_hit_rate"] < 0.06
    assert hit["energy"] == pytest.approx(0.16)  # 4 x 4 of the 10 x 10 pixels of the cell
    assert miss["energy"] == 0


def test_all_energy_is_on_a_lesion_that_covers_the_cell() -> None:
    lesions = np.zeros((90, 90), bool)
    lesions[60:70, 20:30] = True
    result = score(one_cell(6, 2), WHOLE, lesions)
    assert result
    assert result["energy"] == 1


def test_the_energy_of_an_even_heatmap_is_the_lesions_fraction_of_the_retina() -> None:
    lesions = np.zeros((90, 90), bool)
    lesions[:, :45] = True
    result = score(np.ones((9, 9), np.float32), WHOLE, lesions)
    assert result
    assert result["energy"] == pytest.approx(result["random_energy"])
    assert result["energy"] == pytest.approx(result["center_energy"]) == pytest.approx(0.5, abs=0.001)


def test_the_heatmap_is_placed_at_its_box() -> None:
    lesions = np.zeros((90, 180), bool)
    lesions[45, 135] = True
    result = score(one_cell(4, 4), (0.5, 0.0, 1.0, 1.0), lesions)
    assert result
    assert result["hit_rate"] == result["center_hit_rate"] == 1


def test_a_part_of_the_box_outside_the_photograph_is_no_retina() -> None:
    lesions = np.ones((45, 90), bool)  # the upper half of the field of view is cut
    result = score(np.ones((9, 9), np.float32), (0.0, -1.0, 1.0, 1.0), lesions)
    assert result
    assert result["energy"] == result["random_energy"] == 1


def test_there_is_no_result_without_lesions_or_heatmap() -> None:
    lesions = np.zeros((90, 90), bool)
    assert score(one_cell(1, 1), WHOLE, lesions) is None
    assert score(np.zeros((9, 9), np.float32), WHOLE, ~lesions) is None


def test_it_reads_masks_in_the_layout_of_idrid(tmp_path: Path) -> None:
    photos = tmp_path / "1. Original Images" / "b. Testing Set"
    truth = tmp_path / "2. All Segmentation Groundtruths" / "b. Testing Set"
    photos.mkdir(parents=True)
    for name in ("IDRiD_55", "IDRiD_56"):  # the second has no masks
        Image.new("RGB", (1700, 1100)).save(photos / f"{name}.jpg")
    for suffix, point in (("MA", (10, 20)), ("EX", (1600, 1000)), ("OD", (800, 500))):
        (truth / suffix).mkdir(parents=True)
        mask = Image.new("RGB", (1700, 1100))
        mask.putpixel(point, (255, 0, 0))
        mask.save(truth / suffix / f"IDRiD_55_{suffix}.tif")
    (found,) = idrid_masks(tmp_path)
    assert found.photo == photos / "IDRiD_55.jpg"
    assert found.lesions.shape == (367, 567)  # a third
    assert np.argwhere(found.lesions).tolist() == [[6, 3], [333, 533]]  # the optic disc is no lesion
    assert np.argwhere(found.exudates).tolist() == [[333, 533]]


def test_the_metrics_are_means_over_the_diseased_photographs() -> None:
    lesions = np.zeros((90, 90), bool)
    lesions[60:70, 20:30] = True
    hit = Prediction(
        model_version="toy",
        p_gradable=1,
        quality_level=QualityLevel.GOOD,
        grade=ICDRGrade.MODERATE,
        heatmap=one_cell(6, 2),
        heatmap_box=WHOLE,
        oedema_heatmap=one_cell(6, 2),
        suspects_oedema=True,
    )
    miss = dataclasses.replace(hit, heatmap=one_cell(2, 6), suspects_oedema=False)
    healthy = dataclasses.replace(miss, grade=ICDRGrade.NONE)
    masks = LesionMasks(photo=Path("photo.jpg"), lesions=lesions, exudates=lesions)
    grader = Mock(grade=Mock(side_effect=[hit, miss, healthy, healthy]))
    metrics = heatmap_metrics(grader, [masks] * 3)
    assert (metrics["grade"]["n"], metrics["grade"]["n_photos"]) == (2, 3)
    assert metrics["grade"]["metrics"]["hit_rate"][0] == metrics["grade"]["metrics"]["energy"][0] == 0.5
    assert (metrics["macular_oedema"]["n"], metrics["macular_oedema"]["metrics"]["energy"][0]) == (1, 1)
    assert metrics["grade"]["metrics"]["hit_rate_gain"][0] == 0.5
    ratio = metrics["macular_oedema"]["metrics"]
    assert ratio["random_energy_ratio"] == [1, 1, 1]
    assert ratio["energy_ratio"][0] == pytest.approx(1 / ratio["random_energy"][0], rel=0.01)
    assert heatmap_metrics(grader, [masks]) == {}


def test_a_uniform_heatmap_is_not_better_than_the_center_map() -> None:
    lesions = np.zeros((90, 90), bool)
    lesions[35:55, 35:55] = True
    uniform = Prediction(
        model_version="toy",
        p_gradable=1,
        quality_level=QualityLevel.GOOD,
        grade=ICDRGrade.MODERATE,
        heatmap=np.ones((9, 9), np.float32),
        heatmap_box=WHOLE,
    )
    masks = LesionMasks(photo=Path("photo.jpg"), lesions=lesions, exudates=lesions)
    on_lesion = dataclasses.replace(uniform, heatmap=one_cell(4, 4))
    uniform_result = heatmap_metrics(Mock(grade=Mock(return_value=uniform)), [masks] * 2)
    better = heatmap_metrics(Mock(grade=Mock(return_value=on_lesion)), [masks] * 2)
    assert uniform_result["grade"]["metrics"]["energy_ratio"][0] == 1
    assert "NOT shown to be better than the centre map (maximum on a lesion, energy" in heatmap_verdict(uniform_result)
    assert "NOT shown to be better than the centre map (maximum on a lesion)" in heatmap_verdict(better)


def test_a_photograph_of_the_training_part_is_recognised_under_another_name(tmp_path: Path) -> None:
    masks, graded = tmp_path / "masks", tmp_path / "idrid"
    for folder in (masks, graded):
        folder.mkdir()
    in_training, other = (synthetic_photo(seed) for seed in (1, 2))
    in_training.save(graded / "IDRiD_347.jpg")
    (graded / "labels.csv").write_text("file,grade\nIDRiD_347.jpg,3\n")
    for name, photo in (("IDRiD_25", ImageEnhance.Brightness(in_training).enhance(0.8)), ("IDRiD_26", other)):
        photo.save(masks / f"{name}.jpg")
        Image.new("1", photo.size, 1).save(masks / f"{name}_MA.png")
    splits = masks_by_split(masks, graded=graded)
    assert [each.photo for each in splits[TRAINING]] == [masks / "IDRiD_25.jpg"]
    assert [each.photo for each in splits[HELD_OUT]] == [masks / "IDRiD_26.jpg"]
