"""Lesion mask of a synthetic photograph, pixel by pixel: ground truth for heatmaps."""

from typing import TYPE_CHECKING

import numpy as np

from ml.synthetic.fundus import FundusDrawing, center_in_frame
from ml.synthetic.lesions import LesionPainter
from ml.vocabulary import Laterality

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Opacity from which a lesion is visible on the photograph.
MIN_OPACITY = 0.25


def lesion_mask(drawing: FundusDrawing) -> "NDArray[np.bool_]":
    """(H, W) bool on the photograph of ``draw_fundus``: True at visible lesions."""
    side = drawing.side_px
    disc, fovea = drawing.landmarks
    painter, lesions = LesionPainter(drawing.seed, side, disc=disc, fovea=fovea), drawing.lesions
    opacity = np.max(
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
    opacity = np.where(np.hypot(x, y) < 0.97, opacity, 0)
    if drawing.laterality is Laterality.LEFT:
        opacity = opacity[:, ::-1]
    framed = center_in_frame(np.repeat(opacity[..., None], 3, axis=2).astype(np.float32), *drawing.size_px)  # (H, W, 3)
    mask: NDArray[np.bool_] = framed[..., 0] > MIN_OPACITY
    return mask
