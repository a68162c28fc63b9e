"""Fit a site's own threshold to photographs that its graders graded: ``python -m ml site-threshold LABELS``."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import minimize_scalar

from ml.bundle import Bundle
from ml.data.labels import LabelledPhoto, read_labels
from ml.errors import InputError
from ml.evaluation.predictions import EvaluationPhoto, LabelledPredictions, predict
from ml.metrics import bootstrap
from ml.metrics.grading import (
    area_under_curve,
    expected_calibration_error,
    sensitivity_specificity,
    threshold_for_sensitivity,
)
from ml.release.calibration import folds
from ml.site_threshold import TEMPERATURES, SiteThreshold, Triple, tempered
from ml.vocabulary import REFERABLE_FROM

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

MIN_PHOTOS = 100
MIN_OF_EACH = 20
"""Referable eyes, and others. With 20 the 95 % interval of a sensitivity of 0.85 is 0.31 wide (Wilson 1927): fewer say
little about the threshold."""
MAX_SHORTFALL = 0.1
"""From the target to the lower end of the interval: beyond it the site is told to add photographs."""
SPLIT = "site"


def read_site_photos(labels: Path) -> list[EvaluationPhoto]:
    """The graded photographs of a ``labels.csv``, or of its folder. Raises LabelError, or InputError for too few."""
    folder = labels.parent if labels.name == "labels.csv" else labels
    if not (folder / "labels.csv").is_file():
        raise InputError(f"{labels} is no labels.csv and no folder that has one. See docs/training.md for its columns.")
    photos = [_evaluation_photo(photo, photo.grade) for photo in read_labels(folder) if photo.grade is not None]
    require_enough(np.array([photo.grade >= REFERABLE_FROM for photo in photos], bool))
    return photos


def _evaluation_photo(photo: LabelledPhoto, grade: int) -> EvaluationPhoto:
    return EvaluationPhoto(photo.path, photo.source, SPLIT, photo.group, grade)


def require_enough(is_referable: "Bools") -> None:
    """Raises InputError that says how many graded photographs (n,) are missing."""
    n, n_referable = len(is_referable), int(is_referable.sum())
    missing = {
        "graded photographs": MIN_PHOTOS - n,
        "photographs of grade 2 or more": MIN_OF_EACH - n_referable,
        "photographs of grade 0 or 1": MIN_OF_EACH - (n - n_referable),
    }
    if any(number > 0 for number in missing.values()):
        needed = [f"{number} more {name}" for name, number in missing.items() if number > 0]
        raise InputError(f"A threshold needs {' and '.join(needed)} of a quality that can be graded.")


def fit_site_threshold(bundle: Bundle, photos: list[EvaluationPhoto], *, target: float) -> SiteThreshold:
    """Grade the photographs with the bundle and fit the threshold. Raises InputError if too few can be graded."""
    return fit_to(predict(bundle, photos), target=target)


def fit_to(predictions: LabelledPredictions, *, target: float) -> SiteThreshold:
    """Fit temperature and operating point to the gradable photographs of the predictions.

    The operating point is the highest with the target sensitivity on cross-fitted probabilities; sensitivity and
    specificity are cross-validated: each photograph is judged with what was fitted without its patient.
    """
    rows = np.flatnonzero(predictions.is_gradable & (predictions.grades >= 0))
    truth, groups, p = predictions.truth[rows], predictions.groups[rows], predictions.probabilities[rows]
    positive = truth >= REFERABLE_FROM
    require_enough(positive)
    crossed, flagged = np.empty(len(rows)), np.zeros(len(rows), bool)
    for held_out in next(folds(groups, 1)):
        rest = ~held_out
        temperature = fit_temperature(p[rest], truth[rest])
        crossed[held_out] = p_referable(p[held_out], temperature)
        threshold = threshold_for_sensitivity(positive[rest], p_referable(p[rest], temperature), target)
        flagged[held_out] = crossed[held_out] >= threshold
    temperature = fit_temperature(p, truth)
    before = p_referable(p, 1.0)

    def statistic(chosen: "NDArray[np.int64]") -> dict[str, float]:
        sensitivity, specificity = sensitivity_specificity(positive[chosen], flagged[chosen].astype(np.float64), 0.5)
        auc = area_under_curve(positive[chosen], before[chosen])
        return {"sensitivity": sensitivity, "specificity": specificity, "auc": np.nan if auc is None else auc}

    metrics = bootstrap.with_confidence_intervals(statistic, groups)
    return SiteThreshold(
        model_version=predictions.bundle.model_version,
        weights_sha256=predictions.bundle.weights_sha256,
        temperature=temperature,
        operating_point=_rounded(threshold_for_sensitivity(positive, crossed, target)),
        target_sensitivity=target,
        n=len(rows),
        n_referable=int(positive.sum()),
        fitted_on=datetime.now(UTC).date(),
        calibration_error=(_calibration_error(positive, before), _calibration_error(positive, crossed)),
        **{name: _triple(values) for name, values in metrics.items()},
    )


def fit_temperature(probabilities: "Floats", truth: "NDArray[np.int64]") -> float:
    """The temperature with the highest likelihood of the grades (n,) under the probabilities (n, K)."""

    def loss(log_temperature: float) -> float:
        p = tempered(probabilities, float(np.exp(log_temperature)))[np.arange(len(truth)), truth]
        return float(-np.log(np.maximum(p, 1e-12)).mean())

    found = minimize_scalar(loss, bounds=np.log(TEMPERATURES), method="bounded")
    return round(float(np.exp(found.x)), 4)


def p_referable(probabilities: "Floats", temperature: float) -> "Floats":
    """(n, K) -> (n,) P(grade >= 2) at a temperature."""
    p: Floats = tempered(probabilities, temperature)[:, REFERABLE_FROM:].sum(axis=1)
    return p


def _calibration_error(positive: "Bools", p: "Floats") -> float:
    return round(expected_calibration_error(positive, p), 4)


def _rounded(threshold: float) -> float:
    return round(min(0.999, max(0.001, threshold - 5e-5)), 4)


def _triple(values: list[float | None] | None) -> Triple:
    value, low, high = values or (None, None, None)
    if value is None or low is None or high is None:
        raise InputError("The photographs are of too few people for an interval. Add photographs of more people.")
    return value, low, high


def advice(fitted: SiteThreshold, bundle: Bundle) -> str:
    """In words: what the threshold reaches, and what speaks against it."""
    low, target = fitted.sensitivity[1], fitted.target_sensitivity
    before, after = fitted.calibration_error
    lines = [
        f"{fitted.n} gradable photographs, {fitted.n_referable} of grade 2 or more; AUC {_shown(fitted.auc)}.",
        f"Operating point {fitted.operating_point} (the bundle's: {bundle.operating_point}).",
        f"Sensitivity {_shown(fitted.sensitivity)}, specificity {_shown(fitted.specificity)}, cross-validated.",
        f"Temperature {fitted.temperature}; calibration error {before:.3f} before, {after:.3f} after.",
    ]
    if low < target - MAX_SHORTFALL:
        lines.append(f"Caution: the sensitivity could be as low as {low:.2f}. Add referable photographs.")
    if after > before:
        lines.append("The temperature does not improve the calibration on these photographs.")
    return "\n".join(lines)


def _shown(triple: Triple) -> str:
    return "{:.3f} ({:.3f}-{:.3f})".format(*triple)
