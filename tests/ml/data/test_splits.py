"""Splits are stratified and never share a group."""

from pathlib import Path

import numpy as np
import pytest

from ml.data import splits as splits_module
from ml.data.labels import LabelledPhoto
from ml.data.readers import read_photos
from ml.data.splits import TEST, TRAIN, VALIDATION, assert_no_leakage, assign_splits, deal_splits, held_out
from ml.errors import InputError


def test_no_group_is_in_two_splits_and_every_stratum_is_in_each() -> None:
    sources = ["one", "two"] * 300
    grades = np.random.default_rng(1).integers(0, 5, 600).tolist()
    groups = [f"patient {i // 3}" for i in range(600)]
    splits = deal_splits([f"{s}/{g}" for s, g in zip(sources, grades, strict=True)], groups)
    assert_no_leakage(splits, groups)
    assert np.bincount(splits) / 600 == pytest.approx([0.8, 0.1, 0.1], abs=0.02)
    assert len(set(zip(sources, grades, splits.tolist(), strict=True))) == 2 * 5 * 3


def test_a_leak_is_refused() -> None:
    with pytest.raises(ValueError, match="two splits"):
        assert_no_leakage(np.array([0, 1], np.int8), ["same", "same"])


def test_too_few_photographs_are_refused() -> None:
    with pytest.raises(InputError, match="no grade of any source has three"):
        deal_splits(["one/0", "one/0", "one/1", "one/1"], ["a", "b", "c", "d"])


def photos_of(source: str, *names: str) -> list[LabelledPhoto]:
    return [LabelledPhoto(source, Path(f"{name}.jpg"), i % 2, f"{source}:{name}") for i, name in enumerate(names)]


def groups_of(photos: list[LabelledPhoto]) -> list[str]:
    return [photo.group for photo in photos]


@pytest.fixture
def listed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A list of one source with a photograph of each split; ``a`` is for training."""
    monkeypatch.setattr(splits_module, "held_out", lambda: {"known": {"v": VALIDATION, "t": TEST}})


@pytest.mark.usefixtures("listed")
def test_listed_photographs_keep_their_split_if_sources_are_added() -> None:
    known, other = photos_of("known", "t", "a", "v"), photos_of("other", *map(str, range(60)))
    assert assign_splits(known, groups_of(known)).tolist() == [TEST, TRAIN, VALIDATION]
    both = assign_splits([*other, *known], groups_of([*other, *known]))
    assert both[60:].tolist() == [TEST, TRAIN, VALIDATION]
    assert set(both[:60].tolist()) == {TRAIN, VALIDATION, TEST}


@pytest.mark.usefixtures("listed")
def test_a_copy_of_a_test_photograph_is_in_the_test_split_too() -> None:
    photos = [*photos_of("known", "t", "a"), *photos_of("other", *map(str, range(60)))]
    groups = groups_of(photos)
    groups[30] = groups[0]
    assert assign_splits(photos, groups)[30] == TEST


@pytest.mark.usefixtures("listed")
def test_another_data_set_in_a_folder_of_a_listed_name_is_dealt() -> None:
    photos = photos_of("known", *map(str, range(60)))
    assert set(assign_splits(photos, groups_of(photos)).tolist()) == {TRAIN, VALIDATION, TEST}


@pytest.mark.real_data
def test_the_list_names_photographs_that_exist_and_divides_no_person(data_dir: Path) -> None:
    for source, split_of in held_out().items():
        photos = [photo for photo in read_photos(data_dir / source) if photo.grade is not None]
        assert set(split_of) <= {photo.path.stem for photo in photos}
        splits = np.array([split_of.get(photo.path.stem, TRAIN) for photo in photos], np.int8)
        assert_no_leakage(splits, groups_of(photos))
        assert 0.1 * len(photos) - 1 <= (splits == TEST).sum() <= 0.26 * len(photos)
