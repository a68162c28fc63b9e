"""Splits are stratified and never share a group."""

import numpy as np
import pytest

from ml.data.splits import assert_no_leakage, assign_splits
from ml.errors import InputError


def test_no_group_is_in_two_splits_and_every_stratum_is_in_each() -> None:
    sources = ["one", "two"] * 300
    grades = np.random.default_rng(1).integers(0, 5, 600).tolist()
    groups = [f"patient {i // 3}" for i in range(600)]
    splits = assign_splits(sources, grades, groups)
    assert_no_leakage(splits, groups)
    assert np.bincount(splits) / 600 == pytest.approx([0.8, 0.1, 0.1], abs=0.02)
    assert len(set(zip(sources, grades, splits.tolist(), strict=True))) == 2 * 5 * 3


def test_a_leak_is_refused() -> None:
    with pytest.raises(ValueError, match="two splits"):
        assert_no_leakage(np.array([0, 1], np.int8), ["same", "same"])


def test_too_few_photographs_are_refused() -> None:
    with pytest.raises(InputError, match="no grade of any source has three"):
        assign_splits(["one"] * 4, [0, 0, 1, 1], ["a", "b", "c", "d"])
