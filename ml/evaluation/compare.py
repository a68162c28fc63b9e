"""Is one bundle better than another? Both read the same photographs; what differs is drawn anew by patient, in pairs.

A paired bootstrap and not DeLong's test: it serves kappa as well as areas, and DeLong's takes the two eyes of one
person for two people.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ml.metrics.bootstrap import N_RESAMPLES, bootstrap, interval, p_value
from ml.metrics.grading import figures

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from ml.bundle import Bundle
    from ml.evaluation.predictions import LabelledPredictions

COMPARED = (
    "quadratic_kappa",
    "accuracy",
    "referable_auc",
    "sight_threatening_auc",
    "referable_sensitivity",
    "referable_specificity",
    "sensitivity_grade_4",
)
MEAN = "mean of the sources"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One figure of two bundles. ``low`` and ``high`` bound the difference first - second with 95 %."""

    first: float
    second: float
    low: float | None
    high: float | None
    p: float | None

    @property
    def value(self) -> float:
        return self.first - self.second

    def as_json(self) -> dict[str, float | None]:
        """Rounded to four places."""
        named = {
            "first": self.first,
            "second": self.second,
            "difference": self.value,
            "low": self.low,
            "high": self.high,
            "p": self.p,
        }
        return {name: None if v is None or not np.isfinite(v) else round(v, 4) for name, v in named.items()}


Comparison = dict[str, dict[str, Difference]]


def compare(
    first: "tuple[Bundle, LabelledPredictions]",
    second: "tuple[Bundle, LabelledPredictions]",
    *,
    part: str = "test",
    n_resamples: int = N_RESAMPLES,
) -> Comparison:
    """Differences by source and of the mean of the sources. Raises ValueError where other photographs were read."""
    if first[1].photos != second[1].photos:
        raise ValueError("The two bundles read different photographs: their figures cannot be compared.")
    found: Comparison = {}
    values: list[tuple[Mapping[str, float], Mapping[str, float]]] = []
    drawn: list[dict[str, NDArray[np.float64]]] = []
    for seed, source in enumerate(first[1].sources_in(part)):
        rows = np.intersect1d(first[1].where(part, source), second[1].where(part, source))
        everything = np.arange(len(rows))
        one, other = (_measure(*each, rows, everything) for each in (first, second))

        def difference(chosen: "NDArray[np.int64]", rows: "NDArray[np.int64]" = rows) -> dict[str, float]:
            one, other = (_measure(*each, rows, chosen) for each in (first, second))
            return {name: one[name] - other[name] for name in COMPARED}

        again = bootstrap(difference, first[1].groups[rows], n_resamples=n_resamples, seed=seed)
        found[source] = {name: _difference(one[name], other[name], again[name]) for name in COMPARED}
        values.append((one, other))
        drawn.append(again)
    found[MEAN] = {
        name: _difference(
            float(np.mean([one[name] for one, _ in values])),
            float(np.mean([other[name] for _, other in values])),
            np.mean([each[name] for each in drawn], axis=0),
        )
        for name in COMPARED
    }
    return found


def _measure(
    bundle: "Bundle", readings: "LabelledPredictions", rows: "NDArray[np.int64]", chosen: "NDArray[np.int64]"
) -> dict[str, float]:
    picked = rows[chosen]
    return figures(
        readings.truth[picked], readings.probabilities[picked], readings.grades[picked], bundle.operating_point
    )


def _difference(first: float, second: float, drawn: "NDArray[np.float64]") -> Difference:
    ends = interval(drawn)
    return Difference(
        first=first,
        second=second,
        low=None if ends is None else ends[0],
        high=None if ends is None else ends[1],
        p=None if ends is None else p_value(drawn),
    )


def comparison_json(first: "Bundle", second: "Bundle", comparison: Comparison) -> dict[str, Any]:
    """What stands in comparison.json."""
    return {
        "first": first.model_version,
        "second": second.model_version,
        "differences": {
            source: {name: each.as_json() for name, each in named.items()} for source, named in comparison.items()
        },
    }


def comparison_text(first: "Bundle", second: "Bundle", comparison: Comparison) -> str:
    """A table in Markdown."""
    lines = [
        f"First {first.model_version}, second {second.model_version}, on the test part.",
        "95 % intervals of the difference and p by a paired bootstrap over patients.",
        "",
        "| source | figure | first | second | difference | 95 % interval | p |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for source, named in comparison.items():
        for name, each in named.items():
            ends = "-" if each.low is None or each.high is None else f"{each.low:+.3f} to {each.high:+.3f}"
            p = "-" if each.p is None else f"{each.p:.3f}"
            numbers = [f"{each.first:.3f}", f"{each.second:.3f}", f"{each.value:+.3f}", ends, p]
            lines.append("| " + " | ".join([source, name.replace("_", " "), *numbers]) + " |")
    return "\n".join(lines).replace("+nan", "-").replace("nan", "-") + "\n"
