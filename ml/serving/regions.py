"""Connected regions of masks, with NumPy alone: serving has no ``scipy.ndimage``."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bools = NDArray[np.bool_]
    Labels = NDArray[np.int64]


def label_regions(mask: "Bools") -> "Labels":
    """Label of the 4-connected region of each lit pixel at half scale, 0 elsewhere: (h/2, w/2).

    The label is the number of the last pixel of the region, counted row by row from 1. Runs of lit pixels that touch
    in neighbouring rows are merged with a union-find structure.
    """
    coarse = mask[::2, ::2]
    stride = coarse.shape[1] + 1
    padded = np.zeros((coarse.shape[0], stride), np.int8)  # a gap behind each row
    padded[:, :-1] = coarse
    steps = np.diff(padded.ravel(), prepend=np.int8(0))
    starts, ends = np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)  # run i is [starts[i], ends[i])
    above = np.searchsorted(ends, starts - stride, side="right"), np.searchsorted(starts, ends - stride, side="left")
    roots = _roots(*(each.tolist() for each in above))
    last = ends[roots] - 1
    labels: Labels = np.zeros(coarse.shape, np.int64)
    labels[coarse] = np.repeat(last - last // stride + 1, ends - starts)
    return labels


def _roots(first: list[int], end: list[int]) -> list[int]:
    """Last run of the region of each run; run i touches the runs ``first[i]`` to ``end[i] - 1`` of the row above."""
    parents = list(range(len(first)))
    for run, (low, high) in enumerate(zip(first, end, strict=True)):
        for other in range(low, high):
            root = other
            while parents[root] != root:
                parents[root] = root = parents[parents[root]]
            parents[root] = run
    for run in reversed(range(len(parents))):
        parents[run] = parents[parents[run]]
    return parents


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
