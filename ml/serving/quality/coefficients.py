"""Coefficients of the quality gate: logistic models, quality rules and limits.

They are stored in network.json.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from ml.vocabulary import QualityReason

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

#: z-scores are clipped to this, so that no single value decides alone.
MAX_Z = 4.0


@dataclass(frozen=True)  # without slots: it caches
class LogisticModel:
    """Logistic regression on named values.

    z = (value - mean) / scale, clipped to MAX_Z; the log odds are intercept + weights z + the sum of weight z_i z_j
    over ``products`` (i, j, weight).
    """

    intercept: float
    names: tuple[str, ...]
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    weights: tuple[float, ...]
    products: tuple[tuple[int, int, float], ...] = ()

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Self:
        """Raises KeyError or TypeError for an entry that is missing or unknown, ValueError for another length."""
        lists = {name: tuple(values) for name, values in content.items() if name != "intercept"}
        model = cls(intercept=float(content["intercept"]), **lists)
        if not len(model.names) == len(model.mean) == len(model.scale) == len(model.weights):
            raise ValueError("the lists of a logistic model have different lengths")
        return replace(model, products=tuple((int(i), int(j), float(weight)) for i, j, weight in model.products))

    def log_odds(self, values: Mapping[str, "ArrayLike"]) -> "Floats":
        """Log odds of named values: numbers, or (n,) of n photographs."""
        z = np.array([values[name] for name in self.names]).T
        z = np.clip((z - self._mean) / self._scale, -MAX_Z, MAX_Z)
        first, second, weights = self._products
        odds: Floats = self.intercept + z @ self._weights + (z[..., first] * z[..., second]) @ weights
        return odds

    def probability(self, values: Mapping[str, "ArrayLike"]) -> "Floats":
        """Probability in [0, 1] of named values: numbers, or (n,) of n photographs."""
        p: Floats = 1 / (1 + np.exp(-self.log_odds(values)))
        return p

    @cached_property
    def _mean(self) -> "Floats":
        return np.array(self.mean)

    @cached_property
    def _scale(self) -> "Floats":
        return np.array(self.scale)

    @cached_property
    def _weights(self) -> "Floats":
        return np.array(self.weights)

    @cached_property
    def _products(self) -> "tuple[NDArray[np.int64], NDArray[np.int64], Floats]":
        columns = np.array(self.products, np.float64).reshape(-1, 3).T
        return columns[0].astype(np.int64), columns[1].astype(np.int64), columns[2]


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
    """Decision thresholds; ``ml.training.quality.fit`` says how those of the probabilities are chosen."""

    #: Of the field of view on the photograph. The smallest that human readers graded (EyeQ, reduced) has 118.
    min_diameter_px: float
    #: Grey levels between the largest and the smallest channel: a grey photograph is not a colour fundus photograph.
    #: JPEG's rounding leaves 2 in a grey image; the least colourful of 99.8 % of graded photographs has 10.
    min_colorfulness: float
    min_p_fundus: float
    #: That of a photograph with more reflections than ``max_highlights``, as lids and lashes have.
    min_p_fundus_highlights: float
    #: Thousandths of the field of view; 99.9 % of 6,482 photographs of retinas have less.
    max_highlights: float
    min_p_gradable: float
    #: Below it a gradable photograph is usable with limits.
    min_p_good: float
    #: Below it small lesions could be blurred away.
    min_p_sharp: float
    #: Fraction of the central field under glare or shadow; 99.7 % of 1,900 graded photographs have less.
    max_macula_hidden: float
    #: Mean of the feature ``vessel_contrast`` over gradable photographs.
    typical_vessel_contrast: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """Probabilities of one photograph, in [0, 1]: see Coefficients. ``highlights``: see ``highlight_fraction``."""

    p_fundus: float
    p_gradable: float
    p_sharp: float
    highlights: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Coefficients:
    """All that the quality gate learned but the weights of its network.

    ``fundus`` is the probability that this is a fundus photograph, ``gradable`` that a reader would grade it, both of
    QualityFeatures and the network's outputs; ``sharp``, that small lesions are not blurred away, of SharpnessFeatures.
    """

    fundus: LogisticModel
    gradable: LogisticModel
    sharp: LogisticModel
    rules: tuple[QualityRule, ...]
    limits: Limits

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Self:
        """Raises KeyError, TypeError or ValueError if an entry is missing or unknown."""
        return cls(
            rules=tuple(QualityRule(**rule | {"reason": QualityReason(rule["reason"])}) for rule in content["rules"]),
            limits=Limits(**content["limits"]),
            **{name: LogisticModel.from_json(dict(content[name])) for name in ("fundus", "gradable", "sharp")},
        )

    def scores(
        self, values: Mapping[str, float], sharpness: Mapping[str, float] | None, *, highlights: float
    ) -> Scores:
        """Scores of one photograph: ``values`` are features and network outputs, ``sharpness`` None if unknown."""
        return Scores(
            p_fundus=float(self.fundus.probability(values)),
            p_gradable=float(self.gradable.probability(values)),
            p_sharp=1.0 if sharpness is None else float(self.sharp.probability(sharpness)),
            highlights=highlights,
        )


def sha256_of(coefficients: dict[str, Any]) -> str:
    """SHA-256 of the coefficients as JSON with sorted keys."""
    return hashlib.sha256(json.dumps(coefficients, sort_keys=True).encode()).hexdigest()
