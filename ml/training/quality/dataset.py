"""Photographs with a reader's label on their quality, cropped and measured once, split by person.

The parts are those of the grading networks: who is in their test part is in the test part here, and the same for
validation, so that no figure of the whole system rests on a person whom any of its networks was trained on. People
whom grading does not know (most of EyeQ) are dealt by a hash of their number.
"""

import csv
import hashlib
import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from ml.data.cache import FundusDataset
from ml.data.labels import SOURCE_GROUP
from ml.data.splits import TEST, TRAIN, VALIDATION, assert_no_leakage
from ml.serving.preprocess import PREPROCESSING_VERSION, crop_fundus
from ml.serving.quality.features import QualityFeatures, extract_features
from ml.serving.quality.network import VIEW_SIDE_PX, square_view

if TYPE_CHECKING:
    from numpy.typing import NDArray

SERVING_SIDE_PX = 288
"""Side of the square that the released student is served with; the quality network reads the same square."""
SOURCES = ("eyeq", "eyepacs", "aptos2019", "odir5k")
JUDGED = ("eyeq", "eyepacs")
"""Sources with readers' labels: good, usable or reject. All others were graded, so nearly all can be graded."""
FEATURES = tuple(field.name for field in fields(QualityFeatures))


@dataclass(frozen=True, slots=True)
class QualityPhoto:
    """One photograph. ``verdict``: good, usable, reject or graded; ``person`` carries the family of its source."""

    source: str
    path: Path
    label: str
    patient: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QualitySet:
    """``pixels`` (n, 192, 192, 3) uint8 as photographed; ``features`` (n, m) of the rules, NaN where they fail.

    ``diameters_px`` (n,) of the disc as decoded. ``splits`` holds 0 training, 1 validation, 2 test.
    """

    pixels: "NDArray[np.uint8]"
    features: "NDArray[np.float64]"
    diameters_px: "NDArray[np.float64]"
    sources: "NDArray[np.str_]"
    labels: "NDArray[np.str_]"
    patients: "NDArray[np.str_]"
    splits: "NDArray[np.int8]"

    def where(self, part: int) -> "NDArray[np.int64]":
        """Indices of the photographs in one part of the split."""
        return np.flatnonzero(self.splits == part)


def read_photos(data: Path) -> list[QualityPhoto]:
    """All photographs of the judged sources that have a label, and all graded ones of the others."""
    photos = []
    for source in SOURCES:
        family = SOURCE_GROUP.get(source, source)
        with (data / source / "labels.csv").open(newline="") as file:
            for row in csv.DictReader(file):
                label = row.get("quality") or ("" if source in JUDGED else "graded")
                person = row.get("patient") or f"file:{row['file']}"
                if label:
                    photos.append(QualityPhoto(source, data / source / row["file"], label, f"{family}:{person}"))
    return photos


def splits_of(photos: list[QualityPhoto], grading: FundusDataset, patients: list[str]) -> "NDArray[np.int8]":
    """(n,) part of each photograph; ``patients`` names the person of each photograph of the grading set.

    Raises ValueError where a person would be in two parts.
    """
    known = dict(zip(patients, grading.splits.tolist(), strict=True))
    parts = np.array([known.get(p.patient, hash_split(p.patient)) for p in photos], np.int8)
    assert_no_leakage(parts, [p.patient for p in photos])
    return parts


def subsampled(photos: list[QualityPhoto], parts: "NDArray[np.int8]") -> "tuple[list[QualityPhoto], NDArray[np.int8]]":
    """Keep every third training photograph of those that no reader judged: they only stand for other cameras."""
    kept = [i for i, p in enumerate(photos) if p.label != "graded" or parts[i] != TRAIN or i % 3 == 0]
    return [photos[i] for i in kept], parts[kept]


def hash_split(patient: str) -> int:
    """12 of 20 to training, 3 to validation, 5 to test."""
    number = hashlib.sha256(f"quality {patient}".encode()).digest()[0] % 20
    return TRAIN if number < 12 else VALIDATION if number < 15 else TEST


def prepare_quality(photos: list[QualityPhoto], parts: "NDArray[np.int8]", *, cache: Path) -> QualitySet:
    """Crop and measure, or take it from the cache where the recipe is the same. No disc: left out, as in serving."""
    names = [(p.source, p.path.name, p.label, int(part)) for p, part in zip(photos, parts, strict=True)]
    recipe = json.dumps([PREPROCESSING_VERSION, SERVING_SIDE_PX, VIEW_SIDE_PX, names])
    place = cache / f"quality-{hashlib.sha256(recipe.encode()).hexdigest()[:16]}.npz"
    if not place.exists():
        cache.mkdir(parents=True, exist_ok=True)
        partial = place.with_suffix(".partial.npz")
        np.savez(partial, **_crop_all(photos, parts))  # type: ignore[arg-type]
        partial.replace(place)
    with np.load(place) as arrays:
        return QualitySet(**{field.name: arrays[field.name] for field in fields(QualitySet)})


def _crop_all(photos: list[QualityPhoto], parts: "NDArray[np.int8]") -> "dict[str, NDArray[np.generic]]":
    kept, pixels, features, diameters_px = [], [], [], []
    for number, photo in enumerate(tqdm(photos, desc="crop and measure", unit="photo", mininterval=5)):
        retina = crop_fundus(photo.path, side_px=SERVING_SIDE_PX)
        if retina is None:
            continue
        found = extract_features(retina)
        kept.append(number)
        pixels.append(square_view(retina))
        features.append([getattr(found, name) if found else np.nan for name in FEATURES])
        diameters_px.append(retina.fov.diameter_px)
    return {
        "pixels": np.stack(pixels),
        "features": np.array(features),
        "diameters_px": np.array(diameters_px),
        "sources": np.array([photos[i].source for i in kept]),
        "labels": np.array([photos[i].label for i in kept]),
        "patients": np.array([photos[i].patient for i in kept]),
        "splits": parts[kept],
    }
