"""What a bundle says of photographs whose grade is known: read through the Grader, as a clinic's would be."""

import hashlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from ml.data.labels import EQUALIZED_SOURCE, SOURCE_GROUP, LabelledPhoto, read_labels
from ml.vocabulary import N_GRADES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.data.cache import FundusDataset
    from ml.grader import Grader
    from ml.prediction import Prediction
    from ml.serving.preprocess import Box

NATURAL = ("aptos2019", "eyepacs", "odir5k")
"""The usual sources with colours a camera makes: those a network may not have seen are looked for among them."""
PARTS = {1: "validation", 2: "test"}
EXTERNAL = "unseen"
"""The part of photographs whose whole source the network was not trained on."""
CUT_SHARE = 0.03
"""A disc that reaches beyond the picture by more than this share of its diameter counts as cut by the frame."""
AGE_BANDS = ((50, "under 50"), (65, "50 to 64"), (200, "65 and over"))
ATTRIBUTES = ("geometry", "eye", "sex", "age")


@dataclass(frozen=True, slots=True)
class EvaluationPhoto:
    """One photograph with its grade, the part of the split it is in, and what else its source tells."""

    path: Path
    source: str
    part: str
    group: str
    grade: int
    eye: str = ""
    sex: str = ""
    age: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledPredictions:
    """n photographs, read. ``probabilities`` (n, K) and ``grades`` (n,) are NaN and -1 where no retina was found."""

    photos: list[EvaluationPhoto]
    truth: "NDArray[np.int64]"
    sources: "NDArray[np.str_]"
    parts: "NDArray[np.str_]"
    groups: "NDArray[np.str_]"
    attributes: "dict[str, NDArray[np.str_]]"
    probabilities: "NDArray[np.float64]"
    grades: "NDArray[np.int64]"
    is_gradable: "NDArray[np.bool_]"
    p_gradable: "NDArray[np.float64]"

    def where(self, part: str, source: str | None = None) -> "NDArray[np.int64]":
        """Rows of a part, of one source or of all, that have a grade."""
        chosen = (self.parts == part) & (self.grades >= 0)
        return np.flatnonzero(chosen if source is None else chosen & (self.sources == source))

    def sources_in(self, part: str) -> list[str]:
        return sorted(set(self.sources[self.parts == part].tolist()))


def held_out_photos(data: Path, retinas: "FundusDataset") -> list[EvaluationPhoto]:
    """The natural-colour photographs of the validation and test parts of a run's split."""
    rows = zip(retinas.photos, retinas.splits.tolist(), retinas.groups.tolist(), strict=True)
    return [
        _known(photo, PARTS[part], group)
        for photo, part, group in rows
        if part in PARTS and photo.source != EQUALIZED_SOURCE
    ]


def external_photos(data: Path, trained_on: tuple[str, ...]) -> list[EvaluationPhoto]:
    """All photographs of the natural-colour sources whose people were not trained on: what a new clinic would see."""
    families = {SOURCE_GROUP.get(source, source) for source in trained_on}
    return [
        _known(photo, EXTERNAL, photo.group)
        for source in NATURAL
        if SOURCE_GROUP.get(source, source) not in families and (data / source / "labels.csv").is_file()
        for photo in read_labels(data / source)
        if photo.grade is not None
    ]


def _known(photo: LabelledPhoto, part: str, group: str) -> EvaluationPhoto:
    if photo.grade is None:
        raise ValueError(f"A photograph of {photo.source} in the {part} part has no grade.")
    return EvaluationPhoto(
        photo.path, photo.source, part, group, photo.grade, photo.eye, photo.sex, _band(photo.age_years)
    )


def _band(age_years: int | None) -> str:
    """The age band; nothing where the age is unknown or not one of a grown person."""
    if age_years is None or age_years < 18:
        return ""
    return next(name for limit, name in AGE_BANDS if age_years < limit)


def fingerprint(photos: list[EvaluationPhoto], part: str) -> str:
    """A hash of the photographs and grades of a part: two evaluations compare only where it is the same."""
    lines = sorted(f"{p.source}/{p.path.name}/{p.grade}" for p in photos if p.part == part)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def read(grader: "Grader", photos: list[EvaluationPhoto]) -> LabelledPredictions:
    """Grade every photograph, poor ones too. Raises GradingError where a file is no photograph."""
    said = _graded(grader, photos)
    geometry = [_geometry(p.heatmap_box) for p in said]
    return LabelledPredictions(
        photos=photos,
        truth=np.array([p.grade for p in photos], np.int64),
        sources=np.array([p.source for p in photos]),
        parts=np.array([p.part for p in photos]),
        groups=np.array([p.group for p in photos]),
        attributes={"geometry": np.array(geometry)}
        | {name: np.array([getattr(p, name) for p in photos]) for name in ATTRIBUTES[1:]},
        probabilities=_shares(said),
        grades=np.array([-1 if p.grade is None else int(p.grade) for p in said], np.int64),
        is_gradable=np.array([p.is_gradable for p in said]),
        p_gradable=np.array([p.p_gradable for p in said]),
    )


def _graded(grader: "Grader", photos: list[EvaluationPhoto]) -> "list[Prediction]":
    paths = tqdm([p.path for p in photos], desc="read", unit="photo", disable=not sys.stderr.isatty())
    return list(grader.grade_many(paths, even_if_ungradable=True))


def _shares(said: "list[Prediction]") -> "NDArray[np.float64]":
    nothing = (np.nan,) * N_GRADES
    return np.array([p.probabilities or nothing for p in said], np.float64).reshape(-1, N_GRADES)


def _geometry(box: "Box | None") -> str:
    """Whether the frame cuts the disc; nothing where there is none."""
    if box is None:
        return ""
    left, top, right, bottom = box
    across, down = CUT_SHARE * (right - left), CUT_SHARE * (bottom - top)
    is_cut = left < -across or top < -down or right > 1 + across or bottom > 1 + down
    return "disc cut" if is_cut else "whole disc"
