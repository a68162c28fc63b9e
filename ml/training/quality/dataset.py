"""Data set of the quality gate: views and features of photographs, of blurred copies and of other images."""

import io
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from PIL import Image, ImageFilter
from tqdm import tqdm

from ml.data.cache_files import atomic_write, recipe_hash
from ml.data.labels import LabelledPhoto, read_labels
from ml.data.splits import listed_splits
from ml.serving.preprocess import CROP_VERSION, PREPROCESSING_VERSION, Photo, crop_fundus, decode
from ml.serving.quality.features import QualityFeatures, extract_features
from ml.serving.quality.network import VIEW_SIDE_PX, square_view
from ml.serving.quality.sharpness import MIN_DIAMETER_PX, SharpnessFeatures, extract_sharpness
from ml.training.quality.sources import (
    BLURRED,
    GRADED,
    QUALITY_SOURCES,
    SOFT,
    read_drimdb,
    read_photos,
    subsampled,
    with_splits,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

#: Sources of the released grading networks, whose splits are used.
GRADING_SOURCES = ("aptos2019", "eyepacs", "odir5k", "eyepacs_equalized")
#: Side of the crop that the released student takes; the quality network takes the same crop.
SERVING_SIDE_PX = 288
#: Sample weight of a photograph without a quality label, in training and in the fits.
GRADED_WEIGHT = 0.5
#: Standard deviation of a blur as a fraction of the field of view, of the copies of good photographs: small lesions are
#: gone from 0.3 %, only the great vessels remain from 1.2 %.
BLUR_SIGMAS = (0.003, 0.006, 0.012, 0.025)
MIN_BLURRED_SIGMA = 0.01
DEFOCUS_SIGMAS = (0.012, 0.04)
#: Every so many photographs of a large source without quality labels have blurred copies.
COPIES_EVERY = 8
JPEG_QUALITY = 92
FEATURES = tuple(field.name for field in fields(QualityFeatures))
SHARPNESS = tuple(field.name for field in fields(SharpnessFeatures))


@dataclass(frozen=True, slots=True, kw_only=True)
class QualitySet:
    """Views and features of photographs with quality labels.

    ``pixels`` (n, 192, 192, 3) uint8 as photographed; ``features`` (n, m) are FEATURES; ``sharpness`` (n, k) are
    SHARPNESS, not a number if it cannot be told; ``sigmas`` (n,) of the blur, 0 for the photograph itself;
    ``diameters_px`` (n,) of the field of view as decoded. ``labels``: good, usable, reject, graded, soft, blurred or
    negative. ``splits`` holds 0 training, 1 validation, 2 test.
    """

    pixels: "NDArray[np.uint8]"
    features: "Floats"
    sharpness: "Floats"
    sigmas: "Floats"
    diameters_px: "Floats"
    sources: "NDArray[np.str_]"
    labels: "NDArray[np.str_]"
    patients: "NDArray[np.str_]"
    splits: "NDArray[np.int8]"

    def where(self, split: int) -> "NDArray[np.int64]":
        """Indices of the photographs in one split."""
        return np.flatnonzero(self.splits == split)

    def originals(self) -> Self:
        """The photographs that the network is trained on: no copies, no other images."""
        return self.subset(np.flatnonzero((self.sigmas == 0) & np.isin(self.sources, QUALITY_SOURCES)))

    def arrays(self) -> "dict[str, NDArray[Any]]":
        """All arrays by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def subset(self, rows: "NDArray[np.int64]") -> Self:
        return type(self)(**{name: array[rows] for name, array in self.arrays().items()})

    def joined(self, other: Self) -> Self:
        return type(self)(**{name: np.concatenate([a, getattr(other, name)]) for name, a in self.arrays().items()})


Labelled = tuple[LabelledPhoto, Photo, int, float]
"""Labels, photograph, split and sigma of the blur."""


def by_name(features: "Floats", names: tuple[str, ...] = FEATURES) -> "dict[str, Floats]":
    """(n, m) -> (n,) values of each name."""
    return dict(zip(names, features.T, strict=True))


def load_quality_set(data: Path, cache: Path) -> QualitySet:
    """All photographs with labels, split like those of the grading networks, with blurred copies, cached."""
    known = listed_splits([photo for source in GRADING_SOURCES for photo in read_labels(data / source)])
    photos = subsampled(with_splits(read_photos(data), known)) + read_drimdb(data)
    names = [(p.source, p.path.name, p.quality, split) for p, split in photos]
    versions = [PREPROCESSING_VERSION, CROP_VERSION, SERVING_SIDE_PX, VIEW_SIDE_PX]
    recipe = [*versions, BLUR_SIGMAS, FEATURES, SHARPNESS, names]
    file = cache / f"quality-{recipe_hash(recipe)}.npz"
    if not file.exists():
        measured = measure(with_copies(tqdm(photos, desc="crop", mininterval=5)))
        with atomic_write(file) as partial:
            np.savez(partial, **measured.arrays())  # type: ignore[arg-type]  # numpy's stub: allow_pickle
    with np.load(file) as arrays:
        return QualitySet(**arrays)


def with_copies(photos: Iterable[tuple[LabelledPhoto, int]]) -> Iterator[Labelled]:
    """Photographs, and copies of those that can be graded: by 0.3 % of the field, and by one of the other blurs."""
    number = 0
    for photo, split in photos:
        yield photo, photo.path, split, 0.0
        if photo.quality not in {"good", GRADED}:
            continue
        number += 1
        is_large_source = photo.quality == GRADED and photo.source in QUALITY_SOURCES
        if is_large_source and number % COPIES_EVERY:
            continue
        sigma = BLUR_SIGMAS[1 + number % (len(BLUR_SIGMAS) - 1)]
        yield from blurred_copies(photo, split, (BLUR_SIGMAS[0], sigma))


def blurred_copies(photo: LabelledPhoto, split: int, sigmas: Iterable[float]) -> Iterator[Labelled]:
    """Copies of a photograph blurred at its own size; none if it is too small to tell how sharp it is."""
    crop = crop_fundus(photo.path, side_px=SERVING_SIDE_PX)
    if crop is None or crop.fov.diameter_px < MIN_DIAMETER_PX:
        return
    with Image.open(photo.path) as opened:
        image = opened.convert("RGB")
    scale = image.width / decode(photo.path, min_side_px=SERVING_SIDE_PX).width
    for sigma in sigmas:
        written = io.BytesIO()
        radius_px = sigma * crop.fov.diameter_px * scale
        image.filter(ImageFilter.GaussianBlur(radius_px)).save(written, "JPEG", quality=JPEG_QUALITY)
        label = BLURRED if sigma >= MIN_BLURRED_SIGMA else SOFT
        yield replace(photo, quality=label), written.getvalue(), split, sigma


def measure(photos: Iterable[Labelled]) -> QualitySet:
    """Crop photographs and extract their features.

    Those without a field of view or with too little light are left out: serving refuses them before the network.
    """
    rows = []
    for labels, photo, split, sigma in photos:
        crop = crop_fundus(photo, side_px=SERVING_SIDE_PX)
        features = extract_features(crop) if crop else None
        if crop is None or features is None:
            continue
        found = extract_sharpness(crop)
        sharpness = [np.nan] * len(SHARPNESS) if found is None else list(asdict(found).values())
        values = (list(asdict(features).values()), sharpness, sigma, crop.fov.diameter_px)
        rows.append((square_view(crop), *values, labels.source, labels.quality, labels.group, split))
    names = [field.name for field in fields(QualitySet)]
    return QualitySet(**{name: np.array(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)})
