"""Split photographs into training, validation and test by patient and by duplicate.

``held_out.csv`` lists the validation and test photographs of the known sources: a network that starts from a released
model must never be tested on photographs that the model was trained on, however many sources are added.
"""

import csv
from collections import defaultdict
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold

from ml.data.labels import LabelledPhoto
from ml.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

N_FOLDS = 10
SPLITS = ("train", "validation", "test")
TRAIN, VALIDATION, TEST = range(3)
HELD_OUT = Path(__file__).with_name("held_out.csv")


def assign_splits(photos: list[LabelledPhoto], groups: list[str]) -> "NDArray[np.int8]":
    """TRAIN, VALIDATION or TEST of each photograph: (n,). All photographs of a group are in one split.

    Sources in ``held_out.csv`` keep their split, and so does a group with one of their photographs; the other
    photographs are dealt. Raises InputError if there are too few of them.
    """
    of_group = listed_splits([replace(photo, group=group) for photo, group in zip(photos, groups, strict=True)])
    rest = [i for i, group in enumerate(groups) if group not in of_group]
    splits = np.array([of_group.get(group, TRAIN) for group in groups], np.int8)
    if rest:
        chosen = [photos[i] for i in rest]
        strata = [f"{photo.source}/{photo.grade}" for photo in chosen]
        splits[rest] = deal_splits(strata, [groups[i] for i in rest])
    assert_no_leakage(splits, groups)
    return splits


def listed_splits(photos: list[LabelledPhoto]) -> dict[str, int]:
    """The split of each group with a photograph of a listed source: test if one of them is in the test split."""
    listed = held_out()
    known = {photo.source for photo in photos if photo.path.stem in listed.get(photo.source, {})}
    splits: dict[str, int] = {}
    for photo in photos:
        if photo.source in known:  # other files in a folder of that name are another data set
            split = listed[photo.source].get(photo.path.stem, TRAIN)
            splits[photo.group] = max(splits.get(photo.group, TRAIN), split)
    return splits


@cache
def held_out() -> dict[str, dict[str, int]]:
    """VALIDATION or TEST by source and name of the file without its suffix; all others are for training."""
    listed: defaultdict[str, dict[str, int]] = defaultdict(dict)
    with HELD_OUT.open(newline="") as file:
        for row in csv.DictReader(file):
            listed[row["source"]][row["name"]] = SPLITS.index(row["split"])
    return dict(listed)


def deal_splits(strata: list[str], groups: list[str], *, seed: int = 20) -> "NDArray[np.int8]":
    """Grouped split, stratified: 80 % for training, 10 % each for validation and test; small sets hold out more.

    Raises InputError if no stratum (source and grade) has three photographs, and if there are fewer than three groups.
    """
    n_folds = min(N_FOLDS, int(np.unique(strata, return_counts=True)[1].max()), len(set(groups)))
    if n_folds < 3:
        raise InputError("Too few photographs to split: no grade of any source has three, each of another patient.")
    folds = StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed).split(strata, strata, groups)
    splits = np.zeros(len(strata), np.int8)
    for split, (_, held) in zip((VALIDATION, TEST), folds, strict=False):
        splits[held] = split
    return splits


def assert_no_leakage(splits: "NDArray[np.int8]", groups: list[str]) -> None:
    """Raise ValueError if a group has photographs in more than one split."""
    split_of: dict[str, int] = {}
    for split, group in zip(splits.tolist(), groups, strict=True):
        if split_of.setdefault(group, split) != split:
            raise ValueError(f"Group {group} is in two splits.")
