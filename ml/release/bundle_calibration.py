"""Calibration of a bundle on predictions of its Grader for the validation photographs.

It is fitted to the whole pipeline from the file on, and not to the cropped photographs that training caches.
"""

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ml.bundle import Bundle
from ml.evaluation.evaluate import write_evaluation
from ml.evaluation.predictions import LabelledPredictions, predict_held_out
from ml.grader import calibrated_probabilities, decide_grades
from ml.release.calibration import fit

if TYPE_CHECKING:
    from numpy.typing import NDArray

SPLIT = "validation"


def calibrate_bundle(bundle: Bundle, *, data: Path, cache: Path) -> None:
    """Calibrate a bundle in its folder, and write its evaluation."""
    predictions = recalibrated(predict_held_out(bundle, data=data, cache=cache))
    calibrated, path = predictions.bundle, bundle.folder / "bundle.json"
    content = json.loads(path.read_text()) | {
        "calibration": {"temperature": calibrated.temperature, "bias": calibrated.bias},
        "cutpoints": calibrated.cutpoints,
        "operating_point": calibrated.operating_point,
    }
    path.write_text(json.dumps(content, indent=1) + "\n")
    write_evaluation(predictions)


def recalibrated(predictions: LabelledPredictions) -> LabelledPredictions:
    """The predictions, and their bundle, with a calibration fitted on the validation split.

    Photographs without a retina have neither grade nor probabilities.
    """
    rows, logits = predictions.where(SPLIT), _logits(predictions)
    labels = (predictions.truth[rows], predictions.sources[rows], predictions.groups[rows])
    bundle = fit(predictions.bundle, logits[rows], *labels)
    probabilities = calibrated_probabilities(logits, bundle.temperature, bundle.bias)  # (n, K)
    grades = np.where(predictions.grades < 0, -1, decide_grades(probabilities, bundle.cutpoints))
    return dataclasses.replace(predictions, bundle=bundle, probabilities=probabilities, grades=grades)


def _logits(predictions: LabelledPredictions) -> "NDArray[np.float64]":
    """The logits (n, K) of calibrated probabilities, up to a constant for each photograph, which cancels in softmax."""
    bundle = predictions.bundle
    smallest = np.finfo(np.float64).tiny  # in place of a probability that underflowed to 0
    log_probabilities = np.log(np.maximum(predictions.probabilities, smallest))
    logits: NDArray[np.float64] = (log_probabilities - np.asarray(bundle.bias)) * bundle.temperature
    return logits
