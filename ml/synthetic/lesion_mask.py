"""Where the lesions of a drawn photograph are, pixel by pixel: the truth that a heatmap can be held against."""

from typing import TYPE_CHECKING

import numpy as np

from ml.synthetic.fundus import FundusDrawing, placed
from ml.synthetic.lesions import LesionPainter
from ml.vocabulary import Laterality

if TYPE_CHECKING:
    from numpy.typing import NDArray

VISIBLE_INK = 0.25
"""Of full ink, what still shows on the photograph."""


def lesion_mask(drawing: FundusDrawing) -> "NDArray[np.bool_]":
    """(H, W) bool on the photograph that ``draw_fundus`` makes: True where a lesion shows."""
    width, height = drawing.frame.size_px
    side = 2 * round(min(0.487 * height / (1 - drawing.cut), 0.487 * width))
    disc, fovea = drawing.landmarks
    painter, lesions = LesionPainter(drawing.seed, side, disc=disc, fovea=fovea), drawing.lesions
    ink = np.max(
        [
            painter.microaneurysms(lesions.n_microaneurysms),
            painter.haemorrhages(lesions.n_haemorrhages),
            painter.flame_haemorrhages(lesions.n_flame_haemorrhages),
            painter.exudates(lesions.n_exudate_clusters),
            painter.cotton_wool_spots(lesions.n_cotton_wool_spots),
            painter.irma(lesions.n_irma),
            painter.new_vessels(lesions.n_new_vessels),
            painter.preretinal_haemorrhages(lesions.n_preretinal_haemorrhages),
        ],
        axis=0,
    )  # (side, side)
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
    ink = np.where(np.hypot(x, y) < 0.97, ink, 0)
    if drawing.laterality is Laterality.LEFT:
        ink = ink[:, ::-1]
    shown = placed(np.repeat(ink[..., None], 3, axis=2).astype(np.float32), width, height)  # (H, W, 3)
    visible: NDArray[np.bool_] = shown[..., 0] > VISIBLE_INK
    return visible
