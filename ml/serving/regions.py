"""Connected regions of masks, with NumPy alone: serving has no ``scipy.ndimage``."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bools = NDArray[np.bool_]
    Labels = NDArray[np.int64]


def label_regions(mask: "Bools") -> "Labels":
    """Label of the 4-connected region of each lit pixel at half scale, 0 elsewhere: (h/2, w/2).

    Labels are propagated from all four sides until none changes.
    """
    coarse = mask[::2, ::2]
    labels: Labels = np.where(coarse, np.arange(1, coarse.size + 1).reshape(coarse.shape), 0)
    before = None
    while before is None or not np.array_equal(labels, before):
        before = labels
        for _ in range(4):
            labels = np.rot90(_propagated(labels))
    return labels


def full_scale(coarse: "Bools", shape: tuple[int, ...]) -> "Bools":
    """A mask at half scale as one of ``shape``."""
    return coarse.repeat(2, axis=0).repeat(2, axis=1)[: shape[0], : shape[1]]


def dilated(mask: "Bools", *, n_px: int) -> "Bools":
    """The mask grown by ``n_px`` in the four directions."""
    for _ in range(n_px):
        grown = mask.copy()
        grown[1:] |= mask[:-1]
        grown[:-1] |= mask[1:]
        grown[:, 1:] |= mask[:, :-1]
        grown[:, :-1] |= mask[:, 1:]
        mask = grown
    return mask


def _propagated(labels: "Labels") -> "Labels":
    """Running maximum of the labels inside each run of lit pixels, from left to right."""
    base = np.cumsum(labels == 0, axis=1) * (labels.size + 1)  # a multiple for each run: it grows at every gap
    return np.where(labels > 0, np.maximum.accumulate(base + labels, axis=1) - base, 0)
