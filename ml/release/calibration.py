"""Calibration on the validation split: temperature and bias, decision rule for the grade, operating point.

It is fitted to predictions of the Grader for files, and not to the cropped photographs that training caches.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional

from ml.bundle import Bundle
from ml.evaluation.evaluate import write_evaluation
from ml.evaluation.predictions import LabelledPredictions, predict_held_out
from ml.grader import calibrated_probabilities, decide_grades
from ml.metrics.grading import expected_grade, quadratic_kappa, sensitivity_specificity, threshold_for_sensitivity
from ml.vocabulary import N_GRADES, REFERABLE_FROM

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.floating]
    Grades = NDArray[np.int64]
    Sources = NDArray[np.str_]

TARGET_SENSITIVITY = 0.90
"""Mean sensitivity of the sources for grade >= 2 in validation; the pivotal trial of the first cleared system reached
0.872 (Abramoff et al., npj Digital Medicine 2018)."""

REFERENCE_SOURCE, REFERENCE_TARGETS = "aptos2019", (0.95, 0.90)
"""The easiest source, and the sensitivity and specificity that the operating point reaches on it if it can."""
MIN_MEAN_SENSITIVITY = 0.80
"""An operating point with a lower mean sensitivity of the sources is not used, even if it meets REFERENCE_TARGETS:
TARGET_SENSITIVITY then decides, because a missed eye costs more than an unnecessary referral."""

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
    path.write_text(json.dumps(content, indent=1) + "\n")
    write_evaluation(predictions)


def recalibrated(predictions: LabelledPredictions) -> LabelledPredictions:
    """The predictions, and their bundle, with a calibration fitted on the validation split.

    Photographs without a retina have neither grade nor probabilities.
    """
    rows, logits = predictions.where("validation"), _logits(predictions)
    labels = (predictions.truth[rows], predictions.sources[rows], predictions.groups[rows])
    bundle = fit(predictions.bundle, logits[rows], *labels)
    probabilities = calibrated_probabilities(logits, bundle.temperature, bundle.bias)  # (n, K)
    grades = np.where(predictions.grades < 0, -1, decide_grades(probabilities, bundle.cutpoints))
    return replace(predictions, bundle=bundle, probabilities=probabilities, grades=grades)


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
    return replace(
        bundle,
        temperature=temperature,
        bias=bias,
        cutpoints=select_decision_rule(truth, probabilities, sources, groups),
        operating_point=select_operating_point(truth, probabilities[:, REFERABLE_FROM:].sum(axis=1), sources),
    )


def select_decision_rule(
    truth: "Grades", probabilities: "Floats", sources: "Sources", groups: "NDArray[np.str_]"
) -> tuple[float, ...]:
    """Cutpoints if they agree better than the most probable grade in cross-validation; else none.

    NB: cutpoints that are fitted and measured on the same 700 photographs nearly always look better.
    """
    random = np.random.default_rng(0)
    names, number = np.unique(groups, return_inverse=True)
    scores = []
    for _ in range(N_REPEATS):
        fold = (random.permutation(len(names)) % N_FOLDS)[number]  # (n,)
        grades = np.zeros_like(truth)
        for k in range(N_FOLDS):
            rest = fold != k
            cutpoints = fit_cutpoints(truth[rest], probabilities[rest], sources[rest])
            grades[~rest] = decide_grades(probabilities[~rest], cutpoints)
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
    bias = torch.zeros(N_GRADES, dtype=torch.float64, requires_grad=True)
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


def select_operating_point(truth: "Grades", p_referable: "Floats", sources: "Sources") -> float:
    """Threshold of P(grade >= 2) for referral.

    The median of the thresholds that meet REFERENCE_TARGETS and MIN_MEAN_SENSITIVITY; if there is none, the highest
    whose mean sensitivity over the sources reaches TARGET_SENSITIVITY.
    """
    by_source = {str(s): (truth[sources == s], p_referable[sources == s]) for s in np.unique(sources)}
    targets = np.linspace(0.6, 1.0, 41)
    candidates = np.unique(
        [threshold_for_sensitivity(t, p, target) for t, p in by_source.values() for target in targets]
    )
    mean = {c: np.mean([sensitivity_specificity(t, p, c)[0] for t, p in by_source.values()]) for c in candidates}
    suitable = [
        c
        for c in candidates
        if mean[c] >= MIN_MEAN_SENSITIVITY
        and REFERENCE_SOURCE in by_source
        and _meets_targets(*by_source[REFERENCE_SOURCE], c)
    ]
    chosen = suitable[len(suitable) // 2] if suitable else max(c for c in candidates if mean[c] >= TARGET_SENSITIVITY)
    return round(min(0.999, max(0.001, float(chosen) - 5e-5)), 4)


def _meets_targets(truth: "Grades", p_referable: "Floats", threshold: float) -> bool:
    reached = sensitivity_specificity(truth, p_referable, threshold)
    return all(value >= target for value, target in zip(reached, REFERENCE_TARGETS, strict=True))
