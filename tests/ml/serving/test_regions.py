"""Connected regions of masks."""

import numpy as np
import pytest

from ml.serving.regions import label_regions


def flood_filled(mask: np.ndarray) -> np.ndarray:
    """The same labels, found pixel by pixel."""
    labels = np.zeros(mask.shape, np.int64)
    for seed in reversed(np.flatnonzero(mask).tolist()):
        waiting = [divmod(seed, mask.shape[1])] if not labels.flat[seed] else []
        while waiting:
            y, x = waiting.pop()
            if 0 <= y < mask.shape[0] and 0 <= x < mask.shape[1] and mask[y, x] and not labels[y, x]:
                labels[y, x] = seed + 1
                waiting += [(y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)]
    return labels


@pytest.mark.parametrize("lit_fraction", [0, 0.3, 0.55, 0.65, 0.9, 1])
@pytest.mark.parametrize("shape", [(1, 1), (1, 14), (14, 1), (31, 48)])
def test_a_region_has_the_number_of_its_last_pixel(lit_fraction: float, shape: tuple[int, int]) -> None:
    mask = np.random.default_rng(0).random(shape) < lit_fraction
    assert np.array_equal(label_regions(mask), flood_filled(mask[::2, ::2]))


def test_a_spiral_is_one_region() -> None:
    spiral = np.zeros((20, 20), np.bool_)
    for line in (np.s_[0], np.s_[:, 19], np.s_[19], np.s_[4:, 0], np.s_[4, :16], np.s_[4:16, 15], np.s_[15, 4:16]):
        spiral[line] = True
    mask = spiral.repeat(2, axis=0).repeat(2, axis=1)
    assert set(np.unique(label_regions(mask))) == {0, int(np.flatnonzero(spiral)[-1]) + 1}
