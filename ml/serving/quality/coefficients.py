"""Coefficients of the quality gate: logistic models, quality rules and limits.

They are stored in network.json.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from ml.vocabulary import QualityReason

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

#: z-scores are clipped to this, so that no single value decides alone.
MAX_Z = 4.0


@dataclass(frozen=True, slots=True)
class LogisticTerm:
    """Term of a logistic model: weight z + quadratic z^2.

    z = (value - mean) / scale, clipped to MAX_Z.
    """

    name: str
    mean: float
    scale: float
    weight: float
    quadratic: float = 0.0


@dataclass(frozen=True, slots=True)
class LogisticModel:
    """Logistic regression on named values."""

    intercept: float
    terms: tuple[LogisticTerm, ...]

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Self:
        return cls(float(content["intercept"]), tuple(LogisticTerm(**term) for term in content["terms"]))

    def probability(self, values: Mapping[str, "ArrayLike"]) -> "NDArray[np.float64]":
        """Probability in [0, 1] of named values: numbers, or (n,) of n photographs."""
        logits: NDArray[np.float64] = np.asarray(self.intercept)
        for term in self.terms:
            z = np.clip((np.asarray(values[term.name]) - term.mean) / term.scale, -MAX_Z, MAX_Z)
            logits = logits + term.weight * z + term.quadratic * z * z
        p: NDArray[np.float64] = 1 / (1 + np.exp(-logits))
        return p


@dataclass(frozen=True, slots=True)
class QualityRule:
    """Rule on one feature, with the reason of a refusal.

    Severity is 0 for the median good photograph, 1 for the worst 3 % of them. Beyond ``limit``, which fewer than one
    in 200 of 6,000 gradable photographs exceed, it is refused for this alone.
    """

    reason: QualityReason
    feature: str
    typical: float
    poor: float
    limit: float

    @property
    def max_severity(self) -> float:
        """Severity of the limit, above 1."""
        return self.severity({self.feature: self.limit})

    def severity(self, features: Mapping[str, float]) -> float:
        """Distance from typical, in units of the distance from typical to poor."""
        return (features[self.feature] - self.typical) / (self.poor - self.typical)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Decision thresholds.

    The two probabilities were chosen on both halves of the photographs for acceptance first: all 1,242 that EyeQ's
    readers called good pass, 99.4 % of APTOS, 96.3 % of ODIR and 94.6 % of EyeQ's usable ones, while 55 % of EyeQ's
    rejects are refused. On held-out patients alone: 100, 99.0, 97.1, 95.2 and 59 %; area under the curve, good and
    usable against reject, 0.928.
    """

    #: Of the field of view on the photograph. The smallest that human readers graded (EyeQ, reduced) has 118.
    min_diameter_px: float
    #: Grey levels between the largest and the smallest channel: a grey photograph is not a colour fundus photograph.
    #: JPEG's rounding leaves 2 in a grey image; the least colourful of 99.8 % of graded photographs has 10.
    min_colorfulness: float
    min_p_fundus: float
    min_p_gradable: float
    #: Below it a gradable photograph is usable with limits.
    min_p_good: float
    #: Mean of the feature ``vessel_contrast`` over gradable photographs.
    typical_vessel_contrast: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Coefficients:
    """All that the quality gate learned but the weights of its network.

    ``fundus`` is the probability that this is a fundus photograph, ``gradable`` that a reader would grade it, both of
    QualityFeatures. ``fusion`` combines the features with the logits of ``network`` and of the ``gradable`` model.
    """

    fundus: LogisticModel
    gradable: LogisticModel
    fusion: LogisticModel
    rules: tuple[QualityRule, ...]
    limits: Limits

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Self:
        """Raises KeyError, TypeError or ValueError if an entry is missing or unknown."""
        return cls(
            rules=tuple(QualityRule(**rule | {"reason": QualityReason(rule["reason"])}) for rule in content["rules"]),
            limits=Limits(**content["limits"]),
            **{name: LogisticModel.from_json(content[name]) for name in ("fundus", "gradable", "fusion")},
        )

    def fuse(self, features: Mapping[str, "ArrayLike"], *, network_logit: "ArrayLike") -> "NDArray[np.float64]":
        """Late fusion (stacking) of features and network: probability of gradable in [0, 1]."""
        return self.fusion.probability(self.fusion_inputs(features, network_logit=network_logit))

    def fusion_inputs(
        self, features: Mapping[str, "ArrayLike"], *, network_logit: "ArrayLike"
    ) -> "dict[str, ArrayLike]":
        """Values of the terms of ``fusion``. The model's probability is held within 1e-4 of 0 and 1."""
        p = np.clip(self.gradable.probability(features), 1e-4, 1 - 1e-4)
        return {**features, "network": network_logit, "gradable": np.log(p / (1 - p))}


def sha256_of(coefficients: dict[str, Any]) -> str:
    """SHA-256 of the coefficients as JSON with sorted keys."""
    return hashlib.sha256(json.dumps(coefficients, sort_keys=True).encode()).hexdigest()
