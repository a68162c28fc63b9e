"""Evaluate a bundle on photographs it was not trained on: ``python -m ml evaluate [BUNDLE]``.

The files are graded through the Grader, so the metrics are those of what a clinic installs. ``evaluation.json`` goes
into the bundle's folder.
"""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ml.bundle import EVALUATION_FILE
from ml.evaluation.lesion_heatmaps import heatmap_metrics, held_out_masks
from ml.evaluation.predictions import EXTERNAL, LabelledPredictions, fingerprint
from ml.grader import Grader
from ml.metrics import bootstrap
from ml.metrics.grading import (
    MAIN_METRICS,
    METRICS,
    SUBGROUP_METRICS,
    calibration_curve,
    compute_metrics,
    confusion_matrix,
    ece_noise_floor,
)
from ml.metrics.oedema import compute_oedema_metrics
from ml.metrics.quality_gate import compute_gate_metrics
from ml.vocabulary import N_GRADES, REFERABLE_FROM

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Intervals = dict[str, list[float | None] | None]

MIN_SUBGROUP_PHOTOS = 30
MASKS = "idrid_masks"
"""Folder of the photographs with lesion masks below the data folder."""


def build_evaluation(predictions: LabelledPredictions, *, masks: Path | None = None) -> dict[str, Any]:
    """The content of evaluation.json: every metric of every split and source, and of subgroups of the first split.

    ``masks`` is a folder of photographs with lesion masks, to compare the heatmaps with.
    """
    bundle = predictions.bundle
    splits = [split for split in ("test", "validation", EXTERNAL) if (predictions.splits == split).any()]
    sources = {split: predictions.sources_in(split) for split in splits}
    return {
        "format": 1,
        "model_version": bundle.model_version,
        "weights_sha256": bundle.weights_sha256,
        "operating_point": bundle.operating_point,
        "n_resamples": bootstrap.N_RESAMPLES,
        "fingerprints": {split: fingerprint(predictions.photos, split) for split in splits},
        "splits": {split: {s: _source_entry(predictions, split, s) for s in sources[split]} for split in splits},
        "subgroups": {s: _subgroups(predictions, splits[0], s) for s in sources[splits[0]]},
        "lesion_heatmaps": heatmap_metrics(Grader.load(bundle.folder), held_out_masks(masks)) if masks else {},
    }


def _source_entry(predictions: LabelledPredictions, split: str, source: str) -> dict[str, Any]:
    """Everything about one source of a split."""
    indices = predictions.where(split, source)
    graded = predictions.graded(indices)
    curve = calibration_curve(graded.is_referable, graded.p_referable)
    return {
        "n": len(indices),
        "n_groups": len(np.unique(predictions.groups[indices])),
        "n_by_grade": np.bincount(graded.truth, minlength=N_GRADES).tolist(),
        "metrics": _metrics(predictions, indices),
        "confusion_matrix": confusion_matrix(graded.truth, graded.grades).tolist(),
        "calibration_curve": [[round(p, 4), round(observed, 4), n] for p, observed, n in curve],
        "ece_noise_floor": round(ece_noise_floor(graded.p_referable), 4),
        "quality_gate": _gate_metrics(predictions, split, source),
        "macular_oedema": _oedema_metrics(predictions, split, source),
    }


def _subgroups(predictions: LabelledPredictions, split: str, source: str) -> dict[str, dict[str, Any]]:
    """Metrics by attribute, if a source has at least two groups of MIN_SUBGROUP_PHOTOS."""
    indices = predictions.where(split, source)
    entries: dict[str, dict[str, Any]] = {}
    for attribute, all_values in predictions.attributes.items():
        values = all_values[indices]
        unique, counts = np.unique(values, return_counts=True)
        names = [v for v, n in zip(unique.tolist(), counts, strict=True) if v and n >= MIN_SUBGROUP_PHOTOS]
        if len(names) > 1:
            entries[attribute] = {name: _subgroup_entry(predictions, indices[values == name]) for name in names}
    return entries


def _subgroup_entry(predictions: LabelledPredictions, indices: "NDArray[np.int64]") -> dict[str, Any]:
    return {
        "n": len(indices),
        "n_referable": int((predictions.truth[indices] >= REFERABLE_FROM).sum()),
        "metrics": _metrics(predictions, indices, SUBGROUP_METRICS),
    }


def _metrics(
    predictions: LabelledPredictions, indices: "NDArray[np.int64]", names: Iterable[str] = METRICS
) -> "Intervals":
    def statistic(resampled: "NDArray[np.int64]") -> dict[str, float]:
        return compute_metrics(predictions.graded(indices[resampled]), names)

    return bootstrap.with_confidence_intervals(statistic, predictions.groups[indices])


def _gate_metrics(predictions: LabelledPredictions, split: str, source: str) -> "Intervals":
    """Of all photographs of a source, those without a predicted grade too."""
    indices = np.flatnonzero((predictions.splits == split) & (predictions.sources == source))
    p_referable = predictions.probabilities[:, REFERABLE_FROM:].sum(axis=1)
    p_referable = np.nan_to_num(p_referable, nan=1.0)  # no prediction: never a negative

    def statistic(resampled: "NDArray[np.int64]") -> dict[str, float]:
        i, point = indices[resampled], predictions.bundle.operating_point
        return compute_gate_metrics(
            predictions.truth[i] >= REFERABLE_FROM, p_referable[i], predictions.is_gradable[i], point
        )

    return bootstrap.with_confidence_intervals(statistic, predictions.groups[indices])


def _oedema_metrics(predictions: LabelledPredictions, split: str, source: str) -> dict[str, Any] | None:
    """Of the photographs with that label; None if the source or the model has none."""
    output, indices = predictions.bundle.oedema, predictions.where(split, source)
    indices = indices[(predictions.oedema[indices] >= 0) & np.isfinite(predictions.p_oedema[indices])]
    if output is None or not len(indices):
        return None
    oedema = predictions.oedema == 1

    def statistic(resampled: "NDArray[np.int64]") -> dict[str, float]:
        i = indices[resampled]
        return compute_oedema_metrics(oedema[i], predictions.p_oedema[i], output.operating_point)

    metrics = bootstrap.with_confidence_intervals(statistic, predictions.groups[indices])
    return {"n": len(indices), "n_positive": int(oedema[indices].sum()), "metrics": metrics}


def write_evaluation(predictions: LabelledPredictions, *, data: Path) -> None:
    """Write evaluation.json into the bundle's folder, and its main metrics into bundle.json.

    Heatmaps are compared with lesion masks if ``data`` has the folder MASKS.
    """
    masks = data / MASKS
    evaluation = build_evaluation(predictions, masks=masks if masks.is_dir() else None)
    folder = predictions.bundle.folder
    (folder / EVALUATION_FILE).write_text(compact_json(evaluation))
    description = folder / "bundle.json"
    content = json.loads(description.read_text())
    description.write_text(compact_json(content | {"metrics": main_metrics(evaluation)}))


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
