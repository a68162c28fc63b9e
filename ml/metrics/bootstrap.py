"""Confidence intervals by a cluster bootstrap over patients (Efron 1979): eyes of one person are not independent."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

N_RESAMPLES = 1000
MIN_DEFINED_FRACTION = 0.9
"""Fraction of the resamples in which a metric must be defined to have an interval."""

Statistic = Callable[["NDArray[np.int64]"], Mapping[str, float]]
"""Metrics by name of the photographs with the given indices."""


class ClusterResampler:
    """Samples groups with replacement, each with all of its members."""

    def __init__(self, groups: "NDArray[np.str_]") -> None:
        _, number, self.counts = np.unique(groups, return_inverse=True, return_counts=True)
        self.order = np.argsort(number, kind="stable")  # indices sorted by group
        self.starts = np.cumsum(self.counts) - self.counts  # of each group in ``order``

    def resample(self, rng: np.random.Generator) -> "NDArray[np.int64]":
        """Indices of as many groups as there are."""
        chosen = rng.integers(0, len(self.counts), len(self.counts))
        sizes = self.counts[chosen]
        within = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        indices: NDArray[np.int64] = self.order[np.repeat(self.starts[chosen], sizes) + within]
        return indices


def bootstrap(statistic: Statistic, groups: "NDArray[np.str_]", *, seed: int = 0) -> "dict[str, NDArray[np.float64]]":
    """(N_RESAMPLES,) values of each metric; NaN if it is undefined for a resample."""
    rng, resampler = np.random.default_rng(seed), ClusterResampler(groups)
    resampled = [statistic(resampler.resample(rng)) for _ in range(N_RESAMPLES)]
    return {name: np.array([each[name] for each in resampled]) for name in resampled[0]}


def confidence_interval(values: "NDArray[np.float64]", level: float = 0.95) -> tuple[float, float] | None:
    """Percentile interval of bootstrap values; None if too few of them are defined."""
    defined = values[np.isfinite(values)]
    if len(defined) < MIN_DEFINED_FRACTION * len(values):
        return None
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def with_confidence_intervals(statistic: Statistic, groups: "NDArray[np.str_]") -> dict[str, list[float | None] | None]:
    """Each metric as [value, low, high] with its 95 % interval, to four decimal places; None if undefined."""
    values = statistic(np.arange(len(groups)))
    resampled = bootstrap(statistic, groups)
    return {name: _triple(value, confidence_interval(resampled[name])) for name, value in values.items()}


def _triple(value: float, interval: tuple[float, float] | None) -> list[float | None] | None:
    if not np.isfinite(value):
        return None
    return [round(value, 4), *((None, None) if interval is None else (round(end, 4) for end in interval))]


def p_value(differences: "NDArray[np.float64]") -> float:
    """Two-sided p of bootstrap differences: twice the fraction beyond zero, at least 2 / (n + 1)."""
    defined = differences[np.isfinite(differences)]
    below, above = int((defined <= 0).sum()), int((defined >= 0).sum())
    return min(1.0, 2 * (min(below, above) + 1) / (len(defined) + 1))
