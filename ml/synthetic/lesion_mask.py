"""Lesion mask of a synthetic photograph, pixel by pixel: ground truth for heatmaps."""

from typing import TYPE_CHECKING

import numpy as np

from ml.synthetic.fundus import FundusDrawing, center_in_frame
from ml.vocabulary import Laterality

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Opacity from which a lesion is visible on the photograph.
MIN_OPACITY = 0.25


def lesion_mask(drawing: FundusDrawing) -> "NDArray[np.bool_]":
    """(H, W) bool on the photograph of ``draw_fundus``: True at visible lesions."""
    opacity = np.max(list(drawing.lesion_masks().values()), axis=0)  # (side, side)
    y, x = np.mgrid[-1 : 1 : drawing.side_px * 1j, -1 : 1 : drawing.side_px * 1j]
    opacity = np.where(np.hypot(x, y) < 0.97, opacity, 0)
    if drawing.laterality is Laterality.LEFT:
        opacity = opacity[:, ::-1]
    mask: NDArray[np.bool_] = center_in_frame(opacity, *drawing.size_px) > MIN_OPACITY
    return mask
