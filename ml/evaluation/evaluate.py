"""Measure a bundle on photographs it was not trained on: ``python -m ml evaluate [BUNDLE] [--against OTHER]``.

The very files are read through the Grader, so the figures are those of what a clinic installs. ``evaluation.json`` and
the card go into the bundle's folder, the report with its pictures into a folder of its own (``--out``).
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
    read,
)
from ml.grader import Grader
from ml.metrics.bootstrap import N_RESAMPLES, with_intervals
from ml.metrics.grading import (
    calibration_curve,
    confusion,
    ece_noise_floor,
    figures,
    sensitivity_specificity,
    share,
)
from ml.vocabulary import N_GRADES, REFERABLE_FROM

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST_IN_SUBGROUP = 30
SUBGROUP_FIGURES = (
    "accuracy",
    "quadratic_kappa",
    "referable_auc",
    "referable_sensitivity",
    "referable_specificity",
)
SUMMARY = {
    name: name for name in (*SUBGROUP_FIGURES, "quadratic_kappa_most_probable", "referable_brier", "calibration_error")
} | {"proliferative_sensitivity": "sensitivity_grade_4"}


def evaluate(
    bundle: Bundle, *, data: Path, cache: Path, n_resamples: int = N_RESAMPLES
) -> tuple[dict[str, Any], LabelledPredictions]:
    """Grade all photographs kept from the bundle's training; the content of evaluation.json, and the predictions."""
    photos = photos_for(bundle, data=data, cache=cache)
    readings = read(Grader.load(bundle.folder), photos)
    return describe(bundle, readings, n_resamples=n_resamples), readings


def photos_for(bundle: Bundle, *, data: Path, cache: Path) -> list[EvaluationPhoto]:
    """Validation and test parts of the split the bundle was trained on, and all of the sources it never saw."""
    stage = bundle.training["stages"][-1]
    trained_on = tuple({s: None for each in bundle.training["stages"] for s in each["sources"]})
    retinas = load_dataset([data / s for s in stage["sources"]], side_px=stage["cache_size"], cache=cache)
    return held_out_photos(data, retinas) + external_photos(data, trained_on)


def describe(bundle: Bundle, readings: LabelledPredictions, *, n_resamples: int = N_RESAMPLES) -> dict[str, Any]:
    """Every figure of every part, source and subgroup."""
    parts = [part for part in ("test", "validation", EXTERNAL) if (readings.parts == part).any()]
    return {
        "format": 1,
        "model_version": bundle.model_version,
        "weights_sha256": bundle.weights_sha256,
        "operating_point": bundle.operating_point,
        "n_resamples": n_resamples,
        "photographs": {part: fingerprint(readings.photos, part) for part in parts},
        "parts": {
            part: {
                source: _source_entry(bundle, readings, part, source, n_resamples)
                for source in readings.sources_in(part)
            }
            for part in parts
        },
        "subgroups": {
            source: _subgroups(bundle, readings, parts[0], source, n_resamples)
            for source in readings.sources_in(parts[0])
        },
    }


def _source_entry(
    bundle: Bundle, readings: LabelledPredictions, part: str, source: str, n_resamples: int
) -> dict[str, Any]:
    rows = readings.where(part, source)
    truth, probabilities = readings.truth[rows], readings.probabilities[rows]
    p_referable = probabilities[:, REFERABLE_FROM:].sum(axis=1)
    curve = calibration_curve(truth >= REFERABLE_FROM, p_referable)
    return {
        "n": len(rows),
        "n_people_or_sets_of_copies": len(np.unique(readings.groups[rows])),
        "n_by_grade": np.bincount(truth, minlength=N_GRADES).tolist(),
        "figures": _figures(bundle, readings, rows, n_resamples),
        "confusion": confusion(truth, readings.grades[rows]).tolist(),
        "calibration_curve": [[round(p, 4), round(seen, 4), n] for p, seen, n in curve],
        "calibration_error_by_chance": round(ece_noise_floor(p_referable), 4),
        "quality_gate": _gate(bundle, readings, part, source, n_resamples),
    }


def _figures(
    bundle: Bundle, readings: LabelledPredictions, rows: "NDArray[np.int64]", n_resamples: int
) -> dict[str, list[float | None] | None]:
    """Figures with intervals of some rows, graded whatever their quality."""
    truth, probabilities, grades = readings.truth[rows], readings.probabilities[rows], readings.grades[rows]

    def measure(drawn: "NDArray[np.int64]") -> dict[str, float]:
        return figures(truth[drawn], probabilities[drawn], grades[drawn], bundle.operating_point)

    return with_intervals(measure, readings.groups[rows], n_resamples=n_resamples)


def _gate(
    bundle: Bundle, readings: LabelledPredictions, part: str, source: str, n_resamples: int
) -> dict[str, list[float | None] | None]:
    """What the quality gate does: the share it accepts, and sensitivity and specificity of what follows.

    *accepted*: among accepted photographs alone. *intention to screen*: of all, where an ungradable one counts as
    positive, because it is sent for another photograph or the slit lamp.
    """
    rows = np.flatnonzero((readings.parts == part) & (readings.sources == source))
    truth, accepted = readings.truth[rows], readings.is_gradable[rows]
    p_referable = np.nan_to_num(readings.probabilities[rows, REFERABLE_FROM:].sum(axis=1), nan=1.0)
    screened = np.where(accepted, p_referable, 1.0)

    def measure(drawn: "NDArray[np.int64]") -> dict[str, float]:
        t, a = truth[drawn], accepted[drawn]
        among = sensitivity_specificity(t[a], p_referable[drawn][a], bundle.operating_point)
        intended = sensitivity_specificity(t, screened[drawn], bundle.operating_point)
        return {
            "imageability": share(a),
            "sensitivity_accepted": among[0],
            "specificity_accepted": among[1],
            "sensitivity_intention_to_screen": intended[0],
            "specificity_intention_to_screen": intended[1],
        }

    return with_intervals(measure, readings.groups[rows], n_resamples=n_resamples)


def _subgroups(
    bundle: Bundle, readings: LabelledPredictions, part: str, source: str, n_resamples: int
) -> dict[str, dict[str, Any]]:
    """By camera geometry, eye, sex and age, where a source knows at least two groups of 30 photographs."""
    rows = readings.where(part, source)
    found: dict[str, dict[str, Any]] = {}
    for attribute in ATTRIBUTES:
        values = readings.attributes[attribute][rows]
        names = [v for v in np.unique(values).tolist() if v and (values == v).sum() >= LEAST_IN_SUBGROUP]
        if len(names) < 2:
            continue
        found[attribute] = {}
        for name in names:
            chosen = rows[values == name]
            all_figures = _figures(bundle, readings, chosen, n_resamples)
            kept = {figure: all_figures[figure] for figure in SUBGROUP_FIGURES}
            found[attribute][name] = {
                "n": len(chosen),
                "n_referable": int((readings.truth[chosen] >= REFERABLE_FROM).sum()),
                "figures": kept,
            }
    return found


def write_evaluation(folder: Path, evaluation: dict[str, Any]) -> Path:
    """Write evaluation.json into a bundle's folder, and its main figures into bundle.json, for who reads only that."""
    path = folder / EVALUATION_FILE
    path.write_text(as_json(evaluation))
    description = folder / "bundle.json"
    content = json.loads(description.read_text())
    description.write_text(json.dumps(content | {"metrics": summary(evaluation)}, indent=1) + "\n")
    return path


def summary(evaluation: dict[str, Any]) -> dict[str, dict[str, dict[str, float | int | None]]]:
    """Part -> source -> main figures without their intervals."""
    return {
        part: {
            source: {"n": entry["n"]}
            | {
                name: None if entry["figures"][figure] is None else entry["figures"][figure][0]
                for name, figure in SUMMARY.items()
            }
            for source, entry in entries.items()
        }
        for part, entries in evaluation["parts"].items()
    }


def as_json(content: dict[str, Any]) -> str:
    """Indented JSON with the innermost lists on one line, so that a triple of numbers reads as one."""
    text = json.dumps(content, indent=1)
    return re.sub(r"\[([^\[\]{}]*)\]", lambda m: "[" + " ".join(m[1].split()) + "]", text) + "\n"
