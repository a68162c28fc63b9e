"""Pointing game (Zhang et al., ECCV 2016): does the maximum of the heatmap lie on a lesion?

``python -m ml pointing-game FOLDER`` takes lesion masks in the layout of IDRiD; ``--synthetic N`` takes synthetic
photographs, which test the measure itself and not the model.
"""

import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from scipy.ndimage import distance_transform_edt

from ml.errors import InputError
from ml.prediction import Prediction
from ml.vocabulary import ICDRGrade, Laterality

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.grader import Grader
    from ml.serving.preprocess import Photo

LESION_SUFFIXES = ("MA", "HE", "EX", "SE")
"""IDRiD's microaneurysms, haemorrhages, hard and soft exudates (not OD, the optic disc)."""


def score(prediction: Prediction, lesions: "NDArray[np.bool_]") -> dict[str, float] | None:
    """Compare a heatmap with a lesion mask (H, W) of the same photograph; None if one of them is empty.

    The maximum is a hit (1, else 0) if a lesion lies within half a cell of the heatmap's grid, which is its resolution.
    ``random_hit_rate`` is the probability that a random point of the retina is a hit, ``center_hit_rate`` 1 if its
    centre is one.
    """
    heatmap, box = prediction.heatmap, prediction.heatmap_box
    if heatmap is None or box is None or not heatmap.max() or not lesions.any():
        return None
    height, width = lesions.shape
    left, top, right, bottom = box[0] * width, box[1] * height, box[2] * width, box[3] * height
    cell_px = ((right - left) / heatmap.shape[1] + (bottom - top) / heatmap.shape[0]) / 2
    is_near = distance_transform_edt(~lesions) <= cell_px / 2  # (H, W)
    y, x = np.mgrid[:height, :width]
    radius_px = (right - left) / 2
    in_retina = np.hypot(x + 0.5 - (left + right) / 2, y + 0.5 - (top + bottom) / 2) <= radius_px
    row, column = np.unravel_index(int(heatmap.argmax()), heatmap.shape)
    return {
        "hit_rate": _at(is_near, left + (column + 0.5) * cell_px, top + (row + 0.5) * cell_px),
        "random_hit_rate": float(is_near[in_retina].mean()),
        "center_hit_rate": _at(is_near, (left + right) / 2, (top + bottom) / 2),
    }


def _at(mask: "NDArray[np.bool_]", x: float, y: float) -> float:
    height, width = mask.shape
    return float(mask[min(height - 1, max(0, int(y))), min(width - 1, max(0, int(x)))])


def idrid_masks(folder: Path, *, side_px: int = 800) -> "Iterator[tuple[Path, NDArray[np.bool_]]]":
    """Photographs below ``folder`` with lesion masks (``NAME_MA.tif`` ...), and the union of their masks.

    Masks are reduced to ``side_px`` on the longer side; a cell that holds any lesion counts.
    """
    masks: dict[str, list[Path]] = {}
    for suffix in LESION_SUFFIXES:
        for path in sorted(folder.rglob(f"*_{suffix}.tif")):
            masks.setdefault(path.stem.removesuffix(f"_{suffix}"), []).append(path)
    for photo in sorted(folder.rglob("*.jpg")):
        if photo.stem in masks:
            yield photo, np.any([_read_mask(path, side_px) for path in masks[photo.stem]], axis=0)


def _read_mask(path: Path, side_px: int) -> "NDArray[np.bool_]":
    with Image.open(path) as image:
        mask = image.convert("RGB").point(lambda value: 255 if value else 0)  # IDRiD's masks are red on black
    step = math.ceil(max(mask.size) / side_px)
    return np.asarray(np.asarray(mask.reduce(step)).max(axis=2) > 0, np.bool_)


def synthetic_masks(n: int) -> "Iterator[tuple[Image.Image, NDArray[np.bool_]]]":
    """``n`` synthetic photographs of moderate disease, which has few lesions, with their masks."""
    from ml.synthetic import draw_fundus, drawing_for_grade
    from ml.synthetic.lesion_mask import lesion_mask

    for seed in range(n):
        drawing = drawing_for_grade(ICDRGrade.MODERATE, list(Laterality)[seed % 2], seed=seed)
        yield draw_fundus(drawing), lesion_mask(drawing)


def pointing_metrics(grader: "Grader", pairs: "Iterable[tuple[Photo, NDArray[np.bool_]]]") -> dict[str, float]:
    """Means over the photographs that are graded as diseased: a heatmap for grade 0 shows no lesions.

    Raises InputError if there are none.
    """
    scores = []
    for photo, lesions in pairs:
        prediction = grader.grade(photo, include_ungradable=True)
        result = score(prediction, lesions) if prediction.grade else None
        scores += [result] if result else []
    if not scores:
        raise InputError("No photograph there has lesions, a mask and a heatmap.")
    return {"n": len(scores)} | {name: float(np.mean([each[name] for each in scores])) for name in scores[0]}
