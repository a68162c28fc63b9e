"""Evaluate a bundle on photographs it was not trained on: ``python -m ml evaluate [BUNDLE]``.

The files are graded through the Grader, so the metrics are those of what a clinic installs. ``evaluation.json`` goes
into the bundle's folder.
"""

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ml.bundle import EVALUATION_FILE, Bundle
from ml.data.cache import load_dataset
from ml.evaluation.predictions import (
    ATTRIBUTES,
    EXTERNAL,
    EvaluationPhoto,
    LabelledPredictions,
    external_photos,
    fingerprint,
    held_out_photos,
    predict,
)
from ml.grader import Grader
from ml.metrics import bootstrap
from ml.metrics.grading import (
    MAIN_METRICS,
    METRICS,
    SUBGROUP_METRICS,
    GradedPhotos,
    calibration_curve,
    compute_metrics,
    ece_noise_floor,
)
from ml.metrics.quality_gate import compute_gate_metrics
from ml.vocabulary import N_GRADES, REFERABLE_FROM

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    Intervals = dict[str, list[float | None] | None]

MIN_SUBGROUP_PHOTOS = 30


def evaluate(bundle: Bundle, *, data: Path, cache: Path) -> tuple[dict[str, Any], LabelledPredictions]:
    """Grade the photographs kept from the bundle's training; the content of evaluation.json, and the predictions."""
    predictions = predict(Grader.load(bundle.folder), evaluation_photos(bundle, data=data, cache=cache))
    return build_evaluation(bundle, predictions), predictions


def evaluation_photos(bundle: Bundle, *, data: Path, cache: Path) -> list[EvaluationPhoto]:
    """Validation and test split of the bundle's training data, and all of the sources it was not trained on."""
    stages = bundle.training["stages"]
    folders = [data / source for source in stages[-1]["sources"]]
    dataset = load_dataset(folders, side_px=stages[-1]["cache_size"], cache=cache)
    trained_on = tuple({source: None for stage in stages for source in stage["sources"]})
    return held_out_photos(dataset) + external_photos(data, trained_on)


def build_evaluation(bundle: Bundle, predictions: LabelledPredictions) -> dict[str, Any]:
    """The content of evaluation.json: every metric of every split and source, and of subgroups of the first split."""
    splits = [split for split in ("test", "validation", EXTERNAL) if (predictions.splits == split).any()]
    evaluator = _Evaluator(bundle, predictions)
    return {
        "format": 1,
        "model_version": bundle.model_version,
        "weights_sha256": bundle.weights_sha256,
        "operating_point": bundle.operating_point,
        "n_resamples": bootstrap.N_RESAMPLES,
        "fingerprints": {split: fingerprint(predictions.photos, split) for split in splits},
        "splits": {
            split: {source: evaluator.source_entry(split, source) for source in predictions.sources_in(split)}
            for split in splits
        },
        "subgroups": {source: evaluator.subgroups(splits[0], source) for source in predictions.sources_in(splits[0])},
    }


class _Evaluator:
    """Metrics of one bundle's predictions for chosen photographs."""

    def __init__(self, bundle: Bundle, predictions: LabelledPredictions) -> None:
        self.bundle, self.predictions = bundle, predictions

    def source_entry(self, split: str, source: str) -> dict[str, Any]:
        """Everything about one source of a split."""
        indices = self.predictions.where(split, source)
        graded = self._graded(indices)
        curve = calibration_curve(graded.is_referable, graded.p_referable)
        return {
            "n": len(indices),
            "n_groups": len(np.unique(self.predictions.groups[indices])),
            "n_by_grade": np.bincount(graded.truth, minlength=N_GRADES).tolist(),
            "metrics": self._metrics(indices),
            "confusion_matrix": graded.confusion.tolist(),
            "calibration_curve": [[round(p, 4), round(observed, 4), n] for p, observed, n in curve],
            "ece_noise_floor": round(ece_noise_floor(graded.p_referable), 4),
            "quality_gate": self._gate_metrics(split, source),
        }

    def subgroups(self, split: str, source: str) -> dict[str, dict[str, Any]]:
        """Metrics by attribute, if a source has at least two groups of MIN_SUBGROUP_PHOTOS."""
        indices = self.predictions.where(split, source)
        entries: dict[str, dict[str, Any]] = {}
        for attribute in ATTRIBUTES:
            values = self.predictions.attributes[attribute][indices]
            unique, counts = np.unique(values, return_counts=True)
            names = [v for v, n in zip(unique.tolist(), counts, strict=True) if v and n >= MIN_SUBGROUP_PHOTOS]
            if len(names) > 1:
                entries[attribute] = {name: self._subgroup_entry(indices[values == name]) for name in names}
        return entries

    def _subgroup_entry(self, indices: "NDArray[np.int64]") -> dict[str, Any]:
        return {
            "n": len(indices),
            "n_referable": int((self.predictions.truth[indices] >= REFERABLE_FROM).sum()),
            "metrics": self._metrics(indices, SUBGROUP_METRICS),
        }

    def _graded(self, indices: "NDArray[np.int64]") -> GradedPhotos:
        return self.predictions.graded(indices, self.bundle.operating_point)

    def _metrics(self, indices: "NDArray[np.int64]", names: "Iterable[str]" = METRICS) -> "Intervals":
        def statistic(resampled: "NDArray[np.int64]") -> dict[str, float]:
            return compute_metrics(self._graded(indices[resampled]), names)

        groups = self.predictions.groups[indices]
        return bootstrap.with_confidence_intervals(statistic, groups)

    def _gate_metrics(self, split: str, source: str) -> "Intervals":
        """Of all photographs of a source, those without a predicted grade too."""
        predictions, point = self.predictions, self.bundle.operating_point
        indices = np.flatnonzero((predictions.splits == split) & (predictions.sources == source))
        p_referable = predictions.probabilities[:, REFERABLE_FROM:].sum(axis=1)
        p_referable = np.nan_to_num(p_referable, nan=1.0)  # no prediction: never a negative

        def statistic(resampled: "NDArray[np.int64]") -> dict[str, float]:
            i = indices[resampled]
            return compute_gate_metrics(predictions.truth[i], p_referable[i], predictions.is_gradable[i], point)

        return bootstrap.with_confidence_intervals(statistic, predictions.groups[indices])


def write_evaluation(folder: Path, evaluation: dict[str, Any]) -> Path:
    """Write evaluation.json into a bundle's folder, and its main metrics into bundle.json."""
    path = folder / EVALUATION_FILE
    path.write_text(compact_json(evaluation))
    description = folder / "bundle.json"
    content = json.loads(description.read_text())
    description.write_text(json.dumps(content | {"metrics": main_metrics(evaluation)}, indent=1) + "\n")
    return path


def main_metrics(evaluation: dict[str, Any]) -> dict[str, dict[str, dict[str, float | int | None]]]:
    """Main metrics by split and source, without their intervals."""
    return {
        split: {
            source: {"n": entry["n"]}
            | {name: entry["metrics"][name] and entry["metrics"][name][0] for name in MAIN_METRICS}
            for source, entry in entries.items()
        }
        for split, entries in evaluation["splits"].items()
    }


def compact_json(content: dict[str, Any]) -> str:
    """Indented JSON with the innermost lists on one line."""
    text = json.dumps(content, indent=1)
    return re.sub(r"\[([^\[\]{}]*)\]", lambda m: "[" + " ".join(m[1].split()) + "]", text) + "\n"
