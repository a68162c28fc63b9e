"""Fit what stands between a bundle's logits and its decisions to what its Grader says of validation photographs.

``python -m ml recalibrate BUNDLE --version V`` makes a bundle of the same weights with temperature, bias, grade rule
and operating point fitted anew. An export ends with the same step, so that they fit a photograph's whole way through
the Grader and not only the crops that training keeps.
"""

import dataclasses
import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnx

from ml.bundle import WEIGHTS_FILE, Bundle, read_bundle
from ml.errors import BundleError
from ml.evaluation.evaluate import build_evaluation, evaluation_photos, write_evaluation
from ml.evaluation.predictions import LabelledPredictions, predict
from ml.grader import Grader, calibrated
from ml.metrics.bootstrap import N_RESAMPLES
from ml.networks.onnx_export import weights_entry
from ml.networks.weight_format import WeightFormat, store_weights
from ml.release.calibration import decide_grades, fit
from ml.release.model_card import write_card

if TYPE_CHECKING:
    from numpy.typing import NDArray

SPLIT = "validation"


def recalibrate(
    bundle: Bundle,
    *,
    version: str,
    folder: Path,
    data: Path,
    cache: Path,
    precision: WeightFormat | None = None,
    n_resamples: int = N_RESAMPLES,
) -> Bundle:
    """Write the recalibrated bundle, its evaluation and its card into ``folder``; ``bundle`` stays as it is.

    ``precision`` stores weights of full precision in fewer bits. Raises BundleError where ``folder`` exists, and where
    the weights are stored in few bits already; then, and where reading fails, ``folder`` is not made.
    """
    if precision is not None and bundle.precision != WeightFormat.FP32:
        raise BundleError(f"{bundle.folder} has {bundle.precision} weights: only fp32 ones can be stored otherwise.")
    with new_bundle(folder) as draft:
        _copy(bundle, draft, version=version, precision=precision)
        calibrate_bundle(read_bundle(draft, verify=True), data=data, cache=cache, n_resamples=n_resamples)
    return read_bundle(folder)


@contextmanager
def new_bundle(folder: Path) -> Iterator[Path]:
    """A folder to fill, which becomes ``folder`` at the end: what fails half-way never looks like a bundle there.

    Raises BundleError where ``folder`` exists.
    """
    if folder.exists():
        raise BundleError(f"{folder} exists already: choose another --version or --to.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".unfinished-") as place:
        draft = Path(place) / folder.name
        draft.mkdir()
        yield draft
        draft.rename(folder)
    write_card(read_bundle(folder))  # only in its place does it see what is kept beside the bundles


def _copy(bundle: Bundle, folder: Path, *, version: str, precision: WeightFormat | None) -> None:
    """The bundle with its old calibration under a new version."""
    content = json.loads((bundle.folder / "bundle.json").read_text())
    if precision is None:
        shutil.copyfile(bundle.weights, folder / WEIGHTS_FILE)
    else:
        onnx.save(store_weights(onnx.load(bundle.weights), precision), folder / WEIGHTS_FILE)
        content["weights"] = weights_entry(folder / WEIGHTS_FILE, precision)
    earlier = [
        *content["training"].get("earlier_versions", []),
        {"version": bundle.version, "precision": bundle.precision},
    ]
    content |= {"version": version, "training": content["training"] | {"earlier_versions": earlier}}
    (folder / "bundle.json").write_text(json.dumps(content, indent=1) + "\n")


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
