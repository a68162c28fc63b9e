"""What a grader is judged by. Arrays in, numbers out; NaN or None where a figure has no meaning.

Kappa and the area under the curve are counted here rather than by scikit-learn, thirty times faster, because intervals
need them thousands of times; the tests hold them against scikit-learn's.
"""

from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import rankdata
from sklearn.metrics import roc_curve

from ml.vocabulary import N_GRADES, REFERABLE_FROM

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIGHT_THREATENING_FROM = 3
N_CALIBRATION_BINS = 10
_SQUARES = np.subtract.outer(np.arange(N_GRADES), np.arange(N_GRADES)) ** 2.0  # (K, K)


def expected_grade(probabilities: "NDArray[np.floating]") -> "NDArray[np.floating]":
    """(n, K) -> (n,) mean grade under the probabilities, in [0, 4]."""
    mean: NDArray[np.floating] = probabilities @ np.arange(N_GRADES)
    return mean


def confusion(truth: "NDArray[np.int64]", grade: "NDArray[np.int64]") -> "NDArray[np.int64]":
    """(K, K) counts: row is the true grade, column the given one."""
    counts = np.bincount(truth * N_GRADES + grade, minlength=N_GRADES**2)
    return counts.reshape(N_GRADES, N_GRADES).astype(np.int64)


def quadratic_kappa(truth: "NDArray[np.int64]", grade: "NDArray[np.int64]") -> float:
    """Cohen's kappa with quadratic weights; 0 where every photograph has one grade."""
    counts = confusion(truth, grade)
    by_chance = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / max(1, len(truth))  # (K, K)
    expected = float((_SQUARES * by_chance).sum())
    return 1 - float((_SQUARES * counts).sum()) / expected if expected else 0.0


def area_under_curve(positive: "NDArray[np.bool_]", score: "NDArray[np.floating]") -> float | None:
    """Area under the ROC curve (ties count half); None where only one class is present."""
    n_positive = int(positive.sum())
    n_negative = len(positive) - n_positive
    if not n_positive or not n_negative:
        return None
    ranks = rankdata(score)
    above = float(ranks[positive].sum()) - n_positive * (n_positive + 1) / 2
    return above / (n_positive * n_negative)


def referable_auc(truth: "NDArray[np.int64]", p_referable: "NDArray[np.floating]") -> float | None:
    """Area under the ROC curve of grade >= 2; None where only one class is present."""
    return area_under_curve(truth >= REFERABLE_FROM, p_referable)


def sensitivity_specificity(
    truth: "NDArray[np.int64]", p_referable: "NDArray[np.floating]", threshold: float
) -> tuple[float, float]:
    """Of referable (grade >= 2) and of other photographs, the shares the threshold puts on the right side."""
    referable, flagged = truth >= REFERABLE_FROM, p_referable >= threshold
    return share(flagged[referable]), share(~flagged[~referable])


def share(hits: "NDArray[np.bool_]") -> float:
    """Of the values, the share that is true; NaN of none."""
    return float(hits.mean()) if len(hits) else float("nan")


def threshold_for_sensitivity(truth: "NDArray[np.int64]", p_referable: "NDArray[np.floating]", wanted: float) -> float:
    """The highest threshold that still flags a share of at least ``wanted`` of the referable photographs."""
    _, sensitivity, thresholds = roc_curve(truth >= REFERABLE_FROM, p_referable, drop_intermediate=False)
    return float(thresholds[np.argmax(sensitivity >= wanted)])


def calibration_curve(positive: "NDArray[np.bool_]", p: "NDArray[np.floating]") -> list[tuple[float, float, int]]:
    """For each of ten equally wide bins of p that is not empty: mean p, observed share, count."""
    bins = np.minimum((p * N_CALIBRATION_BINS).astype(np.int64), N_CALIBRATION_BINS - 1)
    return [
        (float(p[inside].mean()), float(positive[inside].mean()), int(inside.sum()))
        for number in range(N_CALIBRATION_BINS)
        for inside in [bins == number]
        if inside.any()
    ]


def expected_calibration_error(positive: "NDArray[np.bool_]", p: "NDArray[np.floating]") -> float:
    """Expected calibration error (Naeini et al., AAAI 2015): mean distance of the curve from the diagonal, by count.

    NB: few photographs raise it by chance alone, see ``ece_noise_floor``.
    """
    bins = np.minimum((p * N_CALIBRATION_BINS).astype(np.int64), N_CALIBRATION_BINS - 1)
    gaps = np.bincount(bins, weights=p - positive, minlength=N_CALIBRATION_BINS)
    return float(np.abs(gaps).sum() / max(1, len(p)))


def ece_noise_floor(p: "NDArray[np.floating]", *, n_draws: int = 200) -> float:
    """The mean calibration error were every p exactly right: what this number of photographs cannot go below."""
    rng = np.random.default_rng(0)
    return float(np.mean([expected_calibration_error(rng.random(len(p)) < p, p) for _ in range(n_draws)]))


def figures(
    truth: "NDArray[np.int64]",
    probabilities: "NDArray[np.floating]",
    grade: "NDArray[np.int64]",
    threshold: float,
) -> dict[str, float]:
    """Every figure of one set of photographs that gets an interval; NaN where it has no meaning."""
    p_referable = probabilities[:, REFERABLE_FROM:].sum(axis=1)
    p_sight = probabilities[:, SIGHT_THREATENING_FROM:].sum(axis=1)
    referable = truth >= REFERABLE_FROM
    sensitivity, specificity = sensitivity_specificity(truth, p_referable, threshold)
    counts = confusion(truth, grade)
    found: dict[str, float] = {
        "accuracy": share(grade == truth),
        "quadratic_kappa": quadratic_kappa(truth, grade),
        "quadratic_kappa_most_probable": quadratic_kappa(truth, probabilities.argmax(axis=1)),
        "referable_auc": _or_nan(area_under_curve(referable, p_referable)),
        "sight_threatening_auc": _or_nan(area_under_curve(truth >= SIGHT_THREATENING_FROM, p_sight)),
        "referable_sensitivity": sensitivity,
        "referable_specificity": specificity,
        "referable_brier": float(np.mean((p_referable - referable) ** 2)),
        "calibration_error": expected_calibration_error(referable, p_referable),
    }
    for k in range(N_GRADES):
        given, true = counts[:, k].sum(), counts[k].sum()
        found[f"sensitivity_grade_{k}"] = counts[k, k] / true if true else float("nan")
        found[f"precision_grade_{k}"] = counts[k, k] / given if given else float("nan")
    return found


def _or_nan(value: float | None) -> float:
    return float("nan") if value is None else value
