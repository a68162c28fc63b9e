"""Evaluate the quality gate on the test split: levels and reasons by source and label."""

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from ml.data.splits import TEST, TRAIN, VALIDATION
from ml.metrics.bootstrap import with_confidence_intervals
from ml.serving.quality.coefficients import Coefficients, Scores
from ml.serving.quality.gate import Quality, decide
from ml.serving.quality.highlights import highlight_fraction
from ml.training.quality.dataset import FEATURES, SHARPNESS, QualitySet, by_name
from ml.training.quality.fit import values_of
from ml.vocabulary import QualityLevel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

Groups = dict[tuple[str, str], "NDArray[np.bool_]"]
#: Readers' labels by EyePACS photographs of both sizes: the targets are for these together.
EYEPACS_SOURCES = ("eyeq", "eyepacs")


def assess_set(photos: QualitySet, outputs: "Floats", coefficients: Coefficients) -> list[Quality]:
    """Quality of each photograph of the set; ``outputs`` (n, k) are the network's."""
    values = values_of(photos, outputs)
    p_sharp = coefficients.sharp.probability(by_name(photos.sharpness, SHARPNESS))
    scores = zip(
        coefficients.fundus.probability(values).tolist(),
        coefficients.gradable.probability(values).tolist(),
        np.where(np.isnan(p_sharp), 1.0, p_sharp).tolist(),
        map(highlight_fraction, photos.pixels),
        strict=True,
    )
    return [
        decide(
            dict(zip(FEATURES, features, strict=True)),
            coefficients,
            diameter_px=diameter_px,
            scores=Scores(p_fundus=p_fundus, p_gradable=p_gradable, p_sharp=p_sharp, highlights=highlights),
        )
        for features, diameter_px, (p_fundus, p_gradable, p_sharp, highlights) in zip(
            photos.features.tolist(), photos.diameters_px.tolist(), scores, strict=True
        )
    ]


def by_source_and_label(photos: QualitySet) -> Groups:
    """(n,) mask of the photographs of each source and label; copies have the size of their blur as label."""
    labels = np.where(
        photos.sigmas > 0,
        np.char.add("blurred by ", np.char.add(np.char.mod("%.1f", 100 * photos.sigmas), " %")),
        photos.labels,
    )
    pairs = sorted(set(zip(photos.sources.tolist(), labels.tolist(), strict=True)))
    return {(source, label): (photos.sources == source) & (labels == label) for source, label in pairs}


def counts(photos: QualitySet) -> dict[str, dict[str, list[int]]]:
    """Number of photographs of each source and label in training, validation and test."""
    result: dict[str, dict[str, list[int]]] = {}
    for (source, label), mask in by_source_and_label(photos).items():
        numbers = [int((photos.splits[mask] == split).sum()) for split in (TRAIN, VALIDATION, TEST)]
        result.setdefault(source, {})[label] = numbers
    return result


def evaluate(photos: QualitySet, outputs: "Floats", coefficients: Coefficients) -> dict[str, Any]:
    """Metrics of the test split: fractions good and gradable, and reasons, by source and label."""
    rows = photos.where(TEST)
    photos, outputs = photos.subset(rows), outputs[rows]
    qualities = assess_set(photos, outputs, coefficients)
    is_gradable = np.array([quality.level.is_gradable for quality in qualities])
    is_good = np.array([quality.level is QualityLevel.GOOD for quality in qualities])
    levels: dict[str, dict[str, dict[str, float]]] = {}
    for (source, label), mask in by_source_and_label(photos).items():
        fractions = {
            "gradable": round(float(is_gradable[mask].mean()), 4),
            "good": round(float(is_good[mask].mean()), 4),
        }
        levels.setdefault(source, {})[label] = {"n": int(mask.sum()), **fractions}
    return {
        "levels": levels,
        "eyepacs": eyepacs_intervals(photos, is_gradable, is_good),
        "reasons": reasons_by_label(photos, qualities),
    }


def eyepacs_intervals(photos: QualitySet, is_gradable: "Bools", is_good: "Bools") -> dict[str, Any]:
    """Fractions gradable and good of readers' labels, with 95 % intervals over patients."""
    result: dict[str, Any] = {}
    for label in ("good", "usable", "reject"):
        mask = np.isin(photos.sources, EYEPACS_SOURCES) & (photos.labels == label)
        gradable, good = is_gradable[mask], is_good[mask]

        def statistic(
            rows: "NDArray[np.int64]", gradable: "Bools" = gradable, good: "Bools" = good
        ) -> dict[str, float]:
            return {"gradable": float(gradable[rows].mean()), "good": float(good[rows].mean())}

        result[label] = {"n": int(mask.sum()), **with_confidence_intervals(statistic, photos.patients[mask])}
    return result


def reasons_by_label(photos: QualitySet, qualities: list[Quality]) -> dict[str, dict[str, list[int]]]:
    """How often each first reason was given, [usable, ungradable], by readers' label."""
    result: dict[str, dict[str, list[int]]] = {}
    groups = {"good or graded": ("good", "graded"), "usable": ("usable",), "reject": ("reject",)}
    for title, labels in groups.items():
        rows = np.flatnonzero(np.isin(photos.labels, labels) & (photos.sigmas == 0))
        found = Counter((str(qualities[i].reasons[0]), qualities[i].level) for i in rows if qualities[i].reasons)
        for reason, level in found:
            pair = result.setdefault(reason, {}).setdefault(title, [0, 0])
            pair[int(level is QualityLevel.UNGRADABLE)] = found[reason, level]
    return result
