"""Fit the logistic models, rules and thresholds of the quality gate.

All are fitted on the training and validation split, and measured on the test split. Gradable: good, usable and graded
photographs against readers' rejects and strongly blurred copies. (EyeQ's rejects are all smoothed by one JPEG encoder;
a model of them alone takes a sensor's grain for detail.) Fundus: all photographs against other images. Sharp:
photographs against copies blurred by 0.3 % of the field of view or more.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from ml.data.splits import TEST
from ml.serving.quality.coefficients import MAX_Z, Coefficients, LogisticModel, QualityRule
from ml.serving.quality.network import NETWORK_OUTPUTS
from ml.training.quality.dataset import FEATURES, GRADED_WEIGHT, SHARPNESS, QualitySet, by_name
from ml.training.quality.sources import BLURRED, GRADED, NEGATIVE, QUALITY_SOURCES, SOFT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

#: A separate rule; the models do not use it.
UNUSED_FEATURES = {"macula_hidden"}
#: Sample weights in the fit of gradable and sharp: few photographs are of DRIMDB's camera, many are blurred copies.
DRIMDB_WEIGHT, BLURRED_WEIGHT, FAR_BLUR_WEIGHT = 3.0, 0.25, 0.3
#: Sample weights in the fit of fundus: rejects, DRIMDB's photographs, its images of no retina, other such images.
REJECT_WEIGHT, DRIMDB_FUNDUS_WEIGHT, DRIMDB_OTHER_WEIGHT, NEGATIVE_WEIGHT = 0.3, 6.0, 0.5, 2.0
#: Fractions of the photographs that can be graded: refused as no fundus photograph; refused; not good.
REFUSED_AS_OTHER, REFUSED, NOT_GOOD = 0.002, 0.025, 0.08


def fit_coefficients(photos: QualitySet, outputs: "Floats", stored: Coefficients) -> Coefficients:
    """Fit everything but the rules' limits; ``outputs`` (n, k) are the network's."""
    rows = np.flatnonzero(photos.splits != TEST)
    photos, outputs = photos.subset(rows), outputs[rows]
    is_typical = (photos.sigmas == 0) & np.isin(photos.labels, ("good", GRADED))
    sharp = fit_sharp(photos, is_typical)
    values = values_of(photos, outputs)
    gradable, fundus = fit_gradable(photos, values), fit_fundus(photos, values)
    can_be_graded = is_typical | (photos.labels == "usable")
    fundus = _shifted(fundus, float(np.quantile(fundus.log_odds(values)[can_be_graded], REFUSED_AS_OTHER)))
    # the sources of the network alone: their photographs were not chosen for quality
    is_graded = (photos.labels == GRADED) & np.isin(photos.sources, QUALITY_SOURCES)
    gradable = _shifted(gradable, float(np.quantile(gradable.log_odds(values)[is_graded], REFUSED)))
    min_p_good = float(np.quantile(gradable.probability(values)[is_graded], NOT_GOOD))
    limits = replace(
        stored.limits, min_p_fundus=0.5, min_p_gradable=0.5, min_p_good=round(min_p_good, 3), min_p_sharp=0.5
    )
    features = by_name(photos.features[is_typical])
    rules = tuple(fit_rule(rule, features[rule.feature]) for rule in stored.rules)
    return Coefficients(fundus=fundus, gradable=gradable, sharp=sharp, rules=rules, limits=limits)


def values_of(photos: QualitySet, outputs: "Floats") -> "dict[str, Floats]":
    """(n,) values of the terms of the models of gradable and fundus, by name."""
    return {**by_name(photos.features), **by_name(outputs, NETWORK_OUTPUTS)}


def fit_sharp(photos: QualitySet, is_typical: "Bools") -> LogisticModel:
    """Photographs as they are against their blurred copies; all products of two features."""
    rows = np.isfinite(photos.sharpness[:, 0]) & (is_typical | (photos.sigmas > 0))
    sigmas = photos.sigmas[rows]
    weight = np.where(sigmas > sigmas[sigmas > 0].min(), FAR_BLUR_WEIGHT, 1.0)
    pairs = [(i, j) for i in range(len(SHARPNESS)) for j in range(i, len(SHARPNESS))]
    values = by_name(photos.sharpness[rows], SHARPNESS)
    return fit_logistic(SHARPNESS, pairs, values, sigmas == 0, weight, regularization=1.0)


def fit_gradable(photos: QualitySet, values: "dict[str, Floats]") -> LogisticModel:
    """Photographs that a reader grades against rejects and strongly blurred copies."""
    names = (*model_features(), *NETWORK_OUTPUTS)
    rows = ~np.isin(photos.labels, (NEGATIVE, SOFT))
    labels = photos.labels[rows]
    weight = np.select(
        [labels == GRADED, labels == BLURRED, photos.sources[rows] == "drimdb"],
        [GRADED_WEIGHT, BLURRED_WEIGHT, DRIMDB_WEIGHT],
        1.0,
    )
    return fit_logistic(
        names,
        squares(len(model_features())),
        {name: values[name][rows] for name in names},
        ~np.isin(labels, ("reject", BLURRED)),
        weight,
        regularization=0.05,
    )


def fit_fundus(photos: QualitySet, values: "dict[str, Floats]") -> LogisticModel:
    """Fundus photographs, rejects with a small weight, against other images."""
    names = (*model_features(), *NETWORK_OUTPUTS)
    rows = photos.sigmas == 0
    labels = photos.labels[rows]
    is_negative, is_drimdb = labels == NEGATIVE, photos.sources[rows] == "drimdb"
    weight = np.select(
        [labels == "reject", is_negative & is_drimdb, is_drimdb, is_negative],
        [REJECT_WEIGHT, DRIMDB_OTHER_WEIGHT, DRIMDB_FUNDUS_WEIGHT, NEGATIVE_WEIGHT],
        1.0,
    )
    return fit_logistic(
        names,
        squares(len(model_features())),
        {name: values[name][rows] for name in names},
        ~is_negative,
        weight,
        regularization=0.1,
    )


def model_features() -> tuple[str, ...]:
    """The features that the models use."""
    return tuple(name for name in FEATURES if name not in UNUSED_FEATURES)


def squares(n: int) -> list[tuple[int, int]]:
    """Pairs of each of the first n terms with itself."""
    return [(i, i) for i in range(n)]


def fit_logistic(
    names: tuple[str, ...],
    pairs: list[tuple[int, int]],
    values: "dict[str, Floats]",
    truth: "Bools",
    weight: "Floats",
    *,
    regularization: float,
) -> LogisticModel:
    """Logistic regression on the standardised values of ``names`` and their products."""
    first, second = np.array(pairs, np.int64).reshape(-1, 2).T

    def with_products(z: "Floats") -> "Floats":
        z = np.clip(z, -MAX_Z, MAX_Z)
        return np.hstack([z, z[:, first] * z[:, second]])

    regression = LogisticRegression(C=regularization, max_iter=5000)
    pipeline = make_pipeline(StandardScaler(), FunctionTransformer(with_products), regression)
    pipeline.fit(np.column_stack([values[name] for name in names]), truth, logisticregression__sample_weight=weight)
    scaler, slopes = pipeline[0], regression.coef_[0].round(5).tolist()
    return LogisticModel(
        intercept=round(float(regression.intercept_[0]), 5),
        names=names,
        mean=tuple(scaler.mean_.round(6).tolist()),
        scale=tuple(scaler.scale_.round(6).tolist()),
        weights=tuple(slopes[: len(names)]),
        products=tuple((i, j, slope) for (i, j), slope in zip(pairs, slopes[len(names) :], strict=True)),
    )


def _shifted(model: LogisticModel, log_odds: float) -> LogisticModel:
    """The model with a probability of 0.5 at these log odds."""
    return replace(model, intercept=round(model.intercept - log_odds, 5))


def fit_rule(rule: QualityRule, values: "Floats") -> QualityRule:
    """Set typical and poor to the median and worst 3 % of gradable photographs; keep the limit."""
    typical, poor = np.percentile(values, [50, 97 if rule.poor > rule.typical else 3])
    return replace(rule, typical=round(float(typical), 3), poor=round(float(poor), 3))
