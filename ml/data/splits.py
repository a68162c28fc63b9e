"""Split photographs into training, validation and test by patient and by duplicate."""

from typing import TYPE_CHECKING

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold

from ml.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

N_FOLDS = 10
SPLITS = ("train", "validation", "test")
TRAIN, VALIDATION, TEST = range(3)


def assign_splits(sources: list[str], grades: list[int], groups: list[str], *, seed: int = 20) -> "NDArray[np.int8]":
    """Grouped split, stratified by source and grade: (n,) of TRAIN, VALIDATION or TEST.

    80 % are for training, 10 % each for validation and test; fewer for training in small sets.

    Raises InputError if no grade of any source has three photographs, and if there are fewer than three groups.
    NB: other photographs or groups give other splits, and a network initialised from one trained on the old splits has
    then seen photographs of the new test split.
    """
    strata = [f"{source}/{grade}" for source, grade in zip(sources, grades, strict=True)]
    largest = int(np.unique(strata, return_counts=True)[1].max())
    n_folds = min(N_FOLDS, largest, len(set(groups)))  # small sets: larger held-out splits
    if n_folds < 3:
        raise InputError("Too few photographs to split: no grade of any source has three, each of another patient.")
    folds = StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed).split(strata, strata, groups)
    splits = np.zeros(len(grades), np.int8)
    for split, (_, held_out) in zip((VALIDATION, TEST), folds, strict=False):
        splits[held_out] = split
    assert_no_leakage(splits, groups)
    return splits


def assert_no_leakage(splits: "NDArray[np.int8]", groups: list[str]) -> None:
    """Raise ValueError if a group has photographs in more than one split."""
    split_of: dict[str, int] = {}
    for split, group in zip(splits.tolist(), groups, strict=True):
        if split_of.setdefault(group, split) != split:
            raise ValueError(f"Group {group} is in two splits.")
