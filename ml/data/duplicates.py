"""Find copies of one photograph, so that no copy ends up on both sides of a split."""

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIGNATURE_SQUARE_PX = 256
"""Side of the cropped retina a signature is taken from, whatever the network's own side is."""
SIGNATURE_SIDE = 24
COPY_CORRELATION = 0.985
"""Two retinas whose signatures correlate above this are copies. On APTOS 2019 exact copies reach 0.99 and more, two
photographs of one eye taken apart stay below 0.97."""


def signature(square: "NDArray[np.uint8]") -> "NDArray[np.float32]":
    """(S, S, 3) uint8 cropped retina -> unit vector of what is fine in it: scale, JPEG quality and tint fall away."""
    grey = Image.fromarray(square).convert("L")
    fine = np.asarray(grey.resize((SIGNATURE_SIDE * 2,) * 2, Image.Resampling.BOX), np.float32)
    coarse = np.asarray(
        Image.fromarray(fine).resize((6, 6), Image.Resampling.BOX).resize(fine.shape, Image.Resampling.BICUBIC),
        np.float32,
    )
    detail = (fine - coarse).ravel()
    detail -= detail.mean()
    return np.asarray(detail / max(float(np.linalg.norm(detail)), 1e-6), np.float32)


def copies(signatures: "NDArray[np.float32]", *, threshold: float = COPY_CORRELATION) -> list[tuple[int, int]]:
    """Index pairs (i < j) of photographs that are copies of each other."""
    pairs = []
    for start in range(0, len(signatures), 1024):
        similar = signatures[start : start + 1024] @ signatures.T
        for i, j in zip(*np.nonzero(similar > threshold), strict=True):
            if start + i < j:
                pairs.append((int(start + i), int(j)))
    return pairs


def merge_groups(groups: list[str], pairs: list[tuple[int, int]]) -> list[str]:
    """Give photographs that are linked by a person or by a copy one group name."""
    parent: dict[str, str] = {}

    def root(name: str) -> str:
        while parent.get(name, name) != name:
            name = parent[name]
        return name

    for i, j in pairs:
        parent[root(groups[i])] = root(groups[j])
    return [root(name) for name in groups]
