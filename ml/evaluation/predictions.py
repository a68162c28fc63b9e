"""Predictions of a bundle for photographs with a known grade, made through the Grader as in a clinic."""

import hashlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
from tqdm import tqdm

from ml.data.labels import EQUALIZED_SOURCE, SOURCE_GROUP, LabelledPhoto, read_labels
from ml.data.splits import SPLITS, TEST, VALIDATION
from ml.metrics.grading import GradedPhotos
from ml.vocabulary import N_GRADES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.data.cache import FundusDataset
    from ml.grader import Grader
    from ml.prediction import Prediction
    from ml.serving.preprocess import Box

CLINICAL_SOURCES = ("aptos2019", "eyepacs", "odir5k")
"""Sources with the colours of a camera: a bundle is evaluated on those of them that it was not trained on."""
EXTERNAL = "external"
"""The split of photographs from a source that the bundle was not trained on."""
MAX_OVERHANG = 0.03
"""A field of view that reaches beyond the photograph by more than this fraction of its diameter counts as cut."""
MIN_AGE_YEARS = 18
AGE_BANDS = ((50, "under 50"), (65, "50 to 64"), (200, "65 and over"))
ATTRIBUTES = ("field_of_view", "eye", "sex", "age")


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


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledPredictions:
    """Predictions and labels of n photographs.

    ``probabilities`` (n, K) and ``grades`` (n,) are NaN and -1 if no retina was found.
    """

    photos: list[EvaluationPhoto]
    truth: "NDArray[np.int64]"
    sources: "NDArray[np.str_]"
    splits: "NDArray[np.str_]"
    groups: "NDArray[np.str_]"
    attributes: "dict[str, NDArray[np.str_]]"
    probabilities: "NDArray[np.float64]"
    grades: "NDArray[np.int64]"
    is_gradable: "NDArray[np.bool_]"
    p_gradable: "NDArray[np.float64]"

    @classmethod
    def of(
        cls,
        photos: list[EvaluationPhoto],
        *,
        fields_of_view: list[str],
        probabilities: "NDArray[np.float64]",
        grades: "NDArray[np.int64]",
        is_gradable: "NDArray[np.bool_]",
        p_gradable: "NDArray[np.float64]",
    ) -> Self:
        """With the labels of the photographs as arrays."""
        return cls(
            photos=photos,
            truth=np.array([p.grade for p in photos], np.int64),
            sources=np.array([p.source for p in photos]),
            splits=np.array([p.split for p in photos]),
            groups=np.array([p.group for p in photos]),
            attributes={"field_of_view": np.array(fields_of_view)}
            | {name: np.array([getattr(p, name) for p in photos]) for name in ("eye", "sex", "age")},
            probabilities=probabilities,
            grades=grades,
            is_gradable=is_gradable,
            p_gradable=p_gradable,
        )

    def where(self, split: str, source: str | None = None) -> "NDArray[np.int64]":
        """Indices of the photographs of a split, of one source or of all, that have a predicted grade."""
        chosen = (self.splits == split) & (self.grades >= 0)
        return np.flatnonzero(chosen if source is None else chosen & (self.sources == source))

    def graded(self, indices: "NDArray[np.int64]", operating_point: float) -> GradedPhotos:
        """The chosen photographs, which all have a predicted grade, as metrics take them."""
        return GradedPhotos(
            truth=self.truth[indices],
            probabilities=self.probabilities[indices],
            grades=self.grades[indices],
            operating_point=operating_point,
        )

    def sources_in(self, split: str) -> list[str]:
        """Names of the sources with photographs in a split."""
        return sorted(set(self.sources[self.splits == split].tolist()))


def held_out_photos(dataset: "FundusDataset") -> list[EvaluationPhoto]:
    """Validation and test photographs of a data set, without the copies with equalised colours."""
    return [
        _evaluation_photo(photo, SPLITS[split], group)
        for photo, split, group in zip(dataset.photos, dataset.splits.tolist(), dataset.groups.tolist(), strict=True)
        if split in {VALIDATION, TEST} and photo.source != EQUALIZED_SOURCE
    ]


def external_photos(data: Path, trained_on: tuple[str, ...]) -> list[EvaluationPhoto]:
    """All graded photographs of the clinical sources whose patients were not trained on."""
    groups = {SOURCE_GROUP.get(source, source) for source in trained_on}
    return [
        _evaluation_photo(photo, EXTERNAL, photo.group)
        for source in CLINICAL_SOURCES
        if SOURCE_GROUP.get(source, source) not in groups and (data / source / "labels.csv").is_file()
        for photo in read_labels(data / source)
        if photo.grade is not None
    ]


def _evaluation_photo(photo: LabelledPhoto, split: str, group: str) -> EvaluationPhoto:
    if photo.grade is None:
        raise ValueError(f"A photograph of {photo.source} in the {split} split has no grade.")
    age = _age_band(photo.age_years)
    return EvaluationPhoto(photo.path, photo.source, split, group, photo.grade, photo.eye, photo.sex, age)


def _age_band(age_years: int | None) -> str:
    if age_years is None or age_years < MIN_AGE_YEARS:
        return ""
    return next(name for limit, name in AGE_BANDS if age_years < limit)


def fingerprint(photos: list[EvaluationPhoto], split: str) -> str:
    """Hash of the photographs and grades of a split: evaluations are comparable only if it is the same."""
    lines = sorted(f"{p.source}/{p.path.name}/{p.grade}" for p in photos if p.split == split)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def predict(grader: "Grader", photos: list[EvaluationPhoto]) -> LabelledPredictions:
    """Grade every photograph, ungradable ones too. Raises GradingError for a file that is no photograph."""
    paths = tqdm([p.path for p in photos], desc="grade", unit="photo", disable=not sys.stderr.isatty())
    predictions = list(grader.grade_many(paths, include_ungradable=True))
    return LabelledPredictions.of(
        photos,
        fields_of_view=[_field_of_view(p.heatmap_box) for p in predictions],
        probabilities=_probabilities(predictions),
        grades=np.array([-1 if p.grade is None else int(p.grade) for p in predictions], np.int64),
        is_gradable=np.array([p.is_gradable for p in predictions]),
        p_gradable=np.array([p.p_gradable for p in predictions]),
    )


def _probabilities(predictions: "list[Prediction]") -> "NDArray[np.float64]":
    undefined = (np.nan,) * N_GRADES
    return np.array([p.probabilities or undefined for p in predictions], np.float64).reshape(-1, N_GRADES)


def _field_of_view(box: "Box | None") -> str:
    """Whether the frame cuts the camera's round field of view; empty if no retina was found."""
    if box is None:
        return ""
    left, top, right, bottom = box
    dx, dy = MAX_OVERHANG * (right - left), MAX_OVERHANG * (bottom - top)
    is_cut = left < -dx or top < -dy or right > 1 + dx or bottom > 1 + dy
    return "cut" if is_cut else "whole"
