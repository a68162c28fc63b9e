"""A site's own threshold: a small JSON file that ``python -m ml site-threshold`` writes and the application loads.

It belongs to one bundle. ``temperature`` makes the five probabilities less or more certain, softmax(log p /
temperature); the grade stays that of the bundle. From ``operating_point`` on, P(grade >= 2) is referable.
"""

import json
import re
from dataclasses import asdict, dataclass, fields
from datetime import date
from typing import Any

import numpy as np

from ml.bundle import Bundle
from ml.errors import InputError

FORMAT = 1
MAX_BYTES = 4096
TEMPERATURES = (0.1, 10.0)
"""The range of temperatures that are accepted."""
Triple = tuple[float, float, float]
"""A value between 0 and 1 with its 95 % interval."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteThreshold:
    """The content of the file; ``sensitivity`` and ``specificity`` are cross-validated on the site's photographs.

    ``calibration_error`` is that of P(grade >= 2) on them, before and after; ``n`` photographs were used,
    ``n_referable`` of them of grade 2 or more.
    """

    model_version: str
    weights_sha256: str
    temperature: float
    operating_point: float
    target_sensitivity: float
    n: int
    n_referable: int
    fitted_on: date
    sensitivity: Triple
    specificity: Triple
    auc: Triple
    calibration_error: tuple[float, float]

    def to_json(self) -> str:
        """The text of the file."""
        content = {"format": FORMAT} | asdict(self) | {"fitted_on": self.fitted_on.isoformat()}
        return json.dumps(content, indent=1) + "\n"

    def require_bundle(self, bundle: Bundle) -> None:
        """Raises InputError if it was fitted to another bundle."""
        if self.weights_sha256 != bundle.weights_sha256:
            raise InputError(
                f"This threshold was fitted to {self.model_version}, not to {bundle.model_version}. Fit it again: "
                f"python -m ml site-threshold LABELS --bundle {bundle.name}-{bundle.version}"
            )


def tempered(probabilities: "np.ndarray[Any, np.dtype[np.float64]]", temperature: float) -> Any:
    """softmax(log p / temperature) over the last axis, (..., K)."""
    log_p = np.log(np.maximum(probabilities, np.finfo(np.float64).tiny)) / temperature
    exponentials = np.exp(log_p - log_p.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def tempered_probabilities(probabilities: tuple[float, ...], temperature: float) -> tuple[float, ...]:
    """The K probabilities of a prediction at a temperature."""
    return tuple(float(p) for p in tempered(np.asarray(probabilities, np.float64), temperature))


def read_site_threshold(content: bytes) -> SiteThreshold:
    """Read the file. Raises InputError that says what is wrong with it."""
    if len(content) > MAX_BYTES:
        raise InputError(f"A threshold file has at most {MAX_BYTES} bytes. Choose the file that the command wrote.")
    try:
        values = json.loads(content.decode(), object_pairs_hook=_without_duplicates, parse_constant=_refuse)
        return _parsed(values)
    except (UnicodeDecodeError, RecursionError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"This is not a threshold file of this software: {error}. Fit it again.") from None


def _parsed(values: Any) -> SiteThreshold:
    names = {field.name for field in fields(SiteThreshold)}
    if not isinstance(values, dict) or set(values) != names | {"format"}:
        raise ValueError("it has other fields")
    if values["format"] != FORMAT:
        raise ValueError(f"its format is {values['format']!r}, and not {FORMAT}")
    threshold = SiteThreshold(
        model_version=_text(values["model_version"], r"[\w.+-]{1,80}"),
        weights_sha256=_text(values["weights_sha256"], r"[0-9a-f]{64}"),
        temperature=_number(values["temperature"], *TEMPERATURES),
        operating_point=_number(values["operating_point"], 0.001, 0.999),
        target_sensitivity=_number(values["target_sensitivity"], 0.5, 1),
        n=_count(values["n"]),
        n_referable=_count(values["n_referable"]),
        fitted_on=date.fromisoformat(_text(values["fitted_on"], r"\d{4}-\d\d-\d\d")),
        sensitivity=_triple(values["sensitivity"]),
        specificity=_triple(values["specificity"]),
        auc=_triple(values["auc"]),
        calibration_error=_pair(values["calibration_error"]),
    )
    if not 0 < threshold.n_referable < threshold.n:
        raise ValueError("its counts contradict each other")
    return threshold


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise ValueError("it has a field twice")
    return values


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number")


def _text(value: Any, pattern: str) -> str:
    if not isinstance(value, str) or not re.fullmatch(pattern, value, re.ASCII):
        raise ValueError(f"{value!r:.90} has another form")
    return value


def _number(value: Any, low: float, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise ValueError(f"{value!r:.40} is not a number from {low} to {high}")
    return float(value)


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 10**9:
        raise ValueError(f"{value!r:.40} is no count")
    return value


def _pair(values: Any) -> tuple[float, float]:
    before, after = values
    return _number(before, 0, 1), _number(after, 0, 1)


def _triple(values: Any) -> Triple:
    value, low, high = (_number(each, 0, 1) for each in values)
    if not low <= value <= high:
        raise ValueError("an interval does not contain its value")
    return value, low, high
