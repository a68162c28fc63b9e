"""Find near-duplicate photographs by a perceptual signature.

NB: the splits of the released models depend on these pairs. When they are next changed, consider ``imagehash.phash``
with 256 bits: of copies at 30 to 80 % of the size and JPEG quality 60 it finds 98 %, this signature 75 %.
"""

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Side of the crop that a signature is computed from, for any input size of the network.
SIGNATURE_SIDE_PX = 256
_GRID = 48
SIGNATURE_LENGTH = _GRID**2
#: Photographs whose signatures correlate above this are duplicates. On APTOS 2019 exact duplicates reach 0.99 and more,
#: two photographs of one eye stay below 0.97.
DUPLICATE_CORRELATION = 0.985


def signature(pixels: "NDArray[np.uint8]") -> "NDArray[np.float32]":
    """Perceptual signature of a crop (S, S, 3): a unit vector of its detail.

    It changes little with scale, JPEG quality and tint.
    """
    grey = Image.fromarray(pixels).convert("L")
    fine = np.asarray(grey.resize((_GRID, _GRID), Image.Resampling.BOX), np.float32)
    coarse = np.asarray(
        Image.fromarray(fine).resize((6, 6), Image.Resampling.BOX).resize(fine.shape, Image.Resampling.BICUBIC),
        np.float32,
    )
    detail = (fine - coarse).ravel()
    detail -= detail.mean()
    return np.asarray(detail / max(float(np.linalg.norm(detail)), 1e-6), np.float32)


def find_duplicates(signatures: "NDArray[np.float32]") -> list[tuple[int, int]]:
    """Index pairs (i < j) of duplicates."""
    pairs: list[tuple[int, int]] = []
    for start in range(0, len(signatures), 1024):
        correlation = signatures[start : start + 1024] @ signatures.T
        linked = np.argwhere(correlation > DUPLICATE_CORRELATION).tolist()
        pairs += [(start + i, j) for i, j in linked if start + i < j]
    return pairs


def merge_groups(groups: list[str], pairs: list[tuple[int, int]]) -> list[str]:
    """Merge the groups that pairs of photographs connect (union-find).

    NB: a merged group has the name of its last root. Splits depend on these names, and the test split of the released
    models with them; ``scipy.cluster.hierarchy.DisjointSet`` would choose others.
    """
    parent: dict[str, str] = {}

    def root(name: str) -> str:
        while parent.get(name, name) != name:
            name = parent[name]
        return name

    for i, j in pairs:
        parent[root(groups[i])] = root(groups[j])
    return [root(name) for name in groups]
