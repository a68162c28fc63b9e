"""Release the trained quality network: export it, join it with the rules, measure both on people neither was chosen on.

The join and the limit are fitted on the validation part: the limit so that in no group of photographs that can be
graded fewer pass than under the rules alone. The figures are those of the test part and of the very file released.
"""

import dataclasses
import json
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold, cross_val_predict

from ml.data.splits import TEST, TRAIN, VALIDATION
from ml.networks.onnx_export import export_onnx_graph, weights_entry
from ml.networks.weight_format import WeightFormat
from ml.serving.quality.features import QualityFeatures
from ml.serving.quality.gate import GRADABLE, GRADABLE_INTERCEPT, GRADABLE_LIMIT, evaluate, judge
from ml.serving.quality.network import (
    DESCRIPTION,
    INPUT_SIDE_PX,
    WEIGHTS,
    FusionTerm,
    QualityNetwork,
    joined,
    network_view,
)
from ml.training.quality.dataset import FEATURES, QualitySet

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.training.quality.train import QualityConfig, QualityNet

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

N_RESAMPLES = 1000
PRECISION = WeightFormat.FP16
GRADED_WEIGHT = 0.5
LIMIT_LOGIT = float(np.log(GRADABLE_LIMIT / (1 - GRADABLE_LIMIT)))


class _Serving(torch.nn.Module):
    """Photographs as they are served, (B, S, S, 3) uint8, to (B,) logits of gradable."""

    def __init__(self, network: torch.nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, photos: torch.Tensor) -> torch.Tensor:
        scaled = photos.permute(0, 3, 1, 2).float() / 255  # [B, 3, S, S]
        logits: torch.Tensor = self.network(scaled)[:, 0]  # [B]
        return logits


def release(network: "QualityNet", photos: QualitySet, config: "QualityConfig") -> dict[str, Any]:
    """Write ml/quality_network.onnx and .json; returns what the latter says."""
    export_quality_onnx(network, WEIGHTS)
    scores = score_all(photos, unjoined(WEIGHTS))
    weights = join(photos, scores)
    content = {
        "architecture": "mobilenet_v3_small, first 8 blocks",
        "input_side_px": INPUT_SIDE_PX,
        "weights": weights_entry(WEIGHTS, PRECISION),
        "score": weights,
        "training": dataclasses.asdict(config) | {"photographs": counts(photos)},
        "metrics": measure_both(photos, scores, weights),
    }
    DESCRIPTION.write_text(json.dumps(content, indent=1) + "\n")
    return content


def export_quality_onnx(network: torch.nn.Module, path: Path) -> None:
    """Write the graph photos (B, 128, 128, 3) uint8 -> (B,) logits, its weights in half precision."""
    example = torch.zeros(2, INPUT_SIDE_PX, INPUT_SIDE_PX, 3, dtype=torch.uint8)
    export_onnx_graph(_Serving(network), example, path, outputs=["logits"], precision=PRECISION)


def unjoined(weights: Path) -> QualityNetwork:
    """The network of a file before anything is known of how to join its score with the rules'."""
    said = {
        "weights": weights_entry(weights, PRECISION),
        "score": {"terms": [], "intercept": 0},
    }
    with tempfile.TemporaryDirectory() as folder:
        description = Path(folder) / "quality.json"
        description.write_text(json.dumps(said))
        return QualityNetwork.load(weights, description)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """(n,) of each photograph: the network's logit, the rules' probability, and whether all other rules let it pass."""

    logits: "Floats"
    p_rules: "Floats"
    passes_rest: "Bools"

    def accepted_by_rules(self) -> "Bools":
        """What the rules alone let pass."""
        accepted: Bools = self.passes_rest & (self.p_rules >= GRADABLE_LIMIT)
        return accepted

    def joined(self, photos: QualitySet, score: dict[str, Any]) -> "Floats":
        """(n,) probability of network, rules and measures together; 0 where nothing could be measured."""
        terms = tuple(FusionTerm(**term) for term in score["terms"])
        rows = zip(photos.features.tolist(), self.logits.tolist(), self.p_rules.tolist(), strict=True)

        def one(row: list[float], logit: float, p_rules: float) -> float:
            if not np.isfinite(row).all():
                return 0.0
            return joined(terms, score["intercept"], as_measures(row), logit=logit, p_rules=p_rules)

        return np.array([one(*row) for row in rows])


def as_measures(row: list[float]) -> QualityFeatures:
    """One row of ``QualitySet.features``."""
    return QualityFeatures(**dict(zip(FEATURES, row, strict=True)))


def score_all(photos: QualitySet, network: QualityNetwork) -> Scores:
    """Score every photograph as serving would."""
    p_rules, passes_rest = [], []
    for row, diameter_px in zip(photos.features.tolist(), photos.diameters_px.tolist(), strict=True):
        if not np.isfinite(row).all():
            p_rules.append(0.0)
            passes_rest.append(False)
            continue
        measures = as_measures(row)
        p_rules.append(evaluate(GRADABLE, GRADABLE_INTERCEPT, measures))
        passes_rest.append(judge(measures, diameter_px=diameter_px, p_gradable=1.0).is_gradable)
    logits = [
        network.logits(np.stack([network_view(view) for view in photos.pixels[start : start + 64]]))
        for start in range(0, len(photos.pixels), 64)
    ]
    return Scores(
        logits=np.concatenate(logits).astype(np.float64),
        p_rules=np.array(p_rules),
        passes_rest=np.array(passes_rest),
    )


def join(photos: QualitySet, scores: Scores) -> dict[str, Any]:
    """Terms of the joined score, fitted on validation, and the intercept at which no group passes less than by rules.

    Photographs without a label count as gradable: the network learned its scale from one clinic's cameras, and they
    show how the measures of others differ. The intercept rests on scores of a fit to four fifths of the other people.
    """
    held = np.flatnonzero((photos.splits == VALIDATION) & np.isfinite(photos.features).all(axis=1))
    p = np.clip(scores.p_rules, 1e-4, 1 - 1e-4)
    known = np.column_stack([scores.logits, np.log(p / (1 - p)), photos.features])[held]  # (n, t)
    centre, spread = known.mean(axis=0), np.maximum(known.std(axis=0), 1e-6)
    z = np.clip((known - centre) / spread, -4, 4)
    truth = photos.labels[held] != "reject"
    weight = np.where(photos.labels[held] == "graded", GRADED_WEIGHT, 1.0)
    model = LogisticRegression(C=0.1, max_iter=2000)
    unseen = cross_val_predict(
        model, z, truth, groups=photos.patients[held], cv=GroupKFold(5), method="decision_function",
        params={"sample_weight": weight},
    )  # fmt: skip
    model.fit(z, truth, sample_weight=weight)
    lowest = float(model.intercept_[0])
    limits = []
    for group in gradable_groups(photos):
        n_passing = int(scores.accepted_by_rules()[held][group[held]].sum())
        passing = np.sort(unseen[group[held] & scores.passes_rest[held]])[::-1]
        if n_passing and len(passing):
            limits.append(float(passing[min(len(passing), n_passing) - 1]))
    return {
        "terms": [
            {"name": name, "centre": round(float(c), 5), "spread": round(float(s), 5), "weight": round(float(w), 4)}
            for name, c, s, w in zip(("network", "rules", *FEATURES), centre, spread, model.coef_[0], strict=True)
        ],
        "intercept": round(lowest + LIMIT_LOGIT - min(limits) + 1e-3, 4),
    }


def gradable_groups(photos: QualitySet) -> "list[Bools]":
    """(n,) masks of photographs that a reader could grade, by source and label."""
    pairs = sorted(set(zip(photos.sources.tolist(), photos.labels.tolist(), strict=True)))
    return [(photos.sources == s) & (photos.labels == v) for s, v in pairs if v != "reject" and (s, v) != TOO_FEW]


TOO_FEW = ("eyepacs", "usable")
"""Six validation photographs: one of them would decide the limit."""


def counts(photos: QualitySet) -> dict[str, dict[str, list[int]]]:
    """Photographs of each source and label in training, validation and test."""
    return {
        str(source): {
            str(label): [
                int(((photos.sources == source) & (photos.labels == label) & (photos.splits == part)).sum())
                for part in (TRAIN, VALIDATION, TEST)
            ]
            for label in np.unique(photos.labels[photos.sources == source])
        }
        for source in np.unique(photos.sources)
    }


def measure_both(photos: QualitySet, scores: Scores, weights: dict[str, Any]) -> dict[str, Any]:
    """Figures of the test part: what is accepted, by source and verdict; on EyeQ also AUC, and rejects that pass."""
    both = scores.joined(photos, weights)
    accepted = {"rules": scores.accepted_by_rules(), "learned": scores.passes_rest & (both >= GRADABLE_LIMIT)}
    test = photos.splits == TEST
    eyeq = test & (photos.sources == "eyeq")
    return {
        "accepted_on_test": {
            str(source): {
                str(label): {
                    "n": int(rows.sum()),
                    **{name: round(float(passes[rows].mean()), 4) for name, passes in accepted.items()},
                }
                for label in np.unique(photos.labels[test & (photos.sources == source)])
                for rows in [test & (photos.sources == source) & (photos.labels == label)]
            }
            for source in np.unique(photos.sources)
        },
        "eyeq_test": compared(
            photos.labels[eyeq] != "reject",
            photos.patients[eyeq],
            scores.p_rules[eyeq],
            scores.logits[eyeq],
            both[eyeq],
        ),
    }


def compared(
    truth: "Bools", patients: "NDArray[np.str_]", rules: "Floats", network: "Floats", both: "Floats"
) -> dict[str, Any]:
    """AUC of each score and the share of rejects that pass where as many gradable ones do, with 95 % by person."""
    figures: dict[str, Any] = {"n": len(truth), "n_reject": int((~truth).sum())}
    accepted = float((rules[truth] >= GRADABLE_LIMIT).mean())
    figures["gradable_accepted"] = round(accepted, 4)
    for name, score in (("rules", rules), ("network", network), ("learned", both)):
        figures[f"auc_{name}"] = interval(partial(_auc, truth, score), patients)
        figures[f"rejects_passed_{name}"] = interval(partial(_passed, truth, score, accepted), patients)
    figures["auc_gain"] = interval(
        lambda i: roc_auc_score(truth[i], both[i]) - roc_auc_score(truth[i], rules[i]), patients
    )
    return figures


def rejects_passed(truth: "Bools", score: "Floats", accepted: float) -> float:
    """Of the rejects, the share at or above the score that a share ``accepted`` of the gradable ones reaches."""
    limit = np.quantile(score[truth], 1 - accepted, method="lower")
    return float((score[~truth] >= limit).mean())


def interval(measure: "Callable[[NDArray[np.int64]], float]", patients: "NDArray[np.str_]") -> list[float]:
    """[value, low, high] with a 95 % bootstrap interval over patients, drawn with all their photographs."""
    rng = np.random.default_rng(11)
    _, home = np.unique(patients, return_inverse=True)
    members = [np.flatnonzero(home == number) for number in range(int(home.max()) + 1)]
    values = [
        measure(np.concatenate([members[i] for i in rng.integers(len(members), size=len(members))]))
        for _ in range(N_RESAMPLES)
    ]
    low, high = np.percentile(values, [2.5, 97.5])
    return [round(float(v), 4) for v in (measure(np.arange(len(patients))), low, high)]


def _auc(truth: "Bools", score: "Floats", rows: "NDArray[np.int64]") -> float:
    return float(roc_auc_score(truth[rows], score[rows]))


def _passed(truth: "Bools", score: "Floats", accepted: float, rows: "NDArray[np.int64]") -> float:
    return rejects_passed(truth[rows], score[rows], accepted)
