"""Operating points: what a threshold of P(referable) finds, on signed exams and in validation."""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass

from ml.bundle import RocTable
from screening.policy.proportions import Proportion

MIN_CASES = 20
"""Signed exams with, and without, a referable grade below which no figures of the site are shown. Default of this
project without a source: with 20, an interval is at most 42 percentage points wide. No site can change it."""


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """A threshold: the fraction of referable cases from it on, and the fraction of the others below it."""

    threshold: float
    sensitivity: Proportion
    specificity: Proportion


@dataclass(frozen=True, slots=True)
class ScoredCase:
    """A case (a person at a visit, or an eye) whose truth is signed, with P(referable) of the model."""

    is_referable: bool
    p_referable: float


def points_at(cases: Iterable[ScoredCase], thresholds: Iterable[float]) -> list[OperatingPoint]:
    """Sensitivity and specificity of the cases at each of the thresholds."""
    cases = list(cases)
    referable = [case.p_referable for case in cases if case.is_referable]
    others = [case.p_referable for case in cases if not case.is_referable]
    return [
        OperatingPoint(
            threshold,
            Proportion(sum(p >= threshold for p in referable), len(referable)),
            Proportion(sum(p < threshold for p in others), len(others)),
        )
        for threshold in thresholds
    ]


def has_enough(cases: Iterable[ScoredCase]) -> bool:
    """Whether figures of these cases can be shown."""
    cases = list(cases)
    n_referable = sum(case.is_referable for case in cases)
    return min(n_referable, len(cases) - n_referable) >= MIN_CASES


def roc_curve(cases: Iterable[ScoredCase]) -> list[tuple[float, float]]:
    """Corners of the ROC curve, (1 - specificity, sensitivity), from (0, 0) to (1, 1); none if one class is absent.

    One corner for each probability that occurs: a case counts as referable from its own probability on.
    """
    ordered = sorted(cases, key=lambda case: -case.p_referable)
    n_referable = sum(case.is_referable for case in ordered)
    n_others = len(ordered) - n_referable
    if not n_referable or not n_others:
        return []
    corners, n_found, n_wrong = [(0.0, 0.0)], 0, 0
    for position, case in enumerate(ordered, 1):
        n_found += case.is_referable
        n_wrong += not case.is_referable
        if position == len(ordered) or ordered[position].p_referable != case.p_referable:
            corners.append((n_wrong / n_others, n_found / n_referable))
    return corners


def area_under_curve(corners: list[tuple[float, float]]) -> float | None:
    """Area under the corners of ``roc_curve`` by the trapezoidal rule; None without a curve."""
    if not corners:
        return None
    pairs = itertools.pairwise(corners)
    return sum((right - left) * (low + high) / 2 for (left, low), (right, high) in pairs)


def validation_points(roc: RocTable) -> list[OperatingPoint]:
    """The thresholds of the model's table, over all sources of validation photographs."""
    return [_pooled(roc, i) for i in range(len(roc.thresholds))]


def _pooled(roc: RocTable, i: int) -> OperatingPoint:
    sources = roc.sources.values()
    n_found = sum(round((source.sensitivity[i][0] or 0.0) * source.n_referable) for source in sources)
    n_spared = sum(round((source.specificity[i][0] or 0.0) * source.n_not_referable) for source in sources)
    return OperatingPoint(
        roc.thresholds[i],
        Proportion(n_found, sum(source.n_referable for source in sources)),
        Proportion(n_spared, sum(source.n_not_referable for source in sources)),
    )
