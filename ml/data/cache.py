"""Cache of cropped photographs as memory-mapped arrays."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ml.data.cache_files import atomic_write, recipe_hash
from ml.data.cropping import CROPPED, crop_all, read_statuses
from ml.data.duplicates import DUPLICATE_CORRELATION, find_duplicates, merge_groups
from ml.data.labels import LabelledPhoto
from ml.data.readers import read_photos
from ml.data.splits import assign_splits
from ml.serving.preprocess import CROP_VERSION, PREPROCESSING_VERSION

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class FundusDataset:
    """Cropped photographs with grades, groups and splits.

    ``pixels`` (n, S, S, 3) uint8 have standardised colours and are memory-mapped. ``splits`` holds 0 training,
    1 validation, 2 test; ``groups`` the patient or set of duplicates; ``photos`` the labels of the data sets, for
    metrics by eye, sex or age; ``duplicate_pairs`` the indices (i < j) of duplicates.
    """

    pixels: "NDArray[np.uint8]"
    grades: "NDArray[np.int64]"
    sources: "NDArray[np.str_]"
    groups: "NDArray[np.str_]"
    splits: "NDArray[np.int8]"
    n_without_retina: int
    photos: list[LabelledPhoto] = field(default_factory=list)
    duplicate_pairs: list[tuple[int, int]] = field(default_factory=list)

    def where(self, split: int) -> "NDArray[np.int64]":
        """Indices of the photographs in one split."""
        return np.flatnonzero(self.splits == split)


def load_dataset(folders: list[Path], *, side_px: int, cache: Path, n_workers: int = 1) -> FundusDataset:
    """Read, crop, group and split all graded photographs of ``folders``, cached.

    Raises LabelError for labels that cannot be parsed, GradingError if no photograph shows a retina.
    """
    photos = graded(photo for folder in folders for photo in read_photos(folder))
    cache_dir = cache_dir_of(photos, side_px=side_px, cache=cache)
    if not cache_dir.exists():
        crop_all(photos, side_px=side_px, cache_dir=cache_dir, n_workers=n_workers)
    statuses = read_statuses(cache_dir)
    cropped = [photo for photo, status in zip(photos, statuses, strict=True) if status == CROPPED]
    pairs = _duplicate_pairs(cache_dir, len(cropped))
    groups = merge_groups([photo.group for photo in cropped], pairs)
    sources, grades = [photo.source for photo in cropped], [photo.grade or 0 for photo in cropped]
    return FundusDataset(
        pixels=np.load(cache_dir / "pixels.npy", mmap_mode="r"),
        grades=np.asarray(grades, np.int64),
        sources=np.asarray(sources),
        groups=np.asarray(groups),
        splits=assign_splits(sources, grades, groups),
        n_without_retina=len(photos) - len(cropped),
        photos=cropped,
        duplicate_pairs=pairs,
    )


def graded(photos: Iterable[LabelledPhoto]) -> list[LabelledPhoto]:
    """The photographs with a grade."""
    return [photo for photo in photos if photo.grade is not None]


def cache_dir_of(photos: list[LabelledPhoto], *, side_px: int, cache: Path) -> Path:
    """Cache folder of these photographs: its name is a hash of the inputs.

    NB: anything else in the recipe invalidates every cache, and each takes minutes to hours to fill.
    """
    labels = [(photo.source, photo.path.name, photo.grade) for photo in photos]
    return cache / recipe_hash([PREPROCESSING_VERSION, CROP_VERSION, side_px, labels])


def _duplicate_pairs(cache_dir: Path, n_photos: int) -> list[tuple[int, int]]:
    """Stored, because another processor might round a borderline correlation differently."""
    path = cache_dir / f"duplicates-{DUPLICATE_CORRELATION}.json"
    if not path.exists():
        signatures = np.load(cache_dir / "signatures.npy")[:n_photos]
        with atomic_write(path) as partial:
            partial.write_text(json.dumps(find_duplicates(signatures)))
    return [(i, j) for i, j in json.loads(path.read_text())]
