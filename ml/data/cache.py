"""Cache of cropped photographs as memory-mapped arrays, one of each source."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

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


class StackedPixels:
    """Memory-mapped arrays (n_i, S, S, 3) uint8 that are indexed as one of sum(n_i) photographs."""

    def __init__(self, arrays: "Sequence[NDArray[np.uint8]]") -> None:
        self.arrays = arrays
        self.ends = np.cumsum([len(array) for array in arrays])

    def __len__(self) -> int:
        return int(self.ends[-1])

    def __getitem__(self, rows: "NDArray[np.int64]") -> "NDArray[np.uint8]":
        """(m, S, S, 3) copies of m rows, which are not negative."""
        numbers = np.searchsorted(self.ends, rows, side="right")
        pixels = np.empty((len(rows), *self.arrays[0].shape[1:]), np.uint8)
        for number in np.unique(numbers):
            chosen, array = numbers == number, self.arrays[number]
            pixels[chosen] = array[rows[chosen] - self.ends[number] + len(array)]
        return pixels


@dataclass(frozen=True, slots=True, kw_only=True)
class FundusDataset:
    """Cropped photographs with grades, groups and splits.

    ``pixels`` (n, S, S, 3) uint8 have standardised colours. ``oedema`` (n,) is 1 for referable macular oedema, 0 for
    none, -1 if unknown. ``splits`` holds 0 training, 1 validation, 2 test; ``groups`` the patient or set of duplicates;
    ``photos`` their labels, for metrics by eye, sex or age; ``rejected`` those that could not be cropped, with
    NO_RETINA or an error message; ``duplicate_pairs`` the indices (i < j) of duplicates.
    """

    pixels: "StackedPixels | NDArray[np.uint8]"
    grades: "NDArray[np.int64]"
    oedema: "NDArray[np.int64]"
    sources: "NDArray[np.str_]"
    groups: "NDArray[np.str_]"
    splits: "NDArray[np.int8]"
    photos: list[LabelledPhoto] = field(default_factory=list)
    rejected: dict[LabelledPhoto, str] = field(default_factory=dict)
    duplicate_pairs: list[tuple[int, int]] = field(default_factory=list)

    def where(self, split: int) -> "NDArray[np.int64]":
        """Indices of the photographs in one split."""
        return np.flatnonzero(self.splits == split)


def load_dataset(folders: list[Path], *, side_px: int, cache: Path, n_workers: int = 1) -> FundusDataset:
    """Read, crop, group and split all graded photographs of ``folders``, cached.

    Raises LabelError for labels that cannot be parsed, GradingError if no photograph of a folder shows a retina.
    """
    crops = [_load_crops(folder, side_px=side_px, cache=cache, n_workers=n_workers) for folder in folders]
    photos = [photo for each in crops for photo in each.photos]
    pairs = _duplicate_pairs(crops, cache)
    groups = merge_groups([photo.group for photo in photos], pairs)
    return FundusDataset(
        pixels=StackedPixels([each.pixels for each in crops]),
        grades=np.asarray([photo.grade for photo in photos], np.int64),
        oedema=np.asarray([_oedema(photo) for photo in photos], np.int64),
        sources=np.asarray([photo.source for photo in photos]),
        groups=np.asarray(groups),
        splits=assign_splits(photos, groups),
        photos=photos,
        rejected={photo: status for each in crops for photo, status in each.rejected.items()},
        duplicate_pairs=pairs,
    )


def _oedema(photo: LabelledPhoto) -> int:
    """1 or 0, -1 if unknown. An eye without retinopathy has none: so are all 1,045 of grade 0 that have a label."""
    known = False if photo.has_oedema is None and photo.grade == 0 else photo.has_oedema
    return -1 if known is None else int(known)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Crops:
    """The cropped photographs of one source, and the folder of their cache."""

    folder: Path
    photos: list[LabelledPhoto]
    rejected: dict[LabelledPhoto, str]

    @property
    def pixels(self) -> "NDArray[np.uint8]":
        return self._array("pixels")

    @property
    def signatures(self) -> "NDArray[np.float32]":
        return self._array("signatures")

    def _array(self, name: str) -> "NDArray[Any]":
        array: NDArray[Any] = np.load(self.folder / f"{name}.npy", mmap_mode="r")
        return array[: len(self.photos)]


def _load_crops(folder: Path, *, side_px: int, cache: Path, n_workers: int) -> _Crops:
    photos = graded(read_photos(folder))
    cache_dir = cache_dir_of(photos, side_px=side_px, cache=cache)
    if not cache_dir.exists():
        crop_all(photos, side_px=side_px, cache_dir=cache_dir, n_workers=n_workers)
    statuses = dict(zip(photos, read_statuses(cache_dir), strict=True))
    rejected = {photo: status for photo, status in statuses.items() if status != CROPPED}
    return _Crops(folder=cache_dir, photos=[p for p in photos if p not in rejected], rejected=rejected)


def graded(photos: Iterable[LabelledPhoto]) -> list[LabelledPhoto]:
    """The photographs with a grade."""
    return [photo for photo in photos if photo.grade is not None]


def cache_dir_of(photos: list[LabelledPhoto], *, side_px: int, cache: Path) -> Path:
    """Cache folder of the photographs of one source: its name is a hash of the inputs.

    NB: anything else in the recipe invalidates every cache, and each takes minutes to hours to fill.
    """
    labels = [(photo.source, photo.path.name, photo.grade) for photo in photos]
    return cache / recipe_hash([PREPROCESSING_VERSION, CROP_VERSION, side_px, labels])


def _duplicate_pairs(crops: list[_Crops], cache: Path) -> list[tuple[int, int]]:
    """Stored, because another processor might round a borderline correlation differently."""
    path = cache / f"duplicates-{recipe_hash([DUPLICATE_CORRELATION, [each.folder.name for each in crops]])}.json"
    if not path.exists():
        signatures = np.concatenate([each.signatures for each in crops])
        with atomic_write(path) as partial:
            partial.write_text(json.dumps(find_duplicates(signatures)))
    return [(i, j) for i, j in json.loads(path.read_text())]
