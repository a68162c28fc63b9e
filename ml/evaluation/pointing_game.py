"""Pointing game (Zhang et al., ECCV 2016): does the maximum of the heatmap lie on a lesion?

``python -m ml pointing-game FOLDER`` takes lesion masks in the layout of IDRiD; ``--synthetic N`` takes synthetic
photographs, which test the measure itself and not the model.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True, kw_only=True)
class PointingResult:
    """The result for one photograph with lesions.

    ``p_random_hit`` is the probability that a random point of the retina is a hit, ``is_center_hit`` whether its centre
    is one.
    """

    is_hit: bool
    is_center_hit: bool
    p_random_hit: float


def score(prediction: Prediction, lesions: "NDArray[np.bool_]") -> PointingResult | None:
    """Compare a heatmap with a lesion mask (H, W) of the same photograph; None if one of them is empty.

    A point is a hit if a lesion lies within half a cell of the heatmap's grid, which is its resolution.
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
    return PointingResult(
        is_hit=_at(is_near, left + (column + 0.5) * cell_px, top + (row + 0.5) * cell_px),
        is_center_hit=_at(is_near, (left + right) / 2, (top + bottom) / 2),
        p_random_hit=float(is_near[in_retina].mean()),
    )


def _at(mask: "NDArray[np.bool_]", x: float, y: float) -> bool:
    height, width = mask.shape
    return bool(mask[min(height - 1, max(0, int(y))), min(width - 1, max(0, int(x)))])


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
        values = np.asarray(image.convert("RGB")).max(axis=2) > 0  # IDRiD's masks are red on black
    step = max(1, -(-max(values.shape) // side_px))
    height, width = (-(-n // step) * step for n in values.shape)
    padded = np.zeros((height, width), np.bool_)
    padded[: values.shape[0], : values.shape[1]] = values
    blocks = padded.reshape(height // step, step, width // step, step)  # (rows, step, columns, step)
    return np.asarray(blocks.any(axis=(1, 3)), np.bool_)


def synthetic_masks(n: int) -> "Iterator[tuple[Image.Image, NDArray[np.bool_]]]":
    """``n`` synthetic photographs of moderate disease, which has few lesions, with their masks."""
    from ml.synthetic import draw_fundus, drawing_for_grade
    from ml.synthetic.lesion_mask import lesion_mask

    for seed in range(n):
        drawing = drawing_for_grade(ICDRGrade.MODERATE, list(Laterality)[seed % 2], seed=seed)
        yield draw_fundus(drawing), lesion_mask(drawing)


def score_photos(grader: "Grader", pairs: "Iterable[tuple[Photo, NDArray[np.bool_]]]") -> list[PointingResult]:
    """Results of the photographs that are graded as diseased: a heatmap for grade 0 shows no lesions."""
    results = []
    for photo, lesions in pairs:
        prediction = grader.grade(photo, include_ungradable=True)
        result = score(prediction, lesions) if prediction.grade else None
        results += [result] if result else []
    return results


def pointing_metrics(results: list[PointingResult]) -> dict[str, float]:
    """Means over the photographs. Raises InputError if there are none."""
    if not results:
        raise InputError("No photograph there has lesions, a mask and a heatmap.")
    return {
        "n": len(results),
        "hit_rate": float(np.mean([r.is_hit for r in results])),
        "random_hit_rate": float(np.mean([r.p_random_hit for r in results])),
        "center_hit_rate": float(np.mean([r.is_center_hit for r in results])),
    }
