"""Figures of a bundle: what it reached on its test split, in words and numbers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from screening.labels.numbers import decimal_text

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

METRIC_LABELS: dict[str, "_StrPromise"] = {
    "quadratic_kappa": gettext_lazy("Kappa with quadratic weights"),
    "referable_auc": gettext_lazy("Area under the ROC curve, referable"),
    "referable_sensitivity": gettext_lazy("Sensitivity, referable"),
    "referable_specificity": gettext_lazy("Specificity, referable"),
}
_BYTES_PER_MB = 1_000_000


@dataclass(frozen=True, slots=True)
class SourceMetrics:
    """What a model reached on the test split of one source: values of METRIC_LABELS in their order."""

    source: str
    n_photographs: int
    values: tuple[str, ...]


def metrics_by_source(metrics: Mapping[str, Any]) -> list[SourceMetrics]:
    """The figures of each source of the test split; none if the bundle states none."""
    return [
        SourceMetrics(
            source, int(values.get("n") or 0), tuple(_value_text(values.get(metric)) for metric in METRIC_LABELS)
        )
        for source, values in sorted(metrics.get("test", {}).items())
        if isinstance(values, dict)
    ]


def metrics_over_sources(metrics: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Label of each metric, and its lowest and highest value over the sources of the test split."""
    sources = [values for values in metrics.get("test", {}).values() if isinstance(values, dict)]
    ranges = ((label, range_text(source.get(metric) for source in sources)) for metric, label in METRIC_LABELS.items())
    return [(str(label), text) for label, text in ranges if text]


def range_text(values: Iterable[float | None]) -> str:
    """Lowest to highest of the values that are known; empty without any."""
    known = [float(value) for value in values if value is not None]
    if not known:
        return ""
    return _("%(lowest)s to %(highest)s") % {
        "lowest": decimal_text(min(known), 2),
        "highest": decimal_text(max(known), 2),
    }


def memory_text(n_bytes: int) -> str:
    """``328 MB``."""
    return _("%(n)d MB") % {"n": round(n_bytes / _BYTES_PER_MB)}


def _value_text(value: float | None) -> str:
    return "–" if value is None else decimal_text(float(value), 2)
