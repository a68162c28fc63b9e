"""Calibration of a bundle on what its Grader predicts for validation photographs.

The probabilities that are fitted have passed the whole way of a photograph through the Grader, not only the crops that
training caches.
"""

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ml.bundle import Bundle
from ml.evaluation.evaluate import build_evaluation, evaluation_photos, write_evaluation
from ml.evaluation.predictions import LabelledPredictions, predict
from ml.grader import Grader, calibrated
from ml.metrics.bootstrap import N_RESAMPLES
from ml.release.calibration import decide_grades, fit

if TYPE_CHECKING:
    from numpy.typing import NDArray

SPLIT = "validation"


def calibrate_bundle(bundle: Bundle, *, data: Path, cache: Path, n_resamples: int = N_RESAMPLES) -> None:
    """Refit the bundle in its own folder, in place, and write its evaluation.

    The scale of its heatmaps stays: how strong a sign looks does not depend on how probabilities are read.
    """
    predictions = predict(Grader.load(bundle.folder), evaluation_photos(bundle, data=data, cache=cache))
    fitted, predictions = refitted(bundle, predictions)
    path = bundle.folder / "bundle.json"
    content = json.loads(path.read_text()) | {
        "calibration": {"temperature": fitted.temperature, "bias": fitted.bias},
        "grade_cuts": fitted.grade_cuts,
        "operating_point": fitted.operating_point,
    }
    path.write_text(json.dumps(content, indent=1) + "\n")
    write_evaluation(bundle.folder, build_evaluation(fitted, predictions, n_resamples=n_resamples))


def refitted(bundle: Bundle, predictions: LabelledPredictions) -> tuple[Bundle, LabelledPredictions]:
    """The bundle with a new calibration, rule and operating point, and what it says of the photographs then.

    Predictions are those of ``bundle``; of photographs without a retina nothing is said, before and after.
    """
    rows = predictions.where(SPLIT)
    logits = _logits(bundle, predictions)
    fresh = fit(logits[rows], predictions.truth[rows], predictions.sources[rows], groups=predictions.groups[rows])
    fitted = dataclasses.replace(
        bundle,
        temperature=round(fresh.temperature, 5),
        bias=fresh.bias,
        grade_cuts=fresh.cutpoints,
        operating_point=fresh.operating_point,
    )
    probabilities = calibrated(logits, fitted)  # (n, K), NaN where nothing was said
    grades = np.where(predictions.grades < 0, -1, decide_grades(fitted.grade_cuts, probabilities))
    return fitted, dataclasses.replace(predictions, probabilities=probabilities, grades=grades)


def _logits(bundle: Bundle, predictions: LabelledPredictions) -> "NDArray[np.float64]":
    """(n, K), but for a number that all grades of a photograph share, which no probability depends on."""
    least = np.finfo(np.float64).tiny  # a probability that underflowed to 0
    logs = np.log(np.maximum(predictions.probabilities, least))
    shown: NDArray[np.float64] = (logs - np.asarray(bundle.bias)) * bundle.temperature
    return shown
