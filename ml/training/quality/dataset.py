"""Data set of the quality gate: views and features of photographs with quality labels, split by patient.

The splits are those of the grading networks: a patient of their test split is in the test split here, and the same
for validation, so that no metric of the whole system rests on a patient that one of its networks was trained on.
Patients that are not in the grading set (most of EyeQ) are split by a hash of their number.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from PIL import Image, ImageFilter
from tqdm import tqdm

from ml.data.cache import load_dataset
from ml.data.cache_files import atomic_write, recipe_hash
from ml.data.labels import DEFAULT_SOURCES, LabelledPhoto, read_labels
from ml.data.splits import TEST, TRAIN, VALIDATION
from ml.serving.preprocess import CROP_VERSION, PREPROCESSING_VERSION, FundusCrop, Photo, crop_fundus
from ml.serving.quality.features import QualityFeatures, extract_features
from ml.serving.quality.network import VIEW_SIDE_PX, square_view

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

#: Side of the crops of the grading set, whose splits are used.
GRADING_CACHE_SIZE = 320
#: Side of the crop that the released student takes; the quality network takes the same crop.
SERVING_SIDE_PX = 288
QUALITY_SOURCES = ("eyeq", "eyepacs", "aptos2019", "odir5k")
#: Sources with readers' quality labels: good, usable or reject.
LABELLED_SOURCES = ("eyeq", "eyepacs")
#: Quality label of a photograph that was graded but not assessed for quality: nearly all of them can be graded.
GRADED = "graded"
#: Sample weight of such a photograph, in training and in the fits.
GRADED_WEIGHT = 0.5
#: Label of an image that is no fundus photograph.
NEGATIVE = "negative"
#: Standard deviation of a blur as a fraction of the field of view: from 1.2 % only the large vessels remain.
DEFOCUS_SIGMAS = (0.012, 0.04)
MAX_GRAIN_LEVELS = 5.0
FEATURES = tuple(field.name for field in fields(QualityFeatures))


@dataclass(frozen=True, slots=True, kw_only=True)
class QualitySet:
    """Views and features of photographs with quality labels.

    ``pixels`` (n, 192, 192, 3) uint8 as photographed; ``features`` (n, m), and those of a ``defocused`` copy;
    ``diameters_px`` (n,) of the field of view as decoded. ``labels``: good, usable, reject, graded or negative.
    ``splits`` holds 0 training, 1 validation, 2 test.
    """

    pixels: "NDArray[np.uint8]"
    features: "Floats"
    defocused: "Floats"
    diameters_px: "Floats"
    sources: "NDArray[np.str_]"
    labels: "NDArray[np.str_]"
    patients: "NDArray[np.str_]"
    splits: "NDArray[np.int8]"

    def where(self, split: int) -> "NDArray[np.int64]":
        """Indices of the photographs in one split."""
        return np.flatnonzero(self.splits == split)

    def arrays(self) -> "dict[str, NDArray[Any]]":
        """All arrays by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def subset(self, rows: "NDArray[np.int64]") -> Self:
        return type(self)(**{name: array[rows] for name, array in self.arrays().items()})

    def joined(self, other: Self) -> Self:
        return type(self)(**{name: np.concatenate([a, getattr(other, name)]) for name, a in self.arrays().items()})


def by_name(features: "Floats") -> "dict[str, Floats]":
    """(n, m) -> (n,) values of each feature."""
    return dict(zip(FEATURES, features.T, strict=True))


def load_quality_set(data: Path, cache: Path) -> QualitySet:
    """All photographs with labels, split like those of the grading networks and cropped, cached."""
    grading = load_dataset([data / source for source in DEFAULT_SOURCES], side_px=GRADING_CACHE_SIZE, cache=cache)
    known = {photo.group: split for photo, split in zip(grading.photos, grading.splits.tolist(), strict=True)}
    photos = subsampled([(photo, split_of(photo.group, known)) for photo in read_photos(data)])
    names = [(p.source, p.path.name, p.quality, split) for p, split in photos]
    recipe = [PREPROCESSING_VERSION, CROP_VERSION, SERVING_SIDE_PX, VIEW_SIDE_PX, DEFOCUS_SIGMAS, FEATURES, names]
    file = cache / f"quality-{recipe_hash(recipe)}.npz"
    if not file.exists():
        measured = measure((photo, photo.path, split) for photo, split in tqdm(photos, desc="crop", mininterval=5))
        with atomic_write(file) as partial:
            np.savez(partial, **measured.arrays())  # type: ignore[arg-type]  # numpy's stub: allow_pickle
    with np.load(file) as arrays:
        return QualitySet(**arrays)


def read_photos(data: Path) -> list[LabelledPhoto]:
    """Read photographs with a quality label; ``graded`` if their source has no such labels."""
    return [
        replace(photo, quality=photo.quality or GRADED)
        for source in QUALITY_SOURCES
        for photo in read_labels(data / source)
        if photo.quality or source not in LABELLED_SOURCES
    ]


def split_of(patient: str, known: Mapping[str, int]) -> int:
    """The split in ``known``, else by a hash: 12 of 20 patients to training, 3 to validation, 5 to test."""
    number = hashlib.sha256(f"quality {patient}".encode()).digest()[0] % 20
    return known.get(patient, TRAIN if number < 12 else VALIDATION if number < 15 else TEST)


def subsampled(photos: list[tuple[LabelledPhoto, int]]) -> list[tuple[LabelledPhoto, int]]:
    """Keep a third of the training photographs without a quality label: they only represent other cameras."""
    return [(p, split) for i, (p, split) in enumerate(photos) if p.quality != GRADED or split != TRAIN or i % 3 == 0]


def measure(photos: Iterable[tuple[LabelledPhoto, Photo, int]]) -> QualitySet:
    """Crop photographs with labels and splits, and extract their features.

    Those without a field of view or with too little light are left out: serving refuses them before the network.
    """
    rng = np.random.default_rng(8)
    rows = []
    for labels, photo, split in photos:
        crop = crop_fundus(photo, side_px=SERVING_SIDE_PX)
        features = feature_values(crop)
        if crop is None or features is None:
            continue
        copy, diameter_px = feature_values(defocused(crop, rng)), crop.fov.diameter_px
        rows.append(
            (square_view(crop), features, copy, diameter_px, labels.source, labels.quality, labels.group, split)
        )
    names = [field.name for field in fields(QualitySet)]
    return QualitySet(**{name: np.array(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)})


def feature_values(crop: FundusCrop | None) -> list[float] | None:
    """Values of FEATURES; None if there is no crop, or too little of it is lit."""
    features = extract_features(crop) if crop else None
    return list(asdict(features).values()) if features else None


def defocused(crop: FundusCrop, rng: np.random.Generator) -> FundusCrop:
    """A copy blurred by a random fraction of the field of view, half of them with grain."""
    blur = ImageFilter.GaussianBlur(rng.uniform(*DEFOCUS_SIGMAS) * len(crop.pixels))
    blurred = np.asarray(Image.fromarray(crop.pixels).filter(blur), np.float64)
    grain = rng.choice((0, 1)) * rng.uniform(0, MAX_GRAIN_LEVELS)
    noisy = blurred + rng.normal(0, grain, blurred.shape)
    return replace(crop, pixels=np.clip(noisy, 0, 255).astype(np.uint8))
