"""Paired comparison of two bundles on the same photographs, by a bootstrap over patients.

Not DeLong's test, which serves areas only and takes two eyes of one person for two people.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ml.metrics.bootstrap import bootstrap, confidence_interval, p_value
from ml.metrics.grading import MAIN_METRICS, compute_metrics
from ml.metrics.markdown import table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.evaluation.predictions import LabelledPredictions

MEAN = "mean of the sources"
Pair = tuple[dict[str, float], ...]
"""Metrics of the first and of the second bundle."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One metric of two bundles, with the 95 % interval and p of first - second, None if undefined."""

    first: float
    second: float
    interval: tuple[float, float] | None
    p: float | None

    @property
    def value(self) -> float:
        return self.first - self.second


Comparison = dict[str, dict[str, Difference]]
"""Differences by source and metric; MEAN is one of the sources."""


def compare(first: "LabelledPredictions", second: "LabelledPredictions") -> Comparison:
    """Differences by source of the test split, and of the mean of the sources.

    Raises ValueError if the photographs differ.
    """
    if first.photos != second.photos:
        raise ValueError("The two bundles graded different photographs: their metrics cannot be compared.")
    sources, values, resampled = first.sources_in("test"), [], []
    for seed, source in enumerate(sources):
        indices = np.intersect1d(first.where("test", source), second.where("test", source))

        def differences(chosen: "NDArray[np.int64]", indices: "NDArray[np.int64]" = indices) -> dict[str, float]:
            one, other = _both_metrics(first, second, indices[chosen])
            return {name: one[name] - other[name] for name in MAIN_METRICS}

        values.append(_both_metrics(first, second, indices))
        resampled.append(bootstrap(differences, first.groups[indices], seed=seed))
    by_source = {s: _differences([v], [r]) for s, v, r in zip(sources, values, resampled, strict=True)}
    return by_source | {MEAN: _differences(values, resampled)}


def _both_metrics(first: "LabelledPredictions", second: "LabelledPredictions", indices: "NDArray[np.int64]") -> Pair:
    return tuple(compute_metrics(each.graded(indices), MAIN_METRICS) for each in (first, second))


def _differences(values: list[Pair], resampled: "list[dict[str, NDArray[np.float64]]]") -> dict[str, Difference]:
    """Differences of the means over sources, from the metrics of both bundles and the resampled differences."""
    result = {}
    for name in MAIN_METRICS:
        first, second = np.mean([[metrics[name] for metrics in pair] for pair in values], axis=0).tolist()
        differences = np.mean([each[name] for each in resampled], axis=0)  # (n_resamples,)
        interval = confidence_interval(differences)
        result[name] = Difference(first, second, interval, p_value(differences) if interval else None)
    return result


def comparison_table(comparison: Comparison) -> str:
    """The comparison as a table in Markdown."""
    rows = [["source", "metric", "first", "second", "difference", "95 % interval", "p"]]
    rows += [
        [source, MAIN_METRICS[name], *_cells(difference)]
        for source, differences in comparison.items()
        for name, difference in differences.items()
    ]
    return table(rows)


def _cells(difference: Difference) -> list[str]:
    values = (difference.first, difference.second, difference.value)
    numbers = [f"{v:{sign}.3f}" if np.isfinite(v) else "-" for v, sign in zip(values, ("", "", "+"), strict=True)]
    if difference.interval is None:
        return [*numbers, "-", "-"]
    low, high = difference.interval
    return [*numbers, f"{low:+.3f} to {high:+.3f}", f"{difference.p:.3f}"]
