"""What a grader is judged by. Arrays in, numbers out."""

from typing import TYPE_CHECKING

import numpy as np
from sklearn.metrics import accuracy_score, cohen_kappa_score, roc_auc_score, roc_curve

from ml.vocabulary import N_GRADES, REFERABLE_FROM

if TYPE_CHECKING:
    from numpy.typing import NDArray


def expected_grade(probabilities: "NDArray[np.floating]") -> "NDArray[np.floating]":
    """(n, K) -> (n,) mean grade under the probabilities, in [0, 4]."""
    mean: NDArray[np.floating] = probabilities @ np.arange(N_GRADES)
    return mean


def quadratic_kappa(truth: "NDArray[np.int64]", grade: "NDArray[np.int64]") -> float:
    """Cohen's kappa with quadratic weights; 0 where every photograph has one grade."""
    if len(np.unique(np.concatenate([truth, grade]))) < 2:
        return 0.0
    return float(cohen_kappa_score(truth, grade, weights="quadratic", labels=range(N_GRADES)))


def referable_auc(truth: "NDArray[np.int64]", p_referable: "NDArray[np.floating]") -> float | None:
    """Area under the ROC curve of grade >= 2; None where only one class is present."""
    referable = truth >= REFERABLE_FROM
    if referable.all() or not referable.any():
        return None
    return float(roc_auc_score(referable, p_referable))


def sensitivity_specificity(
    truth: "NDArray[np.int64]", p_referable: "NDArray[np.floating]", threshold: float
) -> tuple[float, float]:
    """Of referable (grade >= 2) and of other photographs, the shares the threshold puts on the right side."""
    referable, flagged = truth >= REFERABLE_FROM, p_referable >= threshold
    return float(flagged[referable].mean()), float((~flagged[~referable]).mean())


def threshold_for_sensitivity(truth: "NDArray[np.int64]", p_referable: "NDArray[np.floating]", wanted: float) -> float:
    """The highest threshold that still flags a share of at least ``wanted`` of the referable photographs."""
    _, sensitivity, thresholds = roc_curve(truth >= REFERABLE_FROM, p_referable, drop_intermediate=False)
    return float(thresholds[np.argmax(sensitivity >= wanted)])


def summarise(
    truth: "NDArray[np.int64]",
    probabilities: "NDArray[np.floating]",
    grade: "NDArray[np.int64]",
    p_referable: "NDArray[np.floating]",
    threshold: float,
) -> dict[str, float | int | None]:
    """Five-grade and referable figures of one set of photographs, rounded to four places."""
    sensitivity, specificity = sensitivity_specificity(truth, p_referable, threshold)
    proliferative = truth == N_GRADES - 1
    auc = referable_auc(truth, p_referable)
    brier = float(np.mean((p_referable - (truth >= REFERABLE_FROM)) ** 2))
    figures = {
        "accuracy": float(accuracy_score(truth, grade)),
        "quadratic_kappa": quadratic_kappa(truth, grade),
        "quadratic_kappa_most_probable": quadratic_kappa(truth, probabilities.argmax(axis=1)),
        "referable_auc": auc,
        "referable_sensitivity": sensitivity,
        "referable_specificity": specificity,
        "referable_brier": brier,
        "proliferative_sensitivity": float((grade[proliferative] == 4).mean()) if proliferative.any() else None,
    }
    return {"n": len(truth)} | {k: None if v is None else round(v, 4) for k, v in figures.items()}
