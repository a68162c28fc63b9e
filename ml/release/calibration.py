"""Fit on validation photographs what stands between logits and a decision: calibration, grade rule, operating point.

Isotonic regression was tried in place of temperature and bias. On the test part of student 0.2.0 it changed the
calibration error from 0.044, 0.068 and 0.074 (APTOS, EyePACS, ODIR) to 0.034, 0.036 and 0.070, of which chance alone
gives 0.034, 0.068 and 0.052, and made the Brier score worse on each (mean 0.1148 instead of 0.1102): it follows the
noise of 700 photographs, and it says nothing about the single grades.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional

from ml.metrics.grading import expected_grade, quadratic_kappa, sensitivity_specificity, threshold_for_sensitivity
from ml.vocabulary import N_GRADES, REFERABLE_FROM

if TYPE_CHECKING:
    from numpy.typing import NDArray

WANTED_SENSITIVITY = 0.90
"""Of the eyes with grade >= 2 in validation, the share the operating point must flag; the pivotal trial of the first
cleared system reached 0.872 (Abramoff et al., npj Digital Medicine 2018)."""

EASIEST_SOURCE, EASIEST_WANTED, LEAST_SENSITIVITY = "aptos2019", (0.95, 0.90), 0.80
"""Where the sources' mean sensitivity stays above the last number, the operating point is one that reaches this
sensitivity and specificity on the easiest source. A network that separates the other sources too badly for that is
set to WANTED_SENSITIVITY instead, and flags too many: a missed eye costs more than one seen in vain."""

LEAST_GAP = 0.2
"""Between two cuts of the mean grade, so that no grade dies out because it is the hardest to tell."""

N_FOLDS, N_REPEATS = 5, 3
"""Of the cross-validation that decides whether the grade is read by cuts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Probabilities are softmax(logits / ``temperature`` + ``bias``); the grade is how many of the four ``grade_cuts``
    the mean grade under them reaches, or the most probable one where there are no cuts."""

    temperature: float
    bias: tuple[float, ...]
    grade_cuts: tuple[float, ...]
    operating_point: float

    def probabilities(self, logits: "NDArray[np.floating]") -> "NDArray[np.float64]":
        """(n, K) logits -> (n, K) calibrated probabilities."""
        scaled = logits / self.temperature + np.asarray(self.bias)
        powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
        shares: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
        return shares

    def grades(self, probabilities: "NDArray[np.floating]") -> "NDArray[np.int64]":
        """(n, K) -> (n,) grades by the chosen rule."""
        return grades_by_cuts(self.grade_cuts, probabilities)


def grades_by_cuts(cuts: tuple[float, ...], probabilities: "NDArray[np.floating]") -> "NDArray[np.int64]":
    """(n, K) -> (n,): how many cuts the mean grade reaches; without cuts the most probable grade."""
    if not cuts:
        return np.asarray(probabilities.argmax(axis=1), np.int64)
    return np.asarray(np.searchsorted(cuts, expected_grade(probabilities), side="right"), np.int64)


def fit(
    logits: "NDArray[np.floating]",
    truth: "NDArray[np.int64]",
    sources: "NDArray[np.str_]",
    *,
    groups: "NDArray[np.str_] | None" = None,
) -> Calibration:
    """Fit temperature and bias by likelihood, then the rule and the operating point, every source counting alike.

    ``groups`` (n,): photographs of one person or copies, which cross-validation keeps together; else each by itself.
    """
    temperature, bias = _fit_likelihood(logits, truth, _source_weights(sources))
    draft = Calibration(temperature=temperature, bias=bias, grade_cuts=(), operating_point=0.5)
    probabilities = draft.probabilities(logits)
    p_referable = probabilities[:, REFERABLE_FROM:].sum(axis=1)
    return Calibration(
        temperature=temperature,
        bias=bias,
        grade_cuts=_best_rule(truth, probabilities, sources, np.arange(len(truth)) if groups is None else groups),
        operating_point=_operating_point(truth, p_referable, sources),
    )


def _best_rule(
    truth: "NDArray[np.int64]",
    probabilities: "NDArray[np.floating]",
    sources: "NDArray[np.str_]",
    groups: "NDArray[np.generic]",
) -> tuple[float, ...]:
    """The best cuts, where such cuts agree better with photographs that they were not fitted on than the most probable
    grade does; else none.

    Four cuts follow the noise of 700 photographs: fitted and measured on the same ones they nearly always look better.
    """
    plain = _agreement(truth, grades_by_cuts((), probabilities), sources)
    random = np.random.default_rng(0)
    names, of_group = np.unique(groups, return_inverse=True)
    by_cuts = []
    for _ in range(N_REPEATS):
        fold = (random.permutation(len(names)) % N_FOLDS)[of_group]  # (n,)
        grades = np.zeros_like(truth)
        for k in range(N_FOLDS):
            rest = fold != k
            cuts = _best_cuts(truth[rest], probabilities[rest], sources[rest])
            grades[~rest] = grades_by_cuts(cuts, probabilities[~rest])
        by_cuts.append(_agreement(truth, grades, sources))
    return _best_cuts(truth, probabilities, sources) if np.mean(by_cuts) > plain else ()


def _best_cuts(
    truth: "NDArray[np.int64]", probabilities: "NDArray[np.floating]", sources: "NDArray[np.str_]"
) -> tuple[float, ...]:
    """The cuts of the mean grade with the best agreement, moved one at a time."""

    def agreement(cuts: tuple[float, ...]) -> float:
        return _agreement(truth, grades_by_cuts(cuts, probabilities), sources)

    cuts: tuple[float, ...] = (0.5, 1.5, 2.5, 3.5)
    for _ in range(4):
        for i in range(len(cuts)):
            low = cuts[i - 1] + LEAST_GAP if i else LEAST_GAP
            high = cuts[i + 1] - LEAST_GAP if i + 1 < len(cuts) else N_GRADES - 1 - LEAST_GAP
            trials = [(*cuts[:i], round(float(c), 3), *cuts[i + 1 :]) for c in np.linspace(low, high, 41)]
            cuts = max([cuts, *trials], key=agreement)
    return cuts


def _agreement(truth: "NDArray[np.int64]", grades: "NDArray[np.int64]", sources: "NDArray[np.str_]") -> float:
    """Kappa plus accuracy, as mean over the sources: kappa alone would call many healthy eyes mild."""
    each = [(truth[sources == name], grades[sources == name]) for name in np.unique(sources)]
    return float(np.mean([quadratic_kappa(t, g) + (t == g).mean() for t, g in each]))


def _source_weights(sources: "NDArray[np.str_]") -> "NDArray[np.float64]":
    """(n,) weights under which every source counts alike; mean 1."""
    names, which, counts = np.unique(sources, return_inverse=True, return_counts=True)
    weights: NDArray[np.float64] = len(sources) / len(names) / counts[which]
    return weights


def _fit_likelihood(
    logits: "NDArray[np.floating]", truth: "NDArray[np.int64]", weights: "NDArray[np.float64]"
) -> tuple[float, tuple[float, ...]]:
    x, y, w = torch.from_numpy(logits).double(), torch.from_numpy(truth), torch.from_numpy(weights)
    log_temperature = torch.zeros((), dtype=torch.float64, requires_grad=True)
    bias = torch.zeros(N_GRADES, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([log_temperature, bias], max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        each = functional.cross_entropy(x / log_temperature.exp() + bias, y, reduction="none")
        total = (each * w).mean() + 1e-3 * bias.square().sum()
        total.backward()  # type: ignore[no-untyped-call]
        return total

    optimiser.step(loss)  # type: ignore[no-untyped-call]
    centred = bias.detach() - bias.detach().mean()
    return float(log_temperature.detach().exp()), tuple(round(float(b), 5) for b in centred)


def _operating_point(
    truth: "NDArray[np.int64]", p_referable: "NDArray[np.floating]", sources: "NDArray[np.str_]"
) -> float:
    """The middle threshold of those that meet EASIEST_WANTED and LEAST_SENSITIVITY; where there is none, the highest
    whose mean sensitivity over the sources reaches WANTED_SENSITIVITY."""
    parts = {str(s): (truth[sources == s], p_referable[sources == s]) for s in np.unique(sources)}
    candidates = np.unique(
        [threshold_for_sensitivity(t, p, wanted) for t, p in parts.values() for wanted in np.linspace(0.6, 1.0, 41)]
    )
    mean = {c: np.mean([sensitivity_specificity(t, p, c)[0] for t, p in parts.values()]) for c in candidates}
    useful = [
        c
        for c in candidates
        if mean[c] >= LEAST_SENSITIVITY and EASIEST_SOURCE in parts and _meets_wanted(*parts[EASIEST_SOURCE], c)
    ]
    chosen = useful[len(useful) // 2] if useful else max(c for c in candidates if mean[c] >= WANTED_SENSITIVITY)
    return round(min(0.999, max(0.001, float(chosen) - 5e-5)), 4)


def _meets_wanted(truth: "NDArray[np.int64]", p_referable: "NDArray[np.floating]", threshold: float) -> bool:
    reached = sensitivity_specificity(truth, p_referable, threshold)
    return all(found >= wanted for found, wanted in zip(reached, EASIEST_WANTED, strict=True))
