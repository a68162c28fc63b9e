"""Metrics of graded photographs. Arrays in, numbers out; NaN or None if a metric is undefined.

``METRICS`` is the one list of them: evaluation, model cards, comparison and promotion read it. Kappa and the area under
the curve are computed here and not by scikit-learn, thirty times faster, because a bootstrap needs them thousands of
times; tests compare the results.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import rankdata
from sklearn.metrics import roc_curve

from ml.vocabulary import N_GRADES, REFERABLE_FROM, SIGHT_THREATENING_FROM

if TYPE_CHECKING:
    from numpy.typing import NDArray

N_CALIBRATION_BINS = 10
QUADRATIC_WEIGHTS = np.subtract.outer(np.arange(N_GRADES), np.arange(N_GRADES)) ** 2.0  # (K, K)


def expected_grade(probabilities: "NDArray[np.floating]") -> "NDArray[np.floating]":
    """(n, K) -> (n,) mean grade under the probabilities, in [0, 4]."""
    mean: NDArray[np.floating] = probabilities @ np.arange(N_GRADES)
    return mean


def confusion_matrix(truth: "NDArray[np.int64]", grades: "NDArray[np.int64]") -> "NDArray[np.int64]":
    """(K, K) counts: row is the true grade, column the predicted one."""
    counts = np.bincount(truth * N_GRADES + grades, minlength=N_GRADES**2)
    return counts.reshape(N_GRADES, N_GRADES).astype(np.int64)


def quadratic_kappa(truth: "NDArray[np.int64]", grades: "NDArray[np.int64]") -> float:
    """Cohen's kappa with quadratic weights; 0 if every photograph has one grade."""
    counts = confusion_matrix(truth, grades)
    independent = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / max(1, counts.sum())  # (K, K)
    expected = float((QUADRATIC_WEIGHTS * independent).sum())
    return 1 - float((QUADRATIC_WEIGHTS * counts).sum()) / expected if expected else 0.0


def area_under_curve(positive: "NDArray[np.bool_]", score: "NDArray[np.floating]") -> float | None:
    """Area under the ROC curve (ties count half); None if only one class is present."""
    n_positive = int(positive.sum())
    n_negative = len(positive) - n_positive
    if not n_positive or not n_negative:
        return None
    ranks = rankdata(score)
    above = float(ranks[positive].sum()) - n_positive * (n_positive + 1) / 2
    return above / (n_positive * n_negative)


def referable_auc(truth: "NDArray[np.int64]", p_referable: "NDArray[np.floating]") -> float | None:
    """Area under the ROC curve of grade >= 2; None if only one class is present."""
    return area_under_curve(truth >= REFERABLE_FROM, p_referable)


def proportion(values: "NDArray[np.bool_]") -> float:
    """Proportion of True values; NaN of an empty array."""
    return float(values.mean()) if len(values) else float("nan")


def sensitivity_specificity(
    positive: "NDArray[np.bool_]", p: "NDArray[np.floating]", threshold: float
) -> tuple[float, float]:
    """Sensitivity and specificity if ``p >= threshold`` is called positive."""
    flagged = p >= threshold
    return proportion(flagged[positive]), proportion(~flagged[~positive])


def threshold_for_sensitivity(positive: "NDArray[np.bool_]", p: "NDArray[np.floating]", target: float) -> float:
    """The highest threshold with a sensitivity of at least ``target``."""
    _, sensitivity, thresholds = roc_curve(positive, p, drop_intermediate=False)
    return float(thresholds[np.argmax(sensitivity >= target)])


def calibration_curve(positive: "NDArray[np.bool_]", p: "NDArray[np.floating]") -> list[tuple[float, float, int]]:
    """Mean p, observed frequency and count of each of ten equally wide bins of p that is not empty."""
    bins = np.minimum((p * N_CALIBRATION_BINS).astype(np.int64), N_CALIBRATION_BINS - 1)
    return [
        (float(p[inside].mean()), float(positive[inside].mean()), int(inside.sum()))
        for number in range(N_CALIBRATION_BINS)
        for inside in [bins == number]
        if inside.any()
    ]


def expected_calibration_error(positive: "NDArray[np.bool_]", p: "NDArray[np.floating]") -> float:
    """Expected calibration error (ECE; Naeini et al., AAAI 2015): mean distance of the curve from the diagonal.

    NB: few photographs raise it by chance alone, see ``ece_noise_floor``.
    """
    bins = np.minimum((p * N_CALIBRATION_BINS).astype(np.int64), N_CALIBRATION_BINS - 1)
    gaps = np.bincount(bins, weights=p - positive, minlength=N_CALIBRATION_BINS)
    return float(np.abs(gaps).sum() / max(1, len(p)))


def ece_noise_floor(p: "NDArray[np.floating]", *, n_samples: int = 200) -> float:
    """Mean ECE of labels sampled from ``p``: what perfect probabilities have with this number of photographs."""
    rng = np.random.default_rng(0)
    return float(np.mean([expected_calibration_error(rng.random(len(p)) < p, p) for _ in range(n_samples)]))


@dataclass(frozen=True, kw_only=True)
class GradedPhotos:
    """What metrics are computed from: n photographs with their true and their predicted grades."""

    truth: "NDArray[np.int64]"  # (n,)
    probabilities: "NDArray[np.floating]"  # (n, K)
    grades: "NDArray[np.int64]"  # (n,)
    operating_point: float

    @cached_property
    def is_referable(self) -> "NDArray[np.bool_]":
        return self.truth >= REFERABLE_FROM

    @cached_property
    def p_referable(self) -> "NDArray[np.floating]":
        p: NDArray[np.floating] = self.probabilities[:, REFERABLE_FROM:].sum(axis=1)
        return p

    @cached_property
    def sensitivity_specificity(self) -> tuple[float, float]:
        return sensitivity_specificity(self.is_referable, self.p_referable, self.operating_point)


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric: its title in tables, and how to compute it; None or NaN if it is undefined."""

    title: str
    compute: Callable[[GradedPhotos], float | None]


def _sight_threatening_auc(photos: GradedPhotos) -> float | None:
    score = photos.probabilities[:, SIGHT_THREATENING_FROM:].sum(axis=1)
    return area_under_curve(photos.truth >= SIGHT_THREATENING_FROM, score)


def _grade_sensitivity(k: int) -> Metric:
    return Metric(f"sensitivity, grade {k}", lambda x: proportion(x.grades[x.truth == k] == k))


def _grade_precision(k: int) -> Metric:
    return Metric(f"precision, grade {k}", lambda x: proportion(x.truth[x.grades == k] == k))


METRICS = {
    "accuracy": Metric("accuracy", lambda x: proportion(x.grades == x.truth)),
    "quadratic_kappa": Metric("quadratic kappa", lambda x: quadratic_kappa(x.truth, x.grades)),
    "quadratic_kappa_argmax": Metric(
        "quadratic kappa, most probable grade", lambda x: quadratic_kappa(x.truth, x.probabilities.argmax(axis=1))
    ),
    "referable_auc": Metric("AUC, grade >= 2", lambda x: referable_auc(x.truth, x.p_referable)),
    "sight_threatening_auc": Metric("AUC, grade >= 3", _sight_threatening_auc),
    "referable_sensitivity": Metric("sensitivity, grade >= 2", lambda x: x.sensitivity_specificity[0]),
    "referable_specificity": Metric("specificity, grade >= 2", lambda x: x.sensitivity_specificity[1]),
    "referable_brier": Metric(
        "Brier score, grade >= 2", lambda x: float(np.mean((x.p_referable - x.is_referable) ** 2))
    ),
    "expected_calibration_error": Metric(
        "calibration error (ECE), grade >= 2", lambda x: expected_calibration_error(x.is_referable, x.p_referable)
    ),
    **{f"sensitivity_grade_{k}": _grade_sensitivity(k) for k in range(N_GRADES)},
    **{f"precision_grade_{k}": _grade_precision(k) for k in range(N_GRADES)},
}


def titles(*names: str) -> dict[str, str]:
    """Titles of metrics by name."""
    return {name: METRICS[name].title for name in names}


REFERRAL_METRICS = titles("referable_auc", "referable_sensitivity", "referable_specificity")
EXTERNAL_METRICS = titles("accuracy", "quadratic_kappa") | REFERRAL_METRICS
MAIN_METRICS = titles(*(name for name in METRICS if "_grade_" not in name), f"sensitivity_grade_{N_GRADES - 1}")


def compute_metrics(photos: GradedPhotos, names: Iterable[str] = METRICS) -> dict[str, float]:
    """The metrics by name; NaN if one is undefined."""
    values = {name: METRICS[name].compute(photos) for name in names}
    return {name: float("nan") if value is None else float(value) for name, value in values.items()}
