"""Fit the logistic models and rules of the quality gate.

Gradable: good and usable photographs of EyeQ and EyePACS, and those of APTOS and ODIR (experts graded them all),
against the rejects of EyeQ and EyePACS and defocused copies of good photographs. (EyeQ's rejects are all smoothed by
one JPEG encoder; a model of them alone takes a sensor's grain for detail.) Fundus: all but these, against negatives.
Both are fitted on the training split, and then the fusion with the network on the validation split.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from ml.data.splits import TRAIN, VALIDATION
from ml.serving.quality.coefficients import MAX_Z, Coefficients, LogisticModel, QualityRule
from ml.training.quality.dataset import GRADED, GRADED_WEIGHT, NEGATIVE, QualitySet, by_name
from ml.training.quality.evaluate import accepted, by_source_and_label

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

#: Sample weight of a defocused copy.
DEFOCUSED_WEIGHT = 0.1
#: Left out of the intercept of the fusion: six validation photographs, one of which would decide it.
TOO_FEW = ("eyepacs", "usable")


def fit_rules(photos: QualitySet, stored: Coefficients) -> Coefficients:
    """Fit the models of the features, and the rules; keep limits and fusion."""
    train = photos.where(TRAIN)
    features, labels = photos.features[train], photos.labels[train]
    is_typical = np.isin(labels, ("good", GRADED))
    is_gradable = is_typical | (labels == "usable")
    is_fundus, copies = labels != NEGATIVE, photos.defocused[train][is_typical]
    return replace(
        stored,
        gradable=fit_logistic(
            stored.gradable,
            by_name(np.vstack([features[is_fundus], copies])),
            np.append(is_gradable[is_fundus], np.zeros(len(copies), np.bool_)),
            np.append(sample_weights(labels[is_fundus]), np.full(len(copies), DEFOCUSED_WEIGHT)),
            regularization=0.3,
        ),
        fundus=fit_logistic(
            stored.fundus,
            by_name(features[labels != "reject"]),
            is_gradable[labels != "reject"],
            sample_weights(labels[labels != "reject"]),
            regularization=0.3,
        ),
        rules=tuple(fit_rule(rule, by_name(features[is_typical])[rule.feature]) for rule in stored.rules),
    )


def fit_rule(rule: QualityRule, values: "Floats") -> QualityRule:
    """Set typical and poor to the median and worst 3 % of gradable photographs; keep the limit."""
    typical, poor = np.percentile(values, [50, 97 if rule.poor > rule.typical else 3])
    return replace(rule, typical=round(float(typical), 3), poor=round(float(poor), 3))


def sample_weights(labels: "NDArray[np.str_]") -> "Floats":
    """(n,) weights in the fits: less if no reader assessed the quality."""
    return np.where(labels == GRADED, GRADED_WEIGHT, 1.0)


def fit_logistic(
    model: LogisticModel, values: "Mapping[str, ArrayLike]", truth: "Bools", weight: "Floats", *, regularization: float
) -> LogisticModel:
    """Logistic regression on the standardised terms of ``model`` and, if a term has one, their squares."""
    pipeline = pipeline_of(model, regularization)
    pipeline.fit(matrix_of(model, values), truth, logisticregression__sample_weight=weight)
    scaler, regression = pipeline[0], pipeline[-1]
    slopes = iter(regression.coef_[0].round(4).tolist())
    terms = [
        replace(term, mean=mean, scale=scale, weight=next(slopes))
        for term, mean, scale in zip(
            model.terms, scaler.mean_.round(5).tolist(), scaler.scale_.round(5).tolist(), strict=True
        )
    ]
    terms = [replace(term, quadratic=next(slopes)) if term.quadratic else term for term in terms]
    return LogisticModel(round(float(regression.intercept_[0]), 4), tuple(terms))


def pipeline_of(model: LogisticModel, regularization: float) -> Pipeline:
    """The same function as LogisticModel, to be fitted to (n, t) values of its terms."""
    squared = [i for i, term in enumerate(model.terms) if term.quadratic]

    def with_squares(z: "Floats") -> "Floats":
        z = np.clip(z, -MAX_Z, MAX_Z)
        return np.hstack([z, z[:, squared] ** 2])

    regression = LogisticRegression(C=regularization, max_iter=2000)
    return make_pipeline(StandardScaler(), FunctionTransformer(with_squares), regression)


def matrix_of(model: LogisticModel, values: "Mapping[str, ArrayLike]") -> "Floats":
    """(n, t) values of the terms of a model."""
    return np.column_stack([values[term.name] for term in model.terms])


def fit_fusion(photos: QualitySet, logits: "Floats", stored: Coefficients) -> Coefficients:
    """Fit the late fusion (stacking) with the network's ``logits`` (n,) on the validation split.

    Photographs without a quality label count as gradable: the network learned its scale from one clinic's cameras, and
    they show how the features of others differ. The intercept is set so that in no group of photographs that can be
    graded fewer pass than by the rules alone. It rests on scores of a fit to four fifths of the other patients.
    """
    photos, logits = photos.subset(photos.where(VALIDATION)), logits[photos.where(VALIDATION)]
    inputs = stored.fusion_inputs(by_name(photos.features), network_logit=logits)
    truth, weight = photos.labels != "reject", sample_weights(photos.labels)
    fusion = fit_logistic(stored.fusion, inputs, truth, weight, regularization=0.1)
    cross_validated = cross_val_predict(
        pipeline_of(stored.fusion, 0.1), matrix_of(stored.fusion, inputs), truth, groups=photos.patients,
        cv=GroupKFold(5), method="decision_function", params={"logisticregression__sample_weight": weight},
    )  # fmt: skip
    passes = accepted(photos, stored, np.ones(len(truth)))
    is_accepted = accepted(photos, stored, stored.gradable.probability(by_name(photos.features)))
    thresholds = []
    for (source, label), group in by_source_and_label(photos).items():
        descending = np.sort(cross_validated[group & passes])[::-1]
        n_accepted = min(len(descending), int(is_accepted[group].sum()))
        if n_accepted and label != "reject" and (source, label) != TOO_FEW:
            thresholds.append(float(descending[n_accepted - 1]))
    p = stored.limits.min_p_gradable
    shift = float(np.log(p / (1 - p))) - min(thresholds) + 1e-3
    return replace(stored, fusion=replace(fusion, intercept=round(fusion.intercept + shift, 4)))
