"""The pointing game, on synthetic photographs with known lesions."""

import dataclasses
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
from PIL import Image

from ml.errors import InputError
from ml.evaluation.pointing_game import idrid_masks, pointing_metrics, score
from ml.prediction import Prediction
from ml.vocabulary import ICDRGrade, QualityLevel


def prediction(row: int, column: int, *, value: float = 1, box: tuple[float, ...] = (0, 0, 1, 1)) -> Prediction:
    """A heatmap of 9 x 9 cells with one that is not 0."""
    heatmap = np.zeros((9, 9), np.float32)
    heatmap[row, column] = value
    return Prediction(
        model_version="toy",
        p_gradable=1,
        quality_level=QualityLevel.GOOD,
        grade=ICDRGrade.MODERATE,
        heatmap=heatmap,
        heatmap_box=box,  # type: ignore[arg-type]  # four numbers
    )


def test_it_is_a_hit_if_the_maximum_lies_on_a_lesion() -> None:
    lesions = np.zeros((90, 90), bool)
    lesions[62:66, 23:27] = True  # in the cell of row 6, column 2
    hit, miss = score(prediction(6, 2), lesions), score(prediction(2, 6), lesions)
    assert hit
    assert miss
    assert (hit["hit_rate"], miss["hit_rate"], hit["center_hit_rate"]) == (1, 0, 0)
    assert 0 < hit["random_hit_rate"] < 0.06


def test_the_heatmap_is_placed_at_its_box() -> None:
    lesions = np.zeros((90, 180), bool)
    lesions[45, 135] = True
    result = score(prediction(4, 4, box=(0.5, 0.0, 1.0, 1.0)), lesions)
    assert result
    assert result["hit_rate"] == result["center_hit_rate"] == 1


def test_there_is_no_result_without_lesions_or_heatmap() -> None:
    lesions = np.zeros((90, 90), bool)
    assert score(prediction(1, 1), lesions) is None
    assert score(prediction(1, 1, value=0), ~lesions) is None


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
    ((photo, lesions),) = idrid_masks(tmp_path)
    assert photo.name == "IDRiD_55.jpg"
    assert lesions.shape == (367, 567)  # a third
    assert np.argwhere(lesions).tolist() == [[6, 3], [333, 533]]  # the optic disc is no lesion


def test_the_metrics_are_means_over_the_diseased_photographs() -> None:
    small, large = np.zeros((2, 90, 90), bool)
    small[62:66, 23:27] = large[62:86, 23:47] = True
    hit, miss = prediction(6, 2), prediction(2, 6)
    first, second = score(hit, small), score(miss, large)
    assert first
    assert second
    healthy = dataclasses.replace(miss, grade=ICDRGrade.NONE)
    grader = Mock(grade=Mock(side_effect=[hit, miss, healthy, healthy]))
    metrics = pointing_metrics(grader, [(Path("photo.jpg"), lesions) for lesions in (small, large, large)])
    p_random = (first["random_hit_rate"] + second["random_hit_rate"]) / 2
    assert metrics == pytest.approx({"n": 2, "hit_rate": 0.5, "random_hit_rate": p_random, "center_hit_rate": 0})
    with pytest.raises(InputError, match="No photograph"):
        pointing_metrics(grader, [(Path("photo.jpg"), small)])
