"""Export the quality network, fit its fusion with the rules, and evaluate both.

Fusion and intercept are fitted on the validation split: the intercept so that in no group of photographs that can be
graded fewer pass than by the rules alone. The metrics are those of the very file that is released.
"""

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold, cross_val_predict

from ml.data.cache_files import atomic_write
from ml.data.splits import TEST, TRAIN, VALIDATION
from ml.metrics.bootstrap import with_confidence_intervals
from ml.networks.onnx_export import export_onnx, file_manifest
from ml.serving.quality.coefficients import MAX_Z, Coefficients, LogisticModel, logit, sha256_of
from ml.serving.quality.gate import DESCRIPTION, FOLDER, WEIGHTS, decide
from ml.serving.quality.network import INPUT_SIDE_PX, QualityNetwork, network_view
from ml.training.config import TrainingConfig
from ml.training.quality.dataset import FEATURES, GRADED, GRADED_WEIGHT, QualitySet

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from ml.training.quality.train import QualityNet

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

#: Left out of the intercept: six validation photographs, one of which would decide it.
TOO_FEW = ("eyepacs", "usable")


class _Serving(torch.nn.Module):
    """Photographs as they are served, (B, S, S, 3) uint8, to (B,) logits of gradable."""

    def __init__(self, network: torch.nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, photos: torch.Tensor) -> torch.Tensor:
        scaled = photos.permute(0, 3, 1, 2).float() / 255  # [B, 3, S, S]
        logits: torch.Tensor = self.network(scaled)[:, 0]  # [B]
        return logits


def release(network: "QualityNet", photos: QualitySet, config: TrainingConfig, *, folder: "Path" = FOLDER) -> None:
    """Write network.onnx, and to network.json its hash, the fusion, training and metrics."""
    export_quality_onnx(network, folder / WEIGHTS)
    manifest = file_manifest(folder / WEIGHTS)
    stored = read_coefficients(folder)
    exported = QualityNetwork.load(folder / WEIGHTS, sha256=manifest["sha256"])
    scores = score_all(photos, exported, Coefficients.from_json(stored))
    fusion = fit_fusion(photos, scores)
    update_description(
        folder,
        coefficients=stored | {"fusion": fusion},
        architecture="mobilenet_v3_small, first 8 blocks",
        input_side_px=INPUT_SIDE_PX,
        weights=manifest,
        training=asdict(config) | {"photographs": counts(photos)},
        metrics=evaluate(photos, scores, LogisticModel.from_json(fusion)),
    )


def export_quality_onnx(network: torch.nn.Module, path: "Path") -> None:
    """Export the graph (B, 128, 128, 3) uint8 -> (B,) logits, in half precision."""
    example = torch.zeros(2, INPUT_SIDE_PX, INPUT_SIDE_PX, 3, dtype=torch.uint8)
    export_onnx(_Serving(network), example, path, outputs=["logits"])


def read_coefficients(folder: "Path" = FOLDER) -> dict[str, Any]:
    """The coefficients of network.json as stored."""
    content: dict[str, Any] = json.loads((folder / DESCRIPTION).read_text())["coefficients"]
    return content


def update_description(folder: "Path" = FOLDER, *, coefficients: dict[str, Any], **entries: object) -> None:
    """Replace the coefficients, with their hash, and other entries of network.json."""
    content = json.loads((folder / DESCRIPTION).read_text()) | entries
    content |= {"coefficients": coefficients, "coefficients_sha256": sha256_of(coefficients)}
    with atomic_write(folder / DESCRIPTION) as partial:
        partial.write_text(json.dumps(content, indent=1) + "\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """(n,) of each photograph; 0 and False if it has no features.

    ``network``: its logit. ``rules``: probability of gradable by the features alone. ``passes``: whether the photograph
    is accepted if its probability of gradable, which must be at least ``min_p_gradable``, is left out.
    """

    network: "Floats"
    rules: "Floats"
    passes: "Bools"
    min_p_gradable: float

    def accepted(self, p_gradable: "Floats") -> "Bools":
        """(n,) whether the gate accepts each photograph at these probabilities of gradable."""
        accepted: Bools = self.passes & (p_gradable >= self.min_p_gradable)
        return accepted

    def inputs(self, photos: QualitySet) -> "Floats":
        """(n, 2 + m) inputs of the fusion, in the order of FUSION_INPUTS."""
        return np.column_stack([self.network, [logit(p) for p in self.rules], photos.features])

    def fused(self, photos: QualitySet, fusion: LogisticModel) -> "Floats":
        """(n,) probability of gradable by rules and network; 0 if a photograph has no features."""
        rows = (dict(zip(FUSION_INPUTS, row, strict=True)) for row in self.inputs(photos).tolist())
        return np.array([fusion.probability(row) if np.isfinite(list(row.values())).all() else 0.0 for row in rows])


FUSION_INPUTS = ("network", "gradable", *FEATURES)


def score_all(photos: QualitySet, network: QualityNetwork, coefficients: Coefficients) -> Scores:
    """Score every photograph as serving would."""
    rules, passes = np.zeros(len(photos.pixels)), np.zeros(len(photos.pixels), np.bool_)
    for i in np.flatnonzero(np.isfinite(photos.features).all(axis=1)):
        features = dict(zip(FEATURES, photos.features[i].tolist(), strict=True))
        rules[i] = coefficients.gradable.probability(features)
        diameter_px = float(photos.diameters_px[i])
        passes[i] = decide(features, coefficients, diameter_px=diameter_px, p_gradable=1.0).is_gradable
    logits = [
        network.logits(np.stack([network_view(view) for view in photos.pixels[start : start + 64]]))
        for start in range(0, len(photos.pixels), 64)
    ]
    return Scores(
        network=np.concatenate(logits).astype(np.float64),
        rules=rules,
        passes=passes,
        min_p_gradable=coefficients.limits.min_p_gradable,
    )


def fit_fusion(photos: QualitySet, scores: Scores) -> dict[str, Any]:
    """Fit the late fusion (stacking) on the validation split; returns it as stored.

    Photographs without a quality label count as gradable: the network learned its scale from one clinic's cameras, and
    they show how the features of others differ. The intercept rests on scores of a fit to four fifths of the other
    patients.
    """
    held_out = np.flatnonzero((photos.splits == VALIDATION) & np.isfinite(photos.features).all(axis=1))
    inputs, labels = scores.inputs(photos)[held_out], photos.labels[held_out]  # (n, t)
    mean, scale = inputs.mean(axis=0), np.maximum(inputs.std(axis=0), 1e-6)
    z = np.clip((inputs - mean) / scale, -MAX_Z, MAX_Z)
    truth, weight = labels != "reject", np.where(labels == GRADED, GRADED_WEIGHT, 1.0)
    model = LogisticRegression(C=0.1, max_iter=2000)
    cross_validated = cross_val_predict(
        model, z, truth, groups=photos.patients[held_out], cv=GroupKFold(5), method="decision_function",
        params={"sample_weight": weight},
    )  # fmt: skip
    model.fit(z, truth, sample_weight=weight)
    thresholds = []
    for group in gradable_groups(photos):
        n_accepted = int(scores.accepted(scores.rules)[held_out][group[held_out]].sum())
        descending = np.sort(cross_validated[group[held_out] & scores.passes[held_out]])[::-1]
        if n_accepted and len(descending):
            thresholds.append(float(descending[min(len(descending), n_accepted) - 1]))
    shift = logit(scores.min_p_gradable) - min(thresholds) + 1e-3
    return {
        "intercept": round(float(model.intercept_[0]) + shift, 4),
        "terms": [
            {"name": name, "mean": round(float(m), 5), "scale": round(float(s), 5), "weight": round(float(w), 4)}
            for name, m, s, w in zip(FUSION_INPUTS, mean, scale, model.coef_[0], strict=True)
        ],
    }


def gradable_groups(photos: QualitySet) -> "list[Bools]":
    """(n,) masks of photographs that a reader could grade, by source and label."""
    return [
        mask
        for source, labels in _by_source_and_label(photos).items()
        for label, mask in labels.items()
        if label != "reject" and (source, label) != TOO_FEW
    ]


def counts(photos: QualitySet) -> dict[str, dict[str, list[int]]]:
    """Number of photographs of each source and label in training, validation and test."""
    return {
        source: {
            label: [int((mask & (photos.splits == split)).sum()) for split in (TRAIN, VALIDATION, TEST)]
            for label, mask in labels.items()
        }
        for source, labels in _by_source_and_label(photos).items()
    }


def _by_source_and_label(photos: QualitySet) -> "dict[str, dict[str, Bools]]":
    """(n,) mask of the photographs of each source and label."""
    masks: dict[str, dict[str, Bools]] = {}
    for source, label in sorted(set(zip(photos.sources.tolist(), photos.labels.tolist(), strict=True))):
        masks.setdefault(source, {})[label] = (photos.sources == source) & (photos.labels == label)
    return masks


def evaluate(photos: QualitySet, scores: Scores, fusion: LogisticModel) -> dict[str, Any]:
    """Metrics of the test split: acceptance by source and label, AUC on EyeQ."""
    test = photos.splits == TEST
    p_gradable = {"rules": scores.rules, "fusion": scores.fused(photos, fusion)}
    accepted = {name: scores.accepted(p) for name, p in p_gradable.items()}
    eyeq = test & (photos.sources == "eyeq")
    compared = {"rules": scores.rules[eyeq], "network": scores.network[eyeq], "fusion": p_gradable["fusion"][eyeq]}
    return {
        "accepted_on_test": {
            source: {
                label: {"n": int((test & mask).sum())}
                | {name: round(float(is_accepted[test & mask].mean()), 4) for name, is_accepted in accepted.items()}
                for label, mask in labels.items()
                if (test & mask).any()
            }
            for source, labels in _by_source_and_label(photos).items()
        },
        "eyeq_test": compare(
            photos.labels[eyeq] != "reject",
            photos.patients[eyeq],
            compared,
            min_p_gradable=scores.min_p_gradable,
        ),
    }


def compare(
    truth: "Bools",
    patients: "NDArray[np.str_]",
    scores: "dict[str, Floats]",
    *,
    min_p_gradable: float,
) -> dict[str, Any]:
    """AUC and accepted rejects of each score, with 95 % intervals over patients.

    Rejects are counted at the threshold at which each score accepts as many gradable photographs as the rules do.
    """
    accepted = float((scores["rules"][truth] >= min_p_gradable).mean())

    def statistic(rows: "NDArray[np.int64]") -> dict[str, float]:
        auc = {name: float(roc_auc_score(truth[rows], score[rows])) for name, score in scores.items()}
        passed = {name: rejects_accepted(truth[rows], score[rows], accepted) for name, score in scores.items()}
        return {
            **{f"auc_{name}": value for name, value in auc.items()},
            **{f"rejects_accepted_{name}": value for name, value in passed.items()},
            "auc_gain": auc["fusion"] - auc["rules"],
        }

    return {
        "n": len(truth),
        "n_reject": int((~truth).sum()),
        "gradable_accepted": round(accepted, 4),
        **with_confidence_intervals(statistic, patients),
    }


def rejects_accepted(truth: "Bools", score: "Floats", accepted: float) -> float:
    """Fraction of rejects accepted at the threshold that accepts this fraction of the others."""
    threshold = np.quantile(score[truth], 1 - accepted, method="lower")
    return float((score[~truth] >= threshold).mean())
