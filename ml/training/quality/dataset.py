"""Data set of the quality gate: photographs with quality labels, split by patient.

The splits are those of the grading networks: a patient of their test split is in the test split here, and the same
for validation, so that no metric of the whole system rests on a patient that one of its networks was trained on.
Patients that are not in the grading set (most of EyeQ) are split by a hash of their number.
"""

import hashlib
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from ml.data.cache import FundusDataset
from ml.data.cache_files import atomic_write, recipe_hash
from ml.data.labels import LabelledPhoto, read_labels
from ml.data.splits import TEST, TRAIN, VALIDATION, assert_no_leakage
from ml.serving.preprocess import PREPROCESSING_VERSION, crop_fundus
from ml.serving.quality.features import QualityFeatures, extract_features
from ml.serving.quality.network import VIEW_SIDE_PX, square_view

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Side of the crop that the released student takes; the quality network takes the same crop.
SERVING_SIDE_PX = 288
QUALITY_SOURCES = ("eyeq", "eyepacs", "aptos2019", "odir5k")
#: Sources with readers' quality labels: good, usable or reject.
LABELLED_SOURCES = ("eyeq", "eyepacs")
#: Quality label of a photograph that was graded but not assessed for quality: nearly all of them can be graded.
GRADED = "graded"
#: Sample weight of such a photograph, in training and in the fit of the fusion.
GRADED_WEIGHT = 0.5
FEATURES = tuple(field.name for field in fields(QualityFeatures))


@dataclass(frozen=True, slots=True, kw_only=True)
class QualitySet:
    """Views and features of photographs with quality labels.

    ``pixels`` (n, 192, 192, 3) uint8 as photographed; ``features`` (n, m), NaN if there are none; ``diameters_px`` (n,)
    of the field of view as decoded. ``labels``: good, usable, reject or graded.
    ``splits`` holds 0 training, 1 validation, 2 test.
    """

    pixels: "NDArray[np.uint8]"
    features: "NDArray[np.float64]"
    diameters_px: "NDArray[np.float64]"
    sources: "NDArray[np.str_]"
    labels: "NDArray[np.str_]"
    patients: "NDArray[np.str_]"
    splits: "NDArray[np.int8]"

    def where(self, split: int) -> "NDArray[np.int64]":
        """Indices of the photographs in one split."""
        return np.flatnonzero(self.splits == split)


def read_photos(data: Path) -> list[LabelledPhoto]:
    """Read photographs with a quality label; ``graded`` if their source has no such labels."""
    photos = [photo for source in QUALITY_SOURCES for photo in read_labels(data / source)]
    return [
        replace(photo, quality=photo.quality or GRADED)
        for photo in photos
        if photo.quality or photo.source not in LABELLED_SOURCES
    ]


def splits_of(photos: list[LabelledPhoto], grading: FundusDataset, patients: list[str]) -> "NDArray[np.int8]":
    """Splits (n,): of the grading set if the patient is in it, else by a hash.

    ``patients`` names the patient of each photograph of the grading set.

    Raises ValueError if a patient would be in two splits.
    """
    known = dict(zip(patients, grading.splits.tolist(), strict=True))
    splits = np.array([known.get(p.group, hash_split(p.group)) for p in photos], np.int8)
    assert_no_leakage(splits, [p.group for p in photos])
    return splits


def subsampled(
    photos: list[LabelledPhoto], splits: "NDArray[np.int8]"
) -> "tuple[list[LabelledPhoto], NDArray[np.int8]]":
    """Keep a third of the training photographs without a quality label.

    They only represent other cameras.
    """
    kept = [i for i, p in enumerate(photos) if p.quality != GRADED or splits[i] != TRAIN or i % 3 == 0]
    return [photos[i] for i in kept], splits[kept]


def hash_split(patient: str) -> int:
    """Split by a hash: 12 of 20 patients to training, 3 to validation, 5 to test."""
    number = hashlib.sha256(f"quality {patient}".encode()).digest()[0] % 20
    return TRAIN if number < 12 else VALIDATION if number < 15 else TEST


def load_quality_set(photos: list[LabelledPhoto], splits: "NDArray[np.int8]", *, cache: Path) -> QualitySet:
    """Crop and extract features, cached.

    Photographs without a field of view are left out, as in serving.
    """
    names = [(p.source, p.path.name, p.quality, int(split)) for p, split in zip(photos, splits, strict=True)]
    file = cache / f"quality-{recipe_hash([PREPROCESSING_VERSION, SERVING_SIDE_PX, VIEW_SIDE_PX, FEATURES, names])}.npz"
    if not file.exists():
        with atomic_write(file) as partial:
            np.savez(partial, **_crop_all(photos, splits))  # type: ignore[arg-type]  # numpy's stub: allow_pickle
    with np.load(file) as arrays:
        return QualitySet(**{field.name: arrays[field.name] for field in fields(QualitySet)})


def _crop_all(photos: list[LabelledPhoto], splits: "NDArray[np.int8]") -> "dict[str, NDArray[np.generic]]":
    kept, pixels, features, diameters_px = [], [], [], []
    for number, photo in enumerate(tqdm(photos, desc="crop and measure", unit="photo", mininterval=5)):
        crop = crop_fundus(photo.path, side_px=SERVING_SIDE_PX)
        if crop is None:
            continue
        found = extract_features(crop)
        kept.append(number)
        pixels.append(square_view(crop))
        features.append(list(asdict(found).values()) if found else [np.nan] * len(FEATURES))
        diameters_px.append(crop.fov.diameter_px)
    return {
        "pixels": np.stack(pixels),
        "features": np.array(features),
        "diameters_px": np.array(diameters_px),
        "sources": np.array([photos[i].source for i in kept]),
        "labels": np.array([photos[i].quality for i in kept]),
        "patients": np.array([photos[i].group for i in kept]),
        "splits": splits[kept],
    }
