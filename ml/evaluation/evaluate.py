"""Evaluate a bundle on photographs it was not trained on: ``python -m ml evaluate [BUNDLE]``.

The files are graded through the Grader, so the metrics are those of what a clinic installs. ``evaluation.json`` goes
into the bundle's folder.
"""

import json
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ml.bundle import EVALUATION_FILE, Bundle
from ml.evaluation.lesion_heatmaps import LesionMasks, heatmap_metrics, masks_by_split
from ml.evaluation.predictions import EXTERNAL, LabelledPredictions, fingerprint
from ml.grader import Grader
from ml.metrics import bootstrap
from ml.metrics.grading import (
    MAIN_METRICS,
    METRICS,
    REFERRAL_METRICS,
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

MIN_SUBGROUP_PHOTOS = 10
"""Referable, and others: a smaller group has no metrics."""
MASKS, MASKS_GRADED = "idrid_masks", "idrid"
"""Folders below the data folder: photographs with lesion masks, and the source that has some of them too."""


def build_evaluation(
    predictions: LabelledPredictions, *, masks: dict[str, list[LesionMasks]] | None = None
) -> dict[str, Any]:
    """The content of evaluation.json: every metric of every split and source, and of subgroups of the first split.

    The heatmaps are compared with lesion ``masks``, by HELD_OUT and TRAINING.
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
        "lesion_heatmaps": _heatmap_metrics(bundle, masks) if masks else {},
    }


def _heatmap_metrics(bundle: Bundle, masks: dict[str, list[LesionMasks]]) -> dict[str, Any]:
    grader = Grader.load(bundle.folder)
    return {split: heatmap_metrics(grader, photos) for split, photos in masks.items()}


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
    """Counts and metrics by attribute, if a source has at least two groups."""
    indices = predictions.where(split, source)
    entries: dict[str, dict[str, Any]] = {}
    for attribute, all_values in predictions.attributes.items():
        values = all_values[indices]
        names = [name for name in np.unique(values).tolist() if name]
        if len(names) > 1:
            entries[attribute] = {name: _subgroup_entry(predictions, indices[values == name]) for name in names}
    return entries


def _subgroup_entry(predictions: LabelledPredictions, indices: "NDArray[np.int64]") -> dict[str, Any]:
    """Without metrics if fewer than MIN_SUBGROUP_PHOTOS are referable, or are not."""
    n, n_referable = len(indices), int((predictions.truth[indices] >= REFERABLE_FROM).sum())
    is_enough = min(n_referable, n - n_referable) >= MIN_SUBGROUP_PHOTOS
    metrics = _metrics(predictions, indices, REFERRAL_METRICS) if is_enough else dict.fromkeys(REFERRAL_METRICS)
    return {
        "n": n,
        "n_groups": len(np.unique(predictions.groups[indices])),
        "n_referable": n_referable,
        "metrics": metrics,
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
    """Of the photographs with that label; None if the source or the model has none. Uncertain ones are counted."""
    output, found = predictions.bundle.oedema, predictions.where(split, source)
    found = found[np.isfinite(predictions.p_oedema[found])]
    indices = found[predictions.oedema[found] >= 0]
    if output is None or not len(indices):
        return None
    oedema = predictions.oedema == 1
    uncertain = [i for i in found if predictions.photos[i].is_oedema_uncertain]

    def statistic(resampled: "NDArray[np.int64]") -> dict[str, float]:
        i = indices[resampled]
        return compute_oedema_metrics(oedema[i], predictions.p_oedema[i], output.operating_point)

    metrics = bootstrap.with_confidence_intervals(statistic, predictions.groups[indices])
    return {
        "n": len(indices),
        "n_positive": int(oedema[indices].sum()),
        "n_uncertain": len(uncertain),
        "n_uncertain_suspected": int((predictions.p_oedema[uncertain] >= output.operating_point).sum()),
        "metrics": metrics,
    }


def write_evaluation(predictions: LabelledPredictions, *, data: Path) -> None:
    """Write evaluation.json into the bundle's folder, and its main metrics into bundle.json.

    Heatmaps are compared with lesion masks if ``data`` has the folder MASKS.
    """
    evaluation = build_evaluation(predictions, masks=lesion_masks(data))
    folder = predictions.bundle.folder
    (folder / EVALUATION_FILE).write_text(compact_json(evaluation))
    description = folder / "bundle.json"
    content = json.loads(description.read_text())
    description.write_text(compact_json(content | {"metrics": main_metrics(evaluation)}))


@cache
def lesion_masks(data: Path) -> dict[str, list[LesionMasks]]:
    """Photographs with lesion masks by HELD_OUT and TRAINING; none without the folder MASKS. Read only: cached."""
    folder = data / MASKS
    return masks_by_split(folder, graded=data / MASKS_GRADED) if folder.is_dir() else {}


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
