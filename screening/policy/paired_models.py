"""Paired comparison of a candidate with the model in use on the same signed eyes, and the gate of a promotion."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from ml.vocabulary import N_GRADES
from screening.policy.agreement import MIN_DEFINED_FRACTION, MIN_GROUPS, N_RESAMPLES
from screening.policy.proportions import Proportion

if TYPE_CHECKING:
    from numpy.typing import NDArray

MIN_REFERABLE = 100
"""Signed referable eyes below which no candidate passes the gate. Default of this project without a source: with 100
and a sensitivity of 95 %, the Wilson interval is 9 percentage points wide. No site can change it."""
MARGIN = 0.05
"""By how much sensitivity and specificity of a candidate may be lower, at the lower limit of the 95 % interval of the
difference. Default of this project without a source for the number; that the interval has to lie above the margin: ICH
E9. No site can change it."""
KAPPA_MARGIN = 0.06
"""The same for kappa. Default of this project without a source: as on the mean of the sources in
``ml.release.promote``. No site can change it."""
_WEIGHTS = np.subtract.outer(np.arange(N_GRADES), np.arange(N_GRADES)) ** 2.0


class GateFailure(StrEnum):
    """Why a candidate does not pass the gate."""

    TOO_FEW = "too_few"
    SENSITIVITY = "sensitivity"
    SPECIFICITY = "specificity"
    KAPPA = "kappa"


@dataclass(frozen=True, slots=True)
class ModelEye:
    """What a model found in an eye: the highest grade of its photographs, None if it could grade none.

    ``is_flagged``: a photograph is referable or suspected of macular oedema, or none is gradable.
    """

    grade: int | None
    is_flagged: bool


@dataclass(frozen=True, slots=True)
class PairedEye:
    """A signed, gradable eye that both models saw. ``group`` names the exam: its eyes are of one person."""

    group: str
    is_referable: bool
    grade: int | None
    served: ModelEye
    candidate: ModelEye


@dataclass(frozen=True, slots=True)
class Difference:
    """Candidate minus model in use, with the 95 % interval of a bootstrap over exams; None if it is undefined."""

    value: float | None
    interval: tuple[float, float] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedComparison:
    """``p_sensitivity``, ``p_specificity``: exact McNemar test of the eyes in which only one model is right."""

    n_eyes: int
    n_graded: int
    served_sensitivity: Proportion
    candidate_sensitivity: Proportion
    sensitivity: Difference
    p_sensitivity: float
    served_specificity: Proportion
    candidate_specificity: Proportion
    specificity: Difference
    p_specificity: float
    served_kappa: float | None
    candidate_kappa: float | None
    kappa: Difference

    @property
    def failures(self) -> tuple[GateFailure, ...]:
        """Why the candidate does not pass the gate; nothing if it does."""
        checks = (
            (GateFailure.TOO_FEW, self.served_sensitivity.n >= MIN_REFERABLE),
            (GateFailure.SENSITIVITY, _is_not_worse(self.sensitivity, MARGIN)),
            (GateFailure.SPECIFICITY, _is_not_worse(self.specificity, MARGIN)),
            (GateFailure.KAPPA, _is_not_worse(self.kappa, KAPPA_MARGIN)),
        )
        return tuple(failure for failure, is_passed in checks if not is_passed)


def compare_models(eyes: Iterable[PairedEye]) -> PairedComparison:
    """The comparison; below a second for ten thousand eyes, and the same for the same eyes."""
    eyes = list(eyes)
    referable = [eye for eye in eyes if eye.is_referable]
    others = [eye for eye in eyes if not eye.is_referable]
    graded = [eye for eye in eyes if None not in {eye.grade, eye.served.grade, eye.candidate.grade}]
    found = [[one.is_flagged for one in (eye.served, eye.candidate)] for eye in referable]
    spared = [[not one.is_flagged for one in (eye.served, eye.candidate)] for eye in others]
    served_kappa, candidate_kappa = (_kappas(_confusions([graded], i))[0] for i in (0, 1))
    resampled = _resampled(eyes, graded)
    return PairedComparison(
        n_eyes=len(eyes),
        n_graded=len(graded),
        served_sensitivity=_proportion(found, 0),
        candidate_sensitivity=_proportion(found, 1),
        sensitivity=_difference(_mean_difference(found), resampled[0]),
        p_sensitivity=mcnemar_p(found),
        served_specificity=_proportion(spared, 0),
        candidate_specificity=_proportion(spared, 1),
        specificity=_difference(_mean_difference(spared), resampled[1]),
        p_specificity=mcnemar_p(spared),
        served_kappa=_number(served_kappa),
        candidate_kappa=_number(candidate_kappa),
        kappa=_difference(_number(candidate_kappa - served_kappa), resampled[2]),
    )


def mcnemar_p(pairs: Sequence[Sequence[bool]]) -> float:
    """Two-sided p of the exact McNemar test (McNemar 1947): pairs in which exactly one of two is right; 1 without any.

    NB: it takes two eyes of one person for two people; the intervals do not.
    """
    first = sum(one and not other for one, other in pairs)
    second = sum(other and not one for one, other in pairs)
    n, least = first + second, min(first, second)
    tail: int = sum(math.comb(n, k) for k in range(least + 1))
    return float(min(1.0, 2 * tail / 2**n))


def _is_not_worse(difference: Difference, margin: float) -> bool:
    return difference.interval is not None and difference.interval[0] > -margin


def _proportion(pairs: list[list[bool]], column: int) -> Proportion:
    return Proportion(sum(pair[column] for pair in pairs), len(pairs))


def _mean_difference(pairs: list[list[bool]]) -> float | None:
    return sum(candidate - served for served, candidate in pairs) / len(pairs) if pairs else None


def _number(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


def _difference(value: float | None, resampled: "NDArray[np.float64]") -> Difference:
    known = resampled[~np.isnan(resampled)]
    if value is None or len(known) < MIN_DEFINED_FRACTION * N_RESAMPLES:
        return Difference(value, None)
    low, high = np.percentile(known, [2.5, 97.5])
    return Difference(value, (float(low), float(high)))


def _resampled(eyes: list[PairedEye], graded: list[PairedEye]) -> "tuple[NDArray[np.float64], ...]":
    """Differences of sensitivity, specificity and kappa, each (n_resamples,); empty with too few exams."""
    names = sorted({eye.group for eye in eyes})
    if len(names) < MIN_GROUPS:
        empty = np.empty(0)
        return empty, empty, empty
    number = {name: i for i, name in enumerate(names)}
    counts = np.zeros((len(names), 4))  # (groups, referable, difference of found, others, difference of spared)
    for eye in eyes:
        row, change = counts[number[eye.group]], int(eye.candidate.is_flagged) - int(eye.served.is_flagged)
        row[0 if eye.is_referable else 2] += 1
        row[1 if eye.is_referable else 3] += change if eye.is_referable else -change
    by_group: list[list[PairedEye]] = [[] for _ in names]
    for eye in graded:
        by_group[number[eye.group]].append(eye)
    weights = np.random.default_rng(0).multinomial(len(names), np.full(len(names), 1 / len(names)), N_RESAMPLES)
    sums = weights @ counts
    kappas = [_kappas(weights @ _confusions(by_group, i)) for i in (0, 1)]
    with np.errstate(divide="ignore", invalid="ignore"):
        return sums[:, 1] / sums[:, 0], sums[:, 3] / sums[:, 2], kappas[1] - kappas[0]


def _confusions(groups: list[list[PairedEye]], which: int) -> "NDArray[np.float64]":
    """(groups, K * K): signed grade times the grade of the model in use (0) or of the candidate (1)."""
    counts = np.zeros((len(groups), N_GRADES * N_GRADES))
    for row, eyes in zip(counts, groups, strict=True):
        for eye in eyes:
            found = (eye.served, eye.candidate)[which].grade
            if eye.grade is not None and found is not None:
                row[eye.grade * N_GRADES + found] += 1
    return counts


def _kappas(confusions: "NDArray[np.float64]") -> "NDArray[np.float64]":
    """Quadratic kappa of each row, (n, K * K) -> (n,); NaN if it is undefined."""
    counts = confusions.reshape(-1, N_GRADES, N_GRADES)
    expected = np.einsum("ni,nj,ij->n", counts.sum(axis=2), counts.sum(axis=1), _WEIGHTS)
    observed = np.einsum("nij,ij->n", counts, _WEIGHTS) * counts.sum(axis=(1, 2))
    with np.errstate(divide="ignore", invalid="ignore"):
        kappas: NDArray[np.float64] = np.where(expected > 0, 1 - observed / expected, np.nan)
    return kappas
