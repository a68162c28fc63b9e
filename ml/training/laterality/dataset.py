"""Data set of the laterality network: views of photographs whose eye or orientation is known, split by patient."""

import hashlib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
from tqdm import tqdm

from ml.data.cache_files import atomic_write, recipe_hash
from ml.data.labels import LabelledPhoto, read_labels
from ml.data.splits import TEST, TRAIN, VALIDATION
from ml.errors import GradingError
from ml.serving.laterality.network import VIEW_SIDE_PX, square_view
from ml.serving.preprocess import PREPROCESSING_VERSION, crop_fundus

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Side of the crop that the released student takes.
SERVING_SIDE_PX = 288
#: Sources with a column ``eye``; for tests alone, another camera and other people; upright, with no label of the eye.
LABELLED_SOURCES = ("odir5k", "eyepacs", "eyepacs_equalized", "eyeq")
TEST_SOURCES = ("eyepacs_test", "srahim")
UNLABELLED_SOURCES = ("messidor2", "idrid")


@dataclass(frozen=True, slots=True, kw_only=True)
class LateralitySet:
    """Views of photographs with their eye, empty if it is not known.

    ``pixels`` (n, 96, 96, 3) uint8 as photographed; ``eyes`` (n,) left, right or empty; ``qualities`` good, usable,
    reject or empty; ``splits`` holds 0 training, 1 validation, 2 test.
    """

    pixels: "NDArray[np.uint8]"
    eyes: "NDArray[np.str_]"
    sources: "NDArray[np.str_]"
    qualities: "NDArray[np.str_]"
    patients: "NDArray[np.str_]"
    splits: "NDArray[np.int8]"

    def where(self, split: int) -> "NDArray[np.int64]":
        """Indices of the photographs in one split."""
        return np.flatnonzero(self.splits == split)

    def subset(self, rows: "NDArray[np.int64]") -> Self:
        return type(self)(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})


def load_laterality_set(data: Path, cache: Path) -> LateralitySet:
    """Photographs whose eye is known, and upright ones of UNLABELLED_SOURCES, cropped, cached."""
    photos = [p for s in (*LABELLED_SOURCES, *TEST_SOURCES) for p in read_labels(data / s) if p.eye]
    photos += [photo for source in UNLABELLED_SOURCES for photo in read_labels(data / source)]
    recipe = [PREPROCESSING_VERSION, SERVING_SIDE_PX, VIEW_SIDE_PX, [(p.source, p.path.name) for p in photos]]
    file = cache / f"laterality-{recipe_hash(recipe)}.npz"
    if not file.exists():
        with atomic_write(file) as partial:
            np.savez(partial, **_measure(photos))  # type: ignore[arg-type]  # numpy's stub: allow_pickle
    with np.load(file) as arrays:
        return LateralitySet(**arrays)


def _measure(photos: list[LabelledPhoto]) -> "dict[str, NDArray[np.generic]]":
    rows = []
    for photo in tqdm(photos, desc="crop", mininterval=5):
        try:
            crop = crop_fundus(photo.path, side_px=SERVING_SIDE_PX)
        except GradingError:
            continue
        if crop is not None:
            split = TEST if photo.source in TEST_SOURCES else split_of(photo.group)
            rows.append((square_view(crop), photo.eye, photo.source, photo.quality, photo.group, split))
    names = [field.name for field in fields(LateralitySet)]
    return {name: np.array(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}


def split_of(patient: str) -> int:
    """Split of a patient by a hash: 14 of 20 to training, 2 to validation, 4 to test."""
    number = hashlib.sha256(f"laterality {patient}".encode()).digest()[0] % 20
    return TRAIN if number < 14 else VALIDATION if number < 16 else TEST
