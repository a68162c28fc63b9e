"""Photographs cropped once to their retina and kept as memory-mapped arrays."""

import csv
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ml.data.cropping import crop_all
from ml.data.duplicates import COPY_CORRELATION, copies, merge_groups
from ml.data.labels import LabelledPhoto
from ml.data.readers import read_photos
from ml.data.splits import split
from ml.serving.preprocess import PREPROCESSING_VERSION

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class FundusDataset:
    """Cropped retinas with their grades. ``pixels`` (n, S, S, 3) uint8 with evened colours, memory-mapped.

    ``splits`` holds 0 training, 1 validation, 2 test; ``groups`` the person or set of copies; ``photos`` what the data
    sets say of each, for figures by eye, sex or age; ``duplicate_pairs`` the indices (i < j) of copies.
    """

    pixels: "NDArray[np.uint8]"
    grades: "NDArray[np.int64]"
    sources: "NDArray[np.str_]"
    groups: "NDArray[np.str_]"
    splits: "NDArray[np.int8]"
    files: list[str]
    n_duplicates: int
    n_without_retina: int
    photos: list[LabelledPhoto] = field(default_factory=list)
    duplicate_pairs: list[tuple[int, int]] = field(default_factory=list)

    def where(self, part: int) -> "NDArray[np.int64]":
        """Indices of the photographs in one part of the split."""
        return np.flatnonzero(self.splits == part)


def load_dataset(folders: list[Path], *, side_px: int, cache: Path, n_workers: int = 1) -> FundusDataset:
    """Read, crop, group and split all graded photographs of ``folders``; from the cache where the recipe is the same.

    Raises LabelError where a folder's labels cannot be understood, GradingError where no photograph shows a retina.
    """
    photos = graded(photo for folder in folders for photo in read_photos(folder))
    place = cache_dir_of(photos, side_px=side_px, cache=cache)
    if not (place / "rows.csv").exists():
        crop_all(photos, side_px=side_px, place=place, n_workers=n_workers)
    kept = _kept(photos, place / "rows.csv")
    pixels = np.load(place / "pixels.npy", mmap_mode="r")
    pairs = _copy_pairs(place)
    groups = merge_groups([photo.group for photo in kept], pairs)
    sources, grades = [photo.source for photo in kept], [photo.grade or 0 for photo in kept]
    return FundusDataset(
        pixels=pixels,
        grades=np.asarray(grades, np.int64),
        sources=np.asarray(sources),
        groups=np.asarray(groups),
        splits=split(sources, grades, groups),
        files=[photo.path.name for photo in kept],
        n_duplicates=len(pairs),
        n_without_retina=len(photos) - len(kept),
        photos=kept,
        duplicate_pairs=pairs,
    )


def graded(photos: Iterator[LabelledPhoto]) -> list[LabelledPhoto]:
    """Those that somebody could grade."""
    return [photo for photo in photos if photo.grade is not None]


def cache_dir_of(photos: list[LabelledPhoto], *, side_px: int, cache: Path) -> Path:
    """Folder of the cache for these photographs: its name is a hash of the recipe.

    NB: anything else in the recipe makes every cache worthless, and each takes minutes to hours to fill.
    """
    recipe = json.dumps([PREPROCESSING_VERSION, side_px, [(p.source, p.path.name, p.grade) for p in photos]])
    return cache / hashlib.sha256(recipe.encode()).hexdigest()[:16]


def _kept(photos: list[LabelledPhoto], rows: Path) -> list[LabelledPhoto]:
    """The photographs that the cache holds, in its order, with what their data set says of them today.

    Caches filled before ``rows.csv`` held each photograph's number are matched by source and name.
    """
    with rows.open(newline="") as file:
        lines = list(csv.DictReader(file))
    if lines and "number" in lines[0]:
        return [photos[int(line["number"])] for line in lines]
    by_name = {(photo.source, photo.path.name): photo for photo in photos}
    return [by_name[line["source"], line["file"]] for line in lines]


def _copy_pairs(place: Path) -> list[tuple[int, int]]:
    """Pairs of copies, from the cache: found anew by another processor, a pair on the border might come or go."""
    path = place / f"copies-{COPY_CORRELATION}.json"
    if not path.exists():
        partial = path.with_suffix(".partial")
        partial.write_text(json.dumps(copies(np.load(place / "signatures.npy"))))
        partial.replace(path)
    return [(i, j) for i, j in json.loads(path.read_text())]
