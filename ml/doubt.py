"""Which number tells a reviewer that the network may be wrong? Several are tried; each is judged by how well it sorts.

The area under the curve of a doubt says how often a photograph that was graded wrongly has more of it than one that
was graded rightly: 0.5 is no help.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from ml.metrics.bootstrap import bootstrap, interval
from ml.metrics.grading import area_under_curve, quadratic_kappa, referable_auc
from ml.vocabulary import N_GRADES, REFERABLE_FROM

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.evaluation.predictions import LabelledPredictions

FAR = 2
"""An error of this many grades or more is one that a reviewer should be warned of."""


def doubts(
    readings: "LabelledPredictions", rows: "NDArray[np.int64]", operating_point: float
) -> "dict[str, NDArray[np.float64]]":
    """(n,) scores, higher for more doubt."""
    p = np.clip(readings.probabilities[rows], 1e-12, 1)  # (n, K)
    p_referable = p[:, REFERABLE_FROM:].sum(axis=1)
    steps = np.arange(N_GRADES)
    mean = p @ steps
    scores = {
        "one_less_the_highest_probability": 1 - p.max(axis=1),
        "entropy": -(p * np.log(p)).sum(axis=1),
        "spread_of_the_grade": p @ steps**2 - mean**2,
        "closeness_to_the_operating_point": -np.abs(_logit(p_referable) - _logit(np.array(operating_point))),
        "poor_quality": 1 - readings.p_gradable[rows],
    }
    if readings.mirrored is not None:
        apart = np.abs(p_referable - readings.mirrored[rows][:, REFERABLE_FROM:].sum(axis=1))
        scores["difference_when_mirrored"] = np.nan_to_num(apart, nan=1.0)
    return scores


def _logit(p: "NDArray[np.float64]") -> "NDArray[np.float64]":
    held = np.clip(p, 1e-6, 1 - 1e-6)
    odds: NDArray[np.float64] = np.log(held / (1 - held))
    return odds


def doubt_figures(readings: "LabelledPredictions", operating_point: float) -> dict[str, Any]:
    """For each source of the test part: how well each doubt sorts wrong from right, and what mirroring changes."""
    found: dict[str, Any] = {}
    for source in readings.sources_in("test"):
        rows = readings.where("test", source)
        truth, grades = readings.truth[rows], readings.grades[rows]
        p_referable = readings.probabilities[rows, REFERABLE_FROM:].sum(axis=1)
        wrong = {
            "far_off": np.abs(grades - truth) >= FAR,
            "wrong_side": (p_referable >= operating_point) != (truth >= REFERABLE_FROM),
        }
        entry: dict[str, Any] = {
            kind: {
                name: None if area is None else round(area, 4)
                for name, score in doubts(readings, rows, operating_point).items()
                for area in [area_under_curve(is_wrong, score)]
            }
            for kind, is_wrong in wrong.items()
        }
        entry["n_far_off"], entry["n_wrong_side"] = (int(each.sum()) for each in wrong.values())
        if readings.mirrored is not None:
            both = np.nanmean([readings.probabilities[rows], readings.mirrored[rows]], axis=0)
            entry["gain_of_mirroring"] = _gain(truth, readings.probabilities[rows], both, readings.groups[rows])
        found[source] = entry
    return found


def _gain(
    truth: "NDArray[np.int64]",
    single: "NDArray[np.float64]",
    both: "NDArray[np.float64]",
    groups: "NDArray[np.str_]",
) -> dict[str, list[float] | None]:
    """Difference of kappa and AUC, [value, low, high], when photograph and mirror image are averaged."""

    def difference(drawn: "NDArray[np.int64]") -> dict[str, float]:
        kappas = [quadratic_kappa(truth[drawn], p[drawn].argmax(axis=1)) for p in (both, single)]
        areas = [referable_auc(truth[drawn], p[drawn, REFERABLE_FROM:].sum(axis=1)) for p in (both, single)]
        return {
            "quadratic_kappa_most_probable": kappas[0] - kappas[1],
            "referable_auc": float("nan") if areas[0] is None or areas[1] is None else areas[0] - areas[1],
        }

    values, drawn = difference(np.arange(len(truth))), bootstrap(difference, groups, n_resamples=500)
    return {
        name: None if ends is None else [round(values[name], 4), round(ends[0], 4), round(ends[1], 4)]
        for name in values
        for ends in [interval(drawn[name])]
    }
