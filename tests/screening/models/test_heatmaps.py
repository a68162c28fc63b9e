"""Heatmaps as they are stored."""

from typing import Any

import numpy as np
import pytest

from screening.models.heatmaps import HEADER, decode_heatmap, encode_heatmap


@pytest.mark.parametrize("shape", [(1, 1), (3, 7), (10, 10), (255, 2)])
def test_a_heatmap_is_stored_to_four_decimals(shape: tuple[int, int]) -> None:
    values = np.random.default_rng(0).random(shape, np.float32)
    stored = encode_heatmap(values)
    assert len(stored) == HEADER + 2 * values.size
    assert decode_heatmap(stored) == values.round(4).tolist()


def test_what_was_stored_is_stored_the_same_again() -> None:
    stored = encode_heatmap([[0, 0.5, 1], [0.1234, 0.00004, 0.00006]])
    rows = decode_heatmap(stored)
    assert np.allclose(rows, [[0, 0.5, 1], [0.1234, 0, 0.0001]], atol=1e-7)
    assert encode_heatmap(rows) == stored


@pytest.mark.parametrize(
    "values", [[], [[]], [0.5], [[1.01]], [[-0.01]], [[float("nan")]], [[0.5]] * 256, [[[0.5]]]], ids=str
)
def test_other_arrays_are_refused(values: Any) -> None:
    with pytest.raises(ValueError, match="not a heatmap"):
        encode_heatmap(values)
