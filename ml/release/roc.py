"""Operating points that a site can choose: sensitivity and specificity by source, on validation."""

from typing import TYPE_CHECKING

import numpy as np

from ml.bundle import RocTable, SourceRoc
from ml.metrics import bootstrap
from ml.metrics.grading import sensitivity_specificity
from ml.metrics.markdown import row_table, with_interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.bundle import Interval

TARGETS = (0.99, 0.975, 0.95, 0.925, 0.9, 0.875, 0.85, 0.8, 0.75, 0.7)
"""Sensitivities, mean of the sources, that the thresholds are chosen for."""


def roc_table(
    positive: "NDArray[np.bool_]",
    p: "NDArray[np.floating]",
    sources: "NDArray[np.str_]",
    groups: "NDArray[np.str_]",
    *,
    operating_point: float,
) -> RocTable:
    """The table of n photographs: whether each is referable, and P(grade >= 2) that was not fitted on it.

    Its thresholds are the bundle's operating point and those that reach TARGETS. ``groups`` (n,) are kept together in
    the bootstrap: photographs of one patient, or copies. A source without referable photographs is left out.
    """
    names = np.unique(sources[positive]).tolist()
    thresholds = sorted({operating_point, *_thresholds(positive, p, sources)})
    return RocTable(
        thresholds=tuple(thresholds),
        sources={
            name: _source_roc(positive[rows], p[rows], groups[rows], thresholds)
            for name in names
            for rows in [sources == name]
        },
    )


def _thresholds(positive: "NDArray[np.bool_]", p: "NDArray[np.floating]", sources: "NDArray[np.str_]") -> list[float]:
    """For each target the highest threshold with this sensitivity, each source with the same weight."""
    _, number, counts = np.unique(sources[positive], return_inverse=True, return_counts=True)
    order = np.argsort(-p[positive], kind="stable")
    mean_sensitivity = np.cumsum(1 / counts[number][order]) / len(counts)
    chosen = [p[positive][order][np.searchsorted(mean_sensitivity, target - 1e-9)] for target in TARGETS]
    return [round(min(0.999, max(0.001, float(threshold) - 5e-5)), 4) for threshold in chosen]


def _source_roc(
    positive: "NDArray[np.bool_]", p: "NDArray[np.floating]", groups: "NDArray[np.str_]", thresholds: list[float]
) -> SourceRoc:
    def statistic(rows: "NDArray[np.int64]") -> dict[str, float]:
        values = [sensitivity_specificity(positive[rows], p[rows], threshold) for threshold in thresholds]
        return {f"{name} {i}": pair[j] for i, pair in enumerate(values) for j, name in enumerate(("se", "sp"))}

    metrics = bootstrap.with_confidence_intervals(statistic, groups)

    def intervals(name: str) -> "tuple[Interval, ...]":
        triples = (metrics[f"{name} {i}"] for i in range(len(thresholds)))
        return tuple((triple[0], triple[1], triple[2]) if triple else (None, None, None) for triple in triples)

    return SourceRoc(
        n_referable=int(positive.sum()),
        n_not_referable=int((~positive).sum()),
        sensitivity=intervals("se"),
        specificity=intervals("sp"),
    )


def card_table(roc: RocTable) -> str:
    """A row for each threshold: sensitivity with its interval / specificity by source. In Markdown."""
    return row_table(
        [
            {"threshold": threshold}
            | {
                f"{name} ({one.n_referable} of {one.n_referable + one.n_not_referable})": " / ".join(
                    (with_interval(one.sensitivity[i]), with_interval(one.specificity[i][0]))
                )
                for name, one in sorted(roc.sources.items())
            }
            for i, threshold in enumerate(roc.thresholds)
        ]
    )
