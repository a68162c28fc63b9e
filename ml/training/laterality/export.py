"""Export the laterality network, and write its calibration and the metrics of the released file to network.json."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ml.data.cache_files import atomic_write
from ml.data.splits import VALIDATION
from ml.networks.onnx_export import export_onnx, file_manifest
from ml.serving.laterality.network import (
    DESCRIPTION,
    FOLDER,
    LEFT,
    RIGHT,
    VIEW_SIDE_PX,
    WEIGHTS,
    Calibration,
    load_session,
)
from ml.training.config import TrainingConfig
from ml.training.laterality.dataset import LateralitySet
from ml.training.laterality.evaluate import counts, evaluate, likelier_eyes
from ml.training.laterality.train import allowed_classes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.training.laterality.train import LateralityNet

    Floats = NDArray[np.float64]

#: Prior of a photograph turned by 180 degrees, between that of ODIR and SRahim (none) and that of EyePACS (a third).
P_ROTATED = 0.1
#: The least of these with at least MIN_RIGHT right answers in each of CALIBRATION_SOURCES is the limit for an answer.
CONFIDENCES = (0.8, 0.85, 0.9, 0.95, 0.98)
MIN_RIGHT = 0.97
CALIBRATION_SOURCES = ("odir5k", "eyepacs")
TEMPERATURES = np.geomspace(0.5, 3.0, 61)


class _Serving(torch.nn.Module):
    """Photographs as they are served, (B, 96, 96, 3) uint8, to (B, 5) logits."""

    def __init__(self, network: torch.nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, photos: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.network(photos.permute(0, 3, 1, 2).float() / 255)  # [B, 5]
        return logits


def export_laterality_onnx(network: torch.nn.Module, path: Path) -> None:
    """Export the graph (B, 96, 96, 3) uint8 -> (B, 5) logits, in half precision."""
    example = torch.zeros(2, VIEW_SIDE_PX, VIEW_SIDE_PX, 3, dtype=torch.uint8)
    export_onnx(_Serving(network), example, path, outputs=["logits"])


def release(network: "LateralityNet", photos: LateralitySet, config: TrainingConfig, *, folder: Path = FOLDER) -> None:
    """Write network.onnx, and to network.json its hash, the calibration, training and metrics."""
    export_laterality_onnx(network, folder / WEIGHTS)
    manifest = file_manifest(folder / WEIGHTS)
    session = load_session(folder / WEIGHTS, sha256=manifest["sha256"])

    def logits_of(pixels: "NDArray[np.uint8]") -> "Floats":
        chunks = np.array_split(pixels, len(pixels) // 64 + 1)
        return np.concatenate([session.run(None, {"photos": chunk})[0] for chunk in chunks]).astype(np.float64)

    calibration = fit_calibration(photos, logits_of(photos.pixels[photos.where(VALIDATION)]))
    content: dict[str, Any] = {
        "architecture": f"six 3 x 3 convolutions and {sum(p.numel() for p in network.parameters()):,} weights",
        "input_side_px": VIEW_SIDE_PX,
        "weights": manifest,
        "calibration": asdict(calibration),
        "training": asdict(config) | {"photographs": counts(photos)},
        "metrics": evaluate(photos, logits_of, calibration),
    }
    with atomic_write(folder / DESCRIPTION) as partial:
        partial.write_text(json.dumps(content, indent=1) + "\n")


def fit_calibration(photos: LateralitySet, logits: "Floats") -> Calibration:
    """The temperature with the greatest likelihood of the validation split's labels, and the limit for an answer.

    Temperature scaling (Guo et al., ICML 2017); ``logits`` (n, 5) are those of the validation split. Each of
    CALIBRATION_SOURCES has the same weight.
    """
    held_out = photos.subset(photos.where(VALIDATION))
    allowed = allowed_classes(held_out).numpy() > 0

    def calibrated(temperature: float) -> Calibration:
        return Calibration(temperature=round(temperature, 3), p_rotated=P_ROTATED, min_confidence=CONFIDENCES[-1])

    def likelihood(calibration: Calibration) -> float:
        p = (calibration.probabilities(logits) * allowed).sum(axis=1)
        logs = np.log(np.maximum(p, 1e-12))
        return float(np.mean([logs[held_out.sources == source].mean() for source in CALIBRATION_SOURCES]))

    best = max(map(calibrated, TEMPERATURES.tolist()), key=likelihood)
    answers, confidence = likelier_eyes(best.probabilities(logits))
    is_right = answers == np.where(held_out.eyes == "right", RIGHT, LEFT)

    def is_safe(limit: float) -> bool:
        rows = [(held_out.sources == source) & (confidence >= limit) for source in CALIBRATION_SOURCES]
        return all(is_right[answered].mean() >= MIN_RIGHT for answered in rows if answered.any())

    return replace(best, min_confidence=next(filter(is_safe, CONFIDENCES), CONFIDENCES[-1]))
