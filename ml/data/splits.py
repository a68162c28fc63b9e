"""Split photographs into training, validation and test parts by person and by copy."""

from typing import TYPE_CHECKING

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold

from ml.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

N_FOLDS = 10
SPLITS = ("train", "validation", "test")
TRAIN, VALIDATION, TEST = range(3)


class TooFewPhotographs(InputError):
    """There are not enough photographs for three parts."""


def split(sources: list[str], grades: list[int], groups: list[str], *, seed: int = 20) -> "NDArray[np.int8]":
    """(n,) part of each photograph: 0 training (8 tenths), 1 validation, 2 test. Stratified by source and grade.

    No group is in two parts; raises ValueError if that ever failed, TooFewPhotographs where no grade of any source has
    three photographs.
    NB: other photographs or groups give another split, and a network started from one trained on the old split has
    then seen part of the new test photographs.
    """
    strata = [f"{source}/{grade}" for source, grade in zip(sources, grades, strict=True)]
    n_folds = min(N_FOLDS, int(np.unique(strata, return_counts=True)[1].max()))  # small sets: larger parts
    if n_folds < 3:
        raise TooFewPhotographs("Too few photographs to split: no grade of any source has three.")
    folds = StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed).split(strata, strata, groups)
    part = np.zeros(len(grades), np.int8)
    for fold, (_, held_out) in enumerate(folds):
        if fold < 2:
            part[held_out] = fold + 1
    assert_no_leakage(part, groups)
    return part


def assert_no_leakage(part: "NDArray[np.int8]", groups: list[str]) -> None:
    """Raise ValueError where a group has photographs in more than one part."""
    home: dict[str, int] = {}
    for number, group in zip(part.tolist(), groups, strict=True):
        if home.setdefault(group, number) != number:
            raise ValueError(f"Group {group} is in two parts of the split.")
