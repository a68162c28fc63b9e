"""Evaluate the laterality network: answers and right answers by source, and photographs that must have no answer."""

from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from ml.data.splits import TEST, TRAIN, VALIDATION
from ml.metrics.bootstrap import with_confidence_intervals
from ml.serving.laterality.network import LEFT, RIGHT, Calibration
from ml.training.laterality.augment import DISC_X, DISC_Y
from ml.training.laterality.dataset import LateralitySet

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Bytes = NDArray[np.uint8]
    Logits = Callable[[Bytes], Floats]

#: Sources with upright photographs, of which others are made that must have no answer.
UPRIGHT_TEST_SOURCES = ("odir5k", "srahim")
CONFIDENCES = (0.8, 0.9, 0.97, 0.99, 1.0)


def counts(photos: LateralitySet) -> dict[str, list[int]]:
    """Number of photographs of each source in training, validation and test."""
    sources = sorted(set(photos.sources.tolist()))
    return {
        s: [int((photos.splits[photos.sources == s] == i).sum()) for i in (TRAIN, VALIDATION, TEST)] for s in sources
    }


def evaluate(photos: LateralitySet, logits_of: "Logits", calibration: Calibration) -> dict[str, Any]:
    """Metrics of the test split; ``logits_of`` maps (n, 96, 96, 3) uint8 to (n, 5)."""
    photos = photos.subset(np.flatnonzero((photos.splits == TEST) & (photos.eyes != "")))
    probabilities = calibration.probabilities(logits_of(photos.pixels))
    sources = sorted(set(photos.sources.tolist()))
    by_source = {s: _source_metrics(photos, probabilities, photos.sources == s, calibration) for s in sources}
    upright = np.isin(photos.sources, UPRIGHT_TEST_SOURCES)
    return {
        "by_source": by_source,
        "by_confidence": _reliability(photos, probabilities, upright),
        "answered_if_changed": _changed(photos.subset(np.flatnonzero(upright)), logits_of, calibration),
    }


def _source_metrics(
    photos: LateralitySet, probabilities: "Floats", rows: "NDArray[np.bool_]", calibration: Calibration
) -> dict[str, Any]:
    """Fraction with an answer and fraction of right answers, each with its interval over patients."""
    answers, confidence = likelier_eyes(probabilities[rows])
    is_answered = confidence >= calibration.min_confidence
    is_right = answers == np.where(photos.eyes[rows] == "right", RIGHT, LEFT)

    def statistic(sample: "NDArray[np.int64]") -> dict[str, float]:
        answered = is_answered[sample]
        right = is_right[sample][answered].mean() if answered.any() else np.nan
        return {"answered": float(answered.mean()), "right": float(right)}

    patients = photos.patients[rows]
    return {
        "n": int(rows.sum()),
        "n_patients": len(set(patients.tolist())),
        "n_wrong": int((is_answered & ~is_right).sum()),
        **with_confidence_intervals(statistic, patients),
    }


def likelier_eyes(probabilities: "Floats") -> "tuple[NDArray[np.int64], Floats]":
    """The likelier upright eye of each photograph, RIGHT or LEFT, and its probability."""
    upright = probabilities[:, [RIGHT, LEFT]]
    return np.array([RIGHT, LEFT])[upright.argmax(axis=1)], upright.max(axis=1)


def _reliability(photos: LateralitySet, probabilities: "Floats", rows: "NDArray[np.bool_]") -> list[dict[str, float]]:
    """Mean confidence and fraction of right answers between the limits of CONFIDENCES."""
    answers, confidence = likelier_eyes(probabilities[rows])
    is_right = answers == np.where(photos.eyes[rows] == "right", RIGHT, LEFT)
    table = []
    for low, high in pairwise(CONFIDENCES):
        inside = (confidence >= low) & (confidence < high if high < 1 else confidence <= high)
        if inside.any():
            values = {"confidence": float(confidence[inside].mean()), "right": float(is_right[inside].mean())}
            table.append({"from": low, "n": int(inside.sum()), **{k: round(v, 4) for k, v in values.items()}})
    return table


def _changed(photos: LateralitySet, logits_of: "Logits", calibration: Calibration) -> dict[str, float]:
    """Fraction with an answer after a change that should prevent one."""
    changes: dict[str, Callable[[Bytes, bool], Bytes]] = {
        "turned by 180 degrees": lambda view, _: view[::-1, ::-1],
        "reflected top to bottom": lambda view, _: view[::-1],
        "turned by 90 degrees": lambda view, _: view.transpose(1, 0, 2)[::-1],
        "shifted, disc at the centre": optic_disc_at_centre,
    }
    fractions = {}
    for name, change in changes.items():
        views = np.stack([change(view, eye == "right") for view, eye in zip(photos.pixels, photos.eyes, strict=True)])
        _, confidence = likelier_eyes(calibration.probabilities(logits_of(views)))
        fractions[name] = round(float((confidence >= calibration.min_confidence).mean()), 4)
    return fractions


def optic_disc_at_centre(view: "Bytes", is_right: bool) -> "Bytes":
    """The (S, S, 3) view shifted so that the usual position of the disc is its centre; black beyond the field."""
    side = len(view)
    dx, dy = (DISC_X if is_right else -DISC_X) * side / 2, DISC_Y * side / 2
    image = Image.fromarray(view)
    moved = image.transform(image.size, Image.Transform.AFFINE, (1, 0, dx, 0, 1, dy), Image.Resampling.BILINEAR)
    return np.asarray(moved)
