"""Predictions of a bundle for photographs with a known grade, made through the Grader as in a clinic."""

import hashlib
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from ml.bundle import Bundle
from ml.data.cache import graded, load_dataset
from ml.data.labels import EQUALIZED_SOURCE, SOURCE_GROUP, LabelledPhoto, read_labels
from ml.data.splits import SPLITS, TEST, VALIDATION
from ml.grader import Grader
from ml.metrics.grading import GradedPhotos
from ml.vocabulary import N_GRADES, QualityLevel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.serving.preprocess import Box

CLINICAL_SOURCES = ("aptos2019", "eyepacs", "odir5k", "messidor2", "idrid", "srahim")
"""Sources with the colours of a camera: a bundle is evaluated on those of them that it was not trained on."""
EXTERNAL = "external"
"""The split of photographs from a source that the bundle was not trained on."""
MAX_OVERHANG = 0.03
"""A field of view that reaches beyond the photograph by more than this fraction of its diameter counts as cut."""
MIN_AGE_YEARS = 18
AGE_BANDS = ((50, "under 50"), (65, "50 to 64"), (200, "65 and over"))


@dataclass(frozen=True, slots=True)
class EvaluationPhoto:
    """One photograph with its grade, its split, and attributes that its source states."""

    path: Path
    source: str
    split: str
    group: str
    grade: int
    eye: str = ""
    sex: str = ""
    age: str = ""
    quality: str = ""
    has_oedema: bool | None = None
    is_oedema_uncertain: bool = False


@dataclass(frozen=True, kw_only=True)
class LabelledPredictions:
    """Predictions of a bundle for n photographs, and their labels.

    ``probabilities`` (n, K) and ``grades`` (n,) are NaN and -1 if no retina was found. ``p_oedema`` (n,) is NaN if the
    model gives none.
    """

    bundle: Bundle
    photos: list[EvaluationPhoto]
    fields_of_view: list[str]
    probabilities: "NDArray[np.float64]"
    grades: "NDArray[np.int64]"
    quality_levels: "NDArray[np.str_]"
    p_oedema: "NDArray[np.float64]"

    @cached_property
    def is_gradable(self) -> "NDArray[np.bool_]":
        """(n,) whether the quality gate accepts the photograph."""
        is_gradable: NDArray[np.bool_] = self.quality_levels != QualityLevel.UNGRADABLE
        return is_gradable

    @cached_property
    def truth(self) -> "NDArray[np.int64]":
        return np.array([p.grade for p in self.photos], np.int64)

    @cached_property
    def oedema(self) -> "NDArray[np.int64]":
        """(n,) 1 for referable macular oedema, 0 for none, -1 without that label."""
        return np.array([-1 if p.has_oedema is None else p.has_oedema for p in self.photos], np.int64)

    @cached_property
    def sources(self) -> "NDArray[np.str_]":
        return np.array([p.source for p in self.photos])

    @cached_property
    def splits(self) -> "NDArray[np.str_]":
        return np.array([p.split for p in self.photos])

    @cached_property
    def groups(self) -> "NDArray[np.str_]":
        return np.array([p.group for p in self.photos])

    @cached_property
    def attributes(self) -> "dict[str, NDArray[np.str_]]":
        """(n,) attributes by name, empty if unknown."""
        stated = {name: np.array([getattr(p, name) for p in self.photos]) for name in ("eye", "sex", "age")}
        return {
            "field_of_view": np.array(self.fields_of_view),
            "quality gate": self.quality_levels,
            "quality label": np.array([p.quality for p in self.photos]),
        } | stated

    def where(self, split: str, source: str | None = None) -> "NDArray[np.int64]":
        """Indices of the photographs of a split, of one source or of all, that have a predicted grade."""
        chosen = (self.splits == split) & (self.grades >= 0)
        return np.flatnonzero(chosen if source is None else chosen & (self.sources == source))

    def graded(self, indices: "NDArray[np.int64]") -> GradedPhotos:
        """The chosen photographs, which all have a predicted grade, as metrics take them."""
        return GradedPhotos(
            truth=self.truth[indices],
            probabilities=self.probabilities[indices],
            grades=self.grades[indices],
            operating_point=self.bundle.operating_point,
        )

    def sources_in(self, split: str) -> list[str]:
        """Names of the sources with photographs in a split."""
        return sorted(set(self.sources[self.splits == split].tolist()))


def evaluation_photos(bundle: Bundle, *, data: Path, cache: Path) -> list[EvaluationPhoto]:
    """Validation and test split of the bundle's training data, and all of the sources it was not trained on.

    Copies with equalised colours are left out.
    """
    stages = bundle.training["stages"]
    folders = [data / source for source in stages[-1]["sources"]]
    dataset = load_dataset(folders, side_px=stages[-1]["cache_size"], cache=cache)
    held_out = [
        _evaluation_photo(photo, SPLITS[split], group)
        for photo, split, group in zip(dataset.photos, dataset.splits.tolist(), dataset.groups.tolist(), strict=True)
        if split in {VALIDATION, TEST} and photo.source != EQUALIZED_SOURCE
    ]
    trained_on = {SOURCE_GROUP.get(source, source) for stage in stages for source in stage["sources"]}
    external = [
        _evaluation_photo(photo, EXTERNAL, photo.group)
        for source in CLINICAL_SOURCES
        if source not in trained_on and (data / source / "labels.csv").is_file()
        for photo in graded(read_labels(data / source))
    ]
    return held_out + external


def _evaluation_photo(photo: LabelledPhoto, split: str, group: str) -> EvaluationPhoto:
    if photo.grade is None:
        raise ValueError(f"A photograph of {photo.source} in the {split} split has no grade.")
    return EvaluationPhoto(
        photo.path,
        photo.source,
        split,
        group,
        photo.grade,
        eye=photo.eye,
        sex=photo.sex,
        age=_age_band(photo.age_years),
        quality=photo.quality,
        has_oedema=photo.has_oedema,
        is_oedema_uncertain=photo.is_oedema_uncertain,
    )


def _age_band(age_years: int | None) -> str:
    if age_years is None or age_years < MIN_AGE_YEARS:
        return ""
    return next(name for limit, name in AGE_BANDS if age_years < limit)


def fingerprint(photos: list[EvaluationPhoto], split: str) -> str:
    """Hash of the photographs and grades of a split: evaluations are comparable only if it is the same."""
    lines = sorted(f"{p.source}/{p.path.name}/{p.grade}" for p in photos if p.split == split)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def predict(bundle: Bundle, photos: list[EvaluationPhoto]) -> LabelledPredictions:
    """Grade every photograph, ungradable ones too. Raises GradingError for a file that is no photograph."""
    paths = tqdm([p.path for p in photos], desc="grade", unit="photo", disable=not sys.stderr.isatty())
    predictions = list(Grader.load(bundle.folder).grade_many(paths, include_ungradable=True))
    undefined = (np.nan,) * N_GRADES
    return LabelledPredictions(
        bundle=bundle,
        photos=photos,
        fields_of_view=[_field_of_view(p.heatmap_box) for p in predictions],
        probabilities=np.array([p.probabilities or undefined for p in predictions], np.float64).reshape(-1, N_GRADES),
        grades=np.array([-1 if p.grade is None else int(p.grade) for p in predictions], np.int64),
        quality_levels=np.array([str(p.quality_level) for p in predictions]),
        p_oedema=np.array([p.p_macular_oedema for p in predictions], np.float64),
    )


def predict_held_out(bundle: Bundle, *, data: Path, cache: Path) -> LabelledPredictions:
    """Predictions for the photographs that the bundle was not trained on."""
    return predict(bundle, evaluation_photos(bundle, data=data, cache=cache))


def _field_of_view(box: "Box | None") -> str:
    """Whether the frame cuts the camera's round field of view; empty if no retina was found."""
    if box is None:
        return ""
    left, top, right, bottom = box
    dx, dy = MAX_OVERHANG * (right - left), MAX_OVERHANG * (bottom - top)
    is_cut = left < -dx or top < -dy or right > 1 + dx or bottom > 1 + dy
    return "cut" if is_cut else "whole"
