"""Median and percentiles are those of NumPy, to the last digit."""

import numpy as np
import pytest

from ml.serving.order_statistics import median, percentile


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("shape", [(1,), (2,), (3,), (7, 9), (8, 8), (401,)])
@pytest.mark.parametrize("n_levels", [2, 256])
def test_they_are_those_of_numpy(dtype: type, shape: tuple[int, ...], n_levels: int) -> None:
    rng = np.random.default_rng(0)
    scale = dtype(1) if dtype is np.uint8 else dtype(0.37)
    for _ in range(20):
        values = rng.integers(0, n_levels, shape).astype(dtype) * scale
        assert median(values) == np.median(values)
        for q in (10, 95, 97, 98):
            found, expected = percentile(values, q), np.percentile(values, q)
            assert (found, found.dtype) == (expected, expected.dtype)
