"""Calibration on the validation split: temperature and bias, decision rule for the grade, operating point.

It is fitted to predictions of the Grader for files, and not to the cropped photographs that training caches.
"""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import scipy.special
import torch
from torch.nn import functional

from ml.bundle import Bundle, OedemaOutput, RocTable
from ml.evaluation.evaluate import compact_json, write_evaluation
from ml.evaluation.predictions import LabelledPredictions, predict_held_out
from ml.grader import calibrated_probabilities, decide_grades
from ml.metrics.grading import expected_grade, quadratic_kappa, threshold_for_sensitivity
from ml.release.roc import roc_table
from ml.vocabulary import N_GRADES, REFERABLE_FROM

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.floating]
    Grades = NDArray[np.int64]
    Sources = NDArray[np.str_]

MIN_SENSITIVITY = 0.85
"""The operating point keeps this sensitivity on every source in validation; the pivotal trial of the first cleared
system had 0.85 as its goal and reached 0.872 (Abramoff et al., npj Digital Medicine 2018)."""

MIN_CUTPOINT_DISTANCE = 0.2
"""Between two cutpoints of the expected grade, so that every grade can be predicted."""
N_CUTPOINT_CANDIDATES, N_SWEEPS = 41, 4

N_FOLDS, N_REPEATS = 5, 3
"""Of the cross-validation that selects the decision rule."""


def calibrate_bundle(bundle: Bundle, *, data: Path, cache: Path) -> None:
    """Calibrate a bundle in its folder, and write its evaluation."""
    predictions = recalibrated(predict_held_out(bundle, data=data, cache=cache))
    calibrated, path = predictions.bundle, bundle.folder / "bundle.json"
    content = json.loads(path.read_text()) | {
        "calibration": {"temperature": calibrated.temperature, "bias": calibrated.bias},
        "cutpoints": calibrated.cutpoints,
        "operating_point": calibrated.operating_point,
    }
    if calibrated.oedema is not None:
        content["macular_oedema"] = asdict(calibrated.oedema)
    path.write_text(json.dumps(content, indent=1) + "\n")
    write_measurements(predictions, data=data)


def write_measurements(predictions: LabelledPredictions, *, data: Path) -> None:
    """Write evaluation.json into the bundle's folder, its main metrics and the ROC table into bundle.json."""
    write_evaluation(predictions, data=data)
    path = predictions.bundle.folder / "bundle.json"
    roc = asdict(measured_roc(predictions))
    path.write_text(compact_json(json.loads(path.read_text()) | {"roc": roc}))


def measured_roc(predictions: LabelledPredictions) -> RocTable:
    """The ROC table of the validation split, on probabilities that are cross-fitted as for the operating point."""
    rows = predictions.where("validation")
    truth, sources, groups = predictions.truth[rows], predictions.sources[rows], predictions.groups[rows]
    p_referable = cross_fitted(_logits(predictions)[rows], truth, sources, groups)[:, REFERABLE_FROM:].sum(axis=1)
    point = predictions.bundle.operating_point
    return roc_table(truth >= REFERABLE_FROM, p_referable, sources, groups, operating_point=point)


def recalibrated(predictions: LabelledPredictions) -> LabelledPredictions:
    """The predictions, and their bundle, with a calibration fitted on the validation split.

    Photographs without a retina have neither grade nor probabilities.
    """
    rows, logits = predictions.where("validation"), _logits(predictions)
    labels = (predictions.truth[rows], predictions.sources[rows], predictions.groups[rows])
    bundle = fit(predictions.bundle, logits[rows], *labels)
    probabilities = calibrated_probabilities(logits, bundle.temperature, bundle.bias)  # (n, K)
    grades = np.where(predictions.grades < 0, -1, decide_grades(probabilities, bundle.cutpoints))
    calibrated = replace(predictions, bundle=bundle, probabilities=probabilities, grades=grades)
    return calibrated if bundle.oedema is None else _recalibrated_oedema(calibrated, bundle.oedema)


def _recalibrated_oedema(predictions: LabelledPredictions, before: OedemaOutput) -> LabelledPredictions:
    """With a calibration of macular oedema fitted to the validation photographs that have that label."""
    rows = predictions.where("validation")
    rows = rows[predictions.oedema[rows] >= 0]
    z = (scipy.special.logit(predictions.p_oedema) - before.bias) * before.temperature  # (n,)
    logits = np.stack([np.zeros_like(z), z], axis=1)  # (n, 2)
    labels = (predictions.oedema[rows], predictions.sources[rows], predictions.groups[rows])
    temperature, bias = _fit_likelihood(logits[rows], labels[0], _source_weights(labels[1]))
    after = replace(
        before,
        temperature=temperature,
        bias=round(bias[1] - bias[0], 5),
        operating_point=select_operating_point(labels[0] == 1, cross_fitted(logits[rows], *labels)[:, 1], labels[1]),
    )
    p_oedema = scipy.special.expit(z / after.temperature + after.bias)
    return replace(predictions, bundle=replace(predictions.bundle, oedema=after), p_oedema=p_oedema)


def _logits(predictions: LabelledPredictions) -> "NDArray[np.float64]":
    """The logits (n, K) of calibrated probabilities, up to a constant for each photograph, which cancels in softmax."""
    bundle = predictions.bundle
    smallest = np.finfo(np.float64).tiny  # in place of a probability that underflowed to 0
    log_probabilities = np.log(np.maximum(predictions.probabilities, smallest))
    logits: NDArray[np.float64] = (log_probabilities - np.asarray(bundle.bias)) * bundle.temperature
    return logits


def fit(bundle: Bundle, logits: "Floats", truth: "Grades", sources: "Sources", groups: "NDArray[np.str_]") -> Bundle:
    """The bundle with a calibration for these (n, K) logits; sources weigh the same.

    Temperature and bias are fitted by maximum likelihood, then the rule and the operating point. ``groups`` (n,) are
    kept together in cross-validation: photographs of one patient, or copies.
    """
    temperature, bias = _fit_likelihood(logits, truth, _source_weights(sources))
    probabilities = calibrated_probabilities(logits, temperature, bias)
    p_referable = cross_fitted(logits, truth, sources, groups)[:, REFERABLE_FROM:].sum(axis=1)
    return replace(
        bundle,
        temperature=temperature,
        bias=bias,
        cutpoints=select_decision_rule(truth, probabilities, sources, groups),
        operating_point=select_operating_point(truth >= REFERABLE_FROM, p_referable, sources),
    )


def cross_fitted(logits: "Floats", truth: "Grades", sources: "Sources", groups: "NDArray[np.str_]") -> "Floats":
    """(n, K) probabilities, each calibrated on the photographs of the other groups."""
    probabilities = np.empty_like(logits)
    for held_out in next(folds(groups, 1)):
        rest = ~held_out
        calibration = _fit_likelihood(logits[rest], truth[rest], _source_weights(sources[rest]))
        probabilities[held_out] = calibrated_probabilities(logits[held_out], *calibration)
    return probabilities


def folds(groups: "NDArray[np.str_]", n_repeats: int) -> "Iterator[list[NDArray[np.bool_]]]":
    """For each repeat, N_FOLDS masks (n,) of the photographs held out; a group is in one fold."""
    random = np.random.default_rng(0)
    names, number = np.unique(groups, return_inverse=True)
    for _ in range(n_repeats):
        fold = (random.permutation(len(names)) % N_FOLDS)[number]  # (n,)
        yield [fold == k for k in range(N_FOLDS)]


def select_decision_rule(
    truth: "Grades", probabilities: "Floats", sources: "Sources", groups: "NDArray[np.str_]"
) -> tuple[float, ...]:
    """Cutpoints if they agree better than the most probable grade in cross-validation; else none.

    NB: cutpoints that are fitted and measured on the same 700 photographs nearly always look better.
    """
    scores = []
    for masks in folds(groups, N_REPEATS):
        grades = np.zeros_like(truth)
        for held_out in masks:
            rest = ~held_out
            cutpoints = fit_cutpoints(truth[rest], probabilities[rest], sources[rest])
            grades[held_out] = decide_grades(probabilities[held_out], cutpoints)
        scores.append(_agreement(truth, grades, sources))
    without = _agreement(truth, decide_grades(probabilities, ()), sources)
    return fit_cutpoints(truth, probabilities, sources) if np.mean(scores) > without else ()


def fit_cutpoints(truth: "Grades", probabilities: "Floats", sources: "Sources") -> tuple[float, ...]:
    """Cutpoints of the expected grade with the best agreement, by coordinate ascent."""
    by_source = [(truth[sources == s], expected_grade(probabilities[sources == s])) for s in np.unique(sources)]

    def agreement(cutpoints: tuple[float, ...]) -> float:
        return _mean_agreement([(t, np.searchsorted(cutpoints, mean, side="right")) for t, mean in by_source])

    best: tuple[float, ...] = (0.5, 1.5, 2.5, 3.5)
    for _ in range(N_SWEEPS):
        before = best
        for i in range(len(best)):
            low = best[i - 1] + MIN_CUTPOINT_DISTANCE if i else MIN_CUTPOINT_DISTANCE
            high = (best[i + 1] if i + 1 < len(best) else N_GRADES - 1) - MIN_CUTPOINT_DISTANCE
            values = np.linspace(low, high, N_CUTPOINT_CANDIDATES)
            candidates = [(*best[:i], round(float(value), 3), *best[i + 1 :]) for value in values]
            best = max([best, *candidates], key=agreement)
        if best == before:
            break
    return best


def _agreement(truth: "Grades", grades: "Grades", sources: "Sources") -> float:
    return _mean_agreement([(truth[sources == name], grades[sources == name]) for name in np.unique(sources)])


def _mean_agreement(by_source: "list[tuple[Grades, Grades]]") -> float:
    """Kappa plus accuracy, mean of the sources: kappa alone would grade many healthy eyes as mild."""
    return float(np.mean([quadratic_kappa(t, g) + (t == g).mean() for t, g in by_source]))


def _source_weights(sources: "Sources") -> "NDArray[np.float64]":
    """(n,) weights with the same sum for every source; mean 1."""
    names, number, counts = np.unique(sources, return_inverse=True, return_counts=True)
    weights: NDArray[np.float64] = len(sources) / len(names) / counts[number]
    return weights


def _fit_likelihood(
    logits: "Floats", truth: "Grades", weights: "NDArray[np.float64]"
) -> tuple[float, tuple[float, ...]]:
    x, y, w = torch.from_numpy(logits).double(), torch.from_numpy(truth), torch.from_numpy(weights)
    log_temperature = torch.zeros((), dtype=torch.float64, requires_grad=True)
    bias = torch.zeros(logits.shape[1], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([log_temperature, bias], max_iter=200, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        losses = functional.cross_entropy(x / log_temperature.exp() + bias, y, reduction="none")
        loss = (losses * w).mean() + 1e-3 * bias.square().sum()
        loss.backward()  # type: ignore[no-untyped-call]  # torch has no type for it
        return loss

    optimizer.step(closure)  # type: ignore[no-untyped-call]  # torch has no type for it
    centered = bias.detach() - bias.detach().mean()
    return round(float(log_temperature.detach().exp()), 5), tuple(round(float(b), 5) for b in centered)


def select_operating_point(positive: "NDArray[np.bool_]", p: "Floats", sources: "Sources") -> float:
    """The highest threshold of p (n,) that keeps MIN_SENSITIVITY on every source with positive photographs."""
    chosen = [sources == source for source in np.unique(sources[positive])]
    threshold = min(threshold_for_sensitivity(positive[rows], p[rows], MIN_SENSITIVITY) for rows in chosen)
    return round(min(0.999, max(0.001, threshold - 5e-5)), 4)
