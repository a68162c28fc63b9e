"""Paired comparison of two bundles on the same photographs, by a bootstrap over patients.

Not DeLong's test, which serves areas only and takes two eyes of one person for two people.
"""

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ml.metrics.bootstrap import bootstrap, confidence_interval, p_value
from ml.metrics.grading import MAIN_METRICS, METRICS, compute_metrics
from ml.metrics.markdown import table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.bundle import Bundle
    from ml.evaluation.predictions import LabelledPredictions

    Candidate = tuple[Bundle, LabelledPredictions]

MEAN = "mean of the sources"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One metric of two bundles. ``low`` and ``high``: the 95 % interval of first - second, None if undefined."""

    first: float
    second: float
    low: float | None
    high: float | None
    p: float | None

    @property
    def value(self) -> float:
        return self.first - self.second

    @classmethod
    def of(cls, values: tuple[float, float], resampled: "NDArray[np.float64]") -> "Difference":
        """From the values of both bundles, and (N_RESAMPLES,) differences."""
        interval = confidence_interval(resampled)
        low, high = interval or (None, None)
        return cls(first=values[0], second=values[1], low=low, high=high, p=p_value(resampled) if interval else None)

    def as_json(self) -> dict[str, float | None]:
        """Rounded to four decimal places."""
        values = dataclasses.asdict(self) | {"difference": self.value}
        return {name: None if v is None or not np.isfinite(v) else round(v, 4) for name, v in values.items()}


Comparison = dict[str, dict[str, Difference]]
"""Differences by source and metric; MEAN is one of the sources."""


def compare(first: "Candidate", second: "Candidate") -> Comparison:
    """Differences by source, and of the mean of the sources. Raises ValueError if the photographs differ."""
    if first[1].photos != second[1].photos:
        raise ValueError("The two bundles graded different photographs: their metrics cannot be compared.")
    values, resampled, comparison = [], [], {}
    for seed, source in enumerate(first[1].sources_in("test")):
        indices = np.intersect1d(first[1].where("test", source), second[1].where("test", source))

        def differences(chosen: "NDArray[np.int64]", indices: "NDArray[np.int64]" = indices) -> dict[str, float]:
            one, other = (_metrics(each, indices[chosen]) for each in (first, second))
            return {name: one[name] - other[name] for name in MAIN_METRICS}

        one, other = _metrics(first, indices), _metrics(second, indices)
        values.append((one, other))
        resampled.append(bootstrap(differences, first[1].groups[indices], seed=seed))
        comparison[source] = {
            name: Difference.of((one[name], other[name]), resampled[-1][name]) for name in MAIN_METRICS
        }
    comparison[MEAN] = {
        name: Difference.of(
            (float(np.mean([one[name] for one, _ in values])), float(np.mean([other[name] for _, other in values]))),
            np.mean([each[name] for each in resampled], axis=0),
        )
        for name in MAIN_METRICS
    }
    return comparison


def _metrics(candidate: "Candidate", indices: "NDArray[np.int64]") -> dict[str, float]:
    bundle, predictions = candidate
    return compute_metrics(predictions.graded(indices, bundle.operating_point), MAIN_METRICS)


def comparison_json(first: "Bundle", second: "Bundle", comparison: Comparison) -> dict[str, Any]:
    """The content of comparison.json."""
    return {
        "first": first.model_version,
        "second": second.model_version,
        "differences": {
            source: {name: difference.as_json() for name, difference in differences.items()}
            for source, differences in comparison.items()
        },
    }


def comparison_text(first: "Bundle", second: "Bundle", comparison: Comparison) -> str:
    """The comparison as a table in Markdown."""
    rows = [["source", "metric", "first", "second", "difference", "95 % interval", "p"]]
    rows += [
        [source, METRICS[name].title, *_cells(difference)]
        for source, differences in comparison.items()
        for name, difference in differences.items()
    ]
    return (
        f"First {first.model_version}, second {second.model_version}, on the test split.\n"
        f"95 % intervals of the difference and p by a paired bootstrap over patients.\n\n{table(rows)}"
    )


def _cells(difference: Difference) -> list[str]:
    values = (difference.first, difference.second, difference.value)
    numbers = [f"{v:{sign}.3f}" if np.isfinite(v) else "-" for v, sign in zip(values, ("", "", "+"), strict=True)]
    if difference.low is None or difference.high is None or difference.p is None:
        return [*numbers, "-", "-"]
    return [*numbers, f"{difference.low:+.3f} to {difference.high:+.3f}", f"{difference.p:.3f}"]
