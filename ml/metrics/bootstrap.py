"""Intervals by drawing patients anew (bootstrap, Efron 1979): two eyes of one person say less than two people."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

N_RESAMPLES = 1000
LEAST_SHARE = 0.9
"""Of the resamples, the share in which a figure must have a meaning for its interval to have one."""

Measure = Callable[["NDArray[np.int64]"], Mapping[str, float]]


def resample(groups: "NDArray[np.str_]", rng: np.random.Generator) -> "NDArray[np.int64]":
    """Rows of as many groups as there are, drawn with replacement, each with all of its rows."""
    return _drawn(*_members(groups), rng)


def _members(groups: "NDArray[np.str_]") -> "tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]":
    """Rows in order of their group, where each group begins there, and how many rows it has."""
    _, which, counts = np.unique(groups, return_inverse=True, return_counts=True)
    return np.argsort(which, kind="stable"), np.cumsum(counts) - counts, counts


def _drawn(
    order: "NDArray[np.int64]",
    begins: "NDArray[np.int64]",
    counts: "NDArray[np.int64]",
    rng: np.random.Generator,
) -> "NDArray[np.int64]":
    chosen = rng.integers(0, len(counts), len(counts))
    sizes = counts[chosen]
    within = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    rows: NDArray[np.int64] = order[np.repeat(begins[chosen], sizes) + within]
    return rows


def bootstrap(
    measure: Measure, groups: "NDArray[np.str_]", *, n_resamples: int = N_RESAMPLES, seed: int = 0
) -> "dict[str, NDArray[np.float64]]":
    """(n_resamples,) values of each figure that ``measure`` gives for drawn rows; NaN where it had no meaning."""
    rng = np.random.default_rng(seed)
    members = _members(groups)
    drawn = [measure(_drawn(*members, rng)) for _ in range(n_resamples)]
    return {name: np.array([each[name] for each in drawn]) for name in drawn[0]}


def interval(values: "NDArray[np.float64]", level: float = 0.95) -> tuple[float, float] | None:
    """The middle ``level`` of the values; None where too few of them have a meaning."""
    known = values[np.isfinite(values)]
    if len(known) < LEAST_SHARE * len(values):
        return None
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def with_intervals(
    measure: Measure, groups: "NDArray[np.str_]", *, n_resamples: int = N_RESAMPLES
) -> dict[str, list[float | None] | None]:
    """Each figure as [value, low, high] with its 95 % interval, rounded to four places; None without a meaning."""
    values = measure(np.arange(len(groups)))
    drawn = bootstrap(measure, groups, n_resamples=n_resamples)
    return {name: _triple(value, interval(drawn[name])) for name, value in values.items()}


def _triple(value: float, ends: tuple[float, float] | None) -> list[float | None] | None:
    if not np.isfinite(value):
        return None
    low, high = ends or (None, None)
    return [round(value, 4), None if low is None else round(low, 4), None if high is None else round(high, 4)]


def p_value(differences: "NDArray[np.float64]") -> float:
    """Two-sided: how often drawn differences lie on the other side of zero, twice; at least 2 / (n + 1)."""
    known = differences[np.isfinite(differences)]
    below, above = int((known <= 0).sum()), int((known >= 0).sum())
    return min(1.0, 2 * (min(below, above) + 1) / (len(known) + 1))
