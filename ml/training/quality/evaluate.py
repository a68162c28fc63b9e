"""Evaluate the quality gate on the test split: acceptance by source and label, AUC on EyeQ."""

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.metrics import roc_auc_score

from ml.data.splits import TEST, TRAIN, VALIDATION
from ml.metrics.bootstrap import with_confidence_intervals
from ml.serving.quality.coefficients import Coefficients
from ml.serving.quality.gate import decide
from ml.training.quality.dataset import FEATURES, QualitySet, by_name

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]


def accepted(photos: QualitySet, coefficients: Coefficients, p_gradable: "Floats") -> "Bools":
    """(n,) whether the gate accepts each photograph at these probabilities of gradable."""
    named = [dict(zip(FEATURES, values, strict=True)) for values in photos.features.tolist()]
    return np.array(
        [
            decide(features, coefficients, diameter_px=diameter_px, p_gradable=p).level.is_gradable
            for features, diameter_px, p in zip(named, photos.diameters_px.tolist(), p_gradable.tolist(), strict=True)
        ]
    )


def by_source_and_label(photos: QualitySet) -> "dict[tuple[str, str], Bools]":
    """(n,) mask of the photographs of each source and label."""
    pairs = sorted(set(zip(photos.sources.tolist(), photos.labels.tolist(), strict=True)))
    return {(source, label): (photos.sources == source) & (photos.labels == label) for source, label in pairs}


def counts(photos: QualitySet) -> dict[str, dict[str, list[int]]]:
    """Number of photographs of each source and label in training, validation and test."""
    result: dict[str, dict[str, list[int]]] = {}
    for (source, label), mask in by_source_and_label(photos).items():
        numbers = [int((photos.splits[mask] == split).sum()) for split in (TRAIN, VALIDATION, TEST)]
        result.setdefault(source, {})[label] = numbers
    return result


def evaluate(photos: QualitySet, logits: "Floats", coefficients: Coefficients) -> dict[str, Any]:
    """Metrics of the test split; ``logits`` (n,) of the network."""
    photos, logits = photos.subset(photos.where(TEST)), logits[photos.where(TEST)]
    features = by_name(photos.features)
    scores = {
        "rules": coefficients.gradable.probability(features),
        "network": logits,
        "fusion": coefficients.fuse(features, network_logit=logits),
    }
    passed = {name: accepted(photos, coefficients, scores[name]) for name in ("rules", "fusion")}
    acceptance: dict[str, dict[str, dict[str, float]]] = {}
    for (source, label), mask in by_source_and_label(photos).items():
        fractions = {name: round(float(is_accepted[mask].mean()), 4) for name, is_accepted in passed.items()}
        acceptance.setdefault(source, {})[label] = {"n": int(mask.sum()), **fractions}
    eyeq = photos.sources == "eyeq"
    return {
        "accepted_on_test": acceptance,
        "eyeq_test": compare(
            photos.labels[eyeq] != "reject",
            photos.patients[eyeq],
            {name: score[eyeq] for name, score in scores.items()},
            min_p_gradable=coefficients.limits.min_p_gradable,
        ),
    }


def compare(
    truth: "Bools", patients: "NDArray[np.str_]", scores: "dict[str, Floats]", *, min_p_gradable: float
) -> dict[str, Any]:
    """AUC and accepted rejects of each score, with 95 % intervals over patients.

    Rejects are counted at the threshold at which each score accepts as many gradable photographs as the rules do.
    """
    fraction = float((scores["rules"][truth] >= min_p_gradable).mean())

    def statistic(rows: "NDArray[np.int64]") -> dict[str, float]:
        metrics = {}
        for name, score in scores.items():
            metrics[f"auc_{name}"] = float(roc_auc_score(truth[rows], score[rows]))
            metrics[f"rejects_accepted_{name}"] = rejects_accepted(truth[rows], score[rows], fraction)
        return metrics | {"auc_gain": metrics["auc_fusion"] - metrics["auc_rules"]}

    intervals = with_confidence_intervals(statistic, patients)
    return {"n": len(truth), "n_reject": int((~truth).sum()), "gradable_accepted": round(fraction, 4), **intervals}


def rejects_accepted(truth: "Bools", score: "Floats", accepted: float) -> float:
    """Fraction of rejects accepted at the threshold that accepts this fraction of the others."""
    threshold = np.quantile(score[truth], 1 - accepted, method="lower")
    return float((score[~truth] >= threshold).mean())
