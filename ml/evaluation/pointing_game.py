"""Does the heatmap mean anything? The pointing game (Zhang et al., ECCV 2016): its strongest place must be on a lesion.

``python -m ml pointing FOLDER`` takes lesion masks in the layout of IDRiD; ``python -m ml pointing --drawn 20`` takes
drawn retinas, which show whether the measure works and not how good the network is on people.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from scipy.ndimage import distance_transform_edt

from ml.prediction import Prediction
from ml.vocabulary import ICDRGrade, Laterality

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.grader import Grader
    from ml.serving.preprocess import Photo

KINDS = ("MA", "HE", "EX", "SE")
"""IDRiD's file endings of microaneurysms, haemorrhages, hard and soft exudates (not OD, the optic disc)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Game:
    """One photograph with lesions: did the heatmap's strongest place hit one, and would other places have?

    ``p_random`` is the chance of a place drawn evenly from the retina; ``heat_on_lesions`` the share of all heat that
    lies near lesions, to be held against ``p_random``, the share of the retina that does.
    """

    is_hit: bool
    is_centre_hit: bool
    p_random: float
    heat_on_lesions: float


def play(prediction: Prediction, lesions: "NDArray[np.bool_]") -> Game | None:
    """Hold a heatmap against a mask (H, W) of the same photograph; None where one of them is empty.

    A place hits when a lesion lies within half a cell of the heatmap's grid: it cannot point more finely.
    """
    heat, box = prediction.heatmap, prediction.heatmap_box
    if heat is None or box is None or not heat.max() or not lesions.any():
        return None
    height, width = lesions.shape
    left, top, right, bottom = box[0] * width, box[1] * height, box[2] * width, box[3] * height
    cell = ((right - left) / heat.shape[1] + (bottom - top) / heat.shape[0]) / 2
    near = distance_transform_edt(~lesions) <= cell / 2  # (H, W)
    y, x = np.mgrid[:height, :width]
    radius = (right - left) / 2
    in_retina = np.hypot(x + 0.5 - (left + right) / 2, y + 0.5 - (top + bottom) / 2) <= radius
    row, column = np.unravel_index(int(heat.argmax()), heat.shape)
    spread = heat_on_photograph(heat, (left, top, right, bottom), lesions.shape) * in_retina
    return Game(
        is_hit=_at(near, left + (column + 0.5) * cell, top + (row + 0.5) * cell),
        is_centre_hit=_at(near, (left + right) / 2, (top + bottom) / 2),
        p_random=float(near[in_retina].mean()),
        heat_on_lesions=float(spread[near].sum() / max(1e-12, spread.sum())),
    )


def _at(near: "NDArray[np.bool_]", x: float, y: float) -> bool:
    height, width = near.shape
    return bool(near[min(height - 1, max(0, int(y))), min(width - 1, max(0, int(x)))])


def heat_on_photograph(
    heat: "NDArray[np.float32]", box_px: tuple[float, float, float, float], shape: tuple[int, ...]
) -> "NDArray[np.float32]":
    """(h, w) heat stretched over its box (left, top, right, bottom in px) on a photograph of ``shape`` (H, W)."""
    left, top, right, bottom = box_px
    y, x = np.mgrid[: shape[0], : shape[1]]
    rows = np.floor((y + 0.5 - top) / (bottom - top) * heat.shape[0]).astype(np.int64)
    columns = np.floor((x + 0.5 - left) / (right - left) * heat.shape[1]).astype(np.int64)
    inside = (rows >= 0) & (rows < heat.shape[0]) & (columns >= 0) & (columns < heat.shape[1])
    spread = heat[np.clip(rows, 0, heat.shape[0] - 1), np.clip(columns, 0, heat.shape[1] - 1)]
    return np.where(inside, spread, 0).astype(np.float32)


def idrid_masks(folder: Path, *, side_px: int = 800) -> "Iterator[tuple[Path, NDArray[np.bool_]]]":
    """Photographs below ``folder`` that have lesion masks (``NAME_MA.tif`` ...), with all masks in one.

    Masks are reduced to ``side_px`` on the longer side; a cell that holds any lesion counts.
    """
    masks: dict[str, list[Path]] = {}
    for kind in KINDS:
        for path in sorted(folder.rglob(f"*_{kind}.tif")):
            masks.setdefault(path.stem.removesuffix(f"_{kind}"), []).append(path)
    for photo in sorted(folder.rglob("*.jpg")):
        if photo.stem in masks:
            yield photo, np.any([_mask(path, side_px) for path in masks[photo.stem]], axis=0)


def _mask(path: Path, side_px: int) -> "NDArray[np.bool_]":
    with Image.open(path) as image:
        values = np.asarray(image.convert("RGB")).max(axis=2) > 0  # IDRiD paints lesions red on black
    step = max(1, -(-max(values.shape) // side_px))
    height, width = (-(-n // step) * step for n in values.shape)
    padded = np.zeros((height, width), np.bool_)
    padded[: values.shape[0], : values.shape[1]] = values
    blocks = padded.reshape(height // step, step, width // step, step)  # (rows, step, columns, step)
    return np.asarray(blocks.any(axis=(1, 3)), np.bool_)


def drawn_masks(n: int) -> "Iterator[tuple[Image.Image, NDArray[np.bool_]]]":
    """``n`` drawn photographs of moderate disease, which has its lesions in few places, with their masks."""
    from ml.synthetic import draw_fundus, drawing_for_grade
    from ml.synthetic.lesion_mask import lesion_mask

    for seed in range(n):
        drawing = drawing_for_grade(ICDRGrade.MODERATE, list(Laterality)[seed % 2], seed=seed)
        yield draw_fundus(drawing), lesion_mask(drawing)


def games(grader: "Grader", pairs: "Iterable[tuple[Photo, NDArray[np.bool_]]]") -> list[Game]:
    """Play with every photograph that the network calls diseased: of a healthy verdict the heatmap shows no lesions."""
    played = []
    for photo, lesions in pairs:
        prediction = grader.grade(photo, even_if_ungradable=True)
        if prediction.grade:
            game = play(prediction, lesions)
            played += [game] if game else []
    return played


def pointing_figures(played: list[Game]) -> dict[str, float]:
    """Shares over all games. Raises ValueError without any."""
    if not played:
        raise ValueError("No photograph there has lesions, a mask and a heatmap.")
    return {
        "n": len(played),
        "hits": float(np.mean([g.is_hit for g in played])),
        "hits_of_a_random_place": float(np.mean([g.p_random for g in played])),
        "hits_of_the_centre": float(np.mean([g.is_centre_hit for g in played])),
        "heat_on_lesions": float(np.mean([g.heat_on_lesions for g in played])),
    }
