"""Export the quality network, and write its fusion with the rules and the metrics of both to network.json.

The metrics are those of the very file that is released.
"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ml.data.cache_files import atomic_write
from ml.networks.onnx_export import export_onnx, file_manifest
from ml.serving.quality.coefficients import Coefficients, sha256_of
from ml.serving.quality.gate import DESCRIPTION, FOLDER, WEIGHTS, QualityGate
from ml.serving.quality.network import INPUT_SIDE_PX, QualityNetwork, network_view
from ml.training.config import TrainingConfig
from ml.training.quality.dataset import QualitySet, load_quality_set
from ml.training.quality.evaluate import counts, evaluate
from ml.training.quality.fit import fit_fusion, fit_rules
from ml.training.quality.negatives import negative_set

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.training.quality.train import QualityNet


class _Serving(torch.nn.Module):
    """Photographs as they are served, (B, S, S, 3) uint8, to (B,) logits of gradable."""

    def __init__(self, network: torch.nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, photos: torch.Tensor) -> torch.Tensor:
        scaled = photos.permute(0, 3, 1, 2).float() / 255  # [B, 3, S, S]
        logits: torch.Tensor = self.network(scaled)[:, 0]  # [B]
        return logits


def export_quality_onnx(network: torch.nn.Module, path: Path) -> None:
    """Export the graph (B, 128, 128, 3) uint8 -> (B,) logits, in half precision."""
    example = torch.zeros(2, INPUT_SIDE_PX, INPUT_SIDE_PX, 3, dtype=torch.uint8)
    export_onnx(_Serving(network), example, path, outputs=["logits"])


def release(network: "QualityNet", photos: QualitySet, config: TrainingConfig, *, folder: Path = FOLDER) -> None:
    """Write network.onnx, and to network.json its hash, the fusion, training and metrics."""
    export_quality_onnx(network, folder / WEIGHTS)
    manifest = file_manifest(folder / WEIGHTS)
    logits = logits_of(QualityNetwork.load(folder / WEIGHTS, sha256=manifest["sha256"]), photos)
    stored = Coefficients.from_json(json.loads((folder / DESCRIPTION).read_text())["coefficients"])
    coefficients = fit_fusion(photos, logits, stored)
    update_description(
        folder,
        coefficients,
        architecture="mobilenet_v3_small, first 8 blocks",
        input_side_px=INPUT_SIDE_PX,
        weights=manifest,
        training=asdict(config) | {"photographs": counts(photos)},
        metrics=evaluate(photos, logits, coefficients),
    )


def release_rules(
    data: Path, cache: Path, *, negatives: tuple[Path, ...] = (), write: bool = False
) -> list[dict[str, Any]]:
    """Fit models and rules again; metrics of the stored and of the new ones, both with the stored fusion.

    ``negatives`` are folders of everyday photographs. ``write`` stores the result in network.json: export the quality
    network again afterwards, because its fusion with the rules depends on them.
    """
    gate = QualityGate.load()
    photos = load_quality_set(data, cache).joined(negative_set(negatives))
    logits = logits_of(gate.network, photos)
    fitted = fit_rules(photos, gate.coefficients)
    if write:
        update_description(
            FOLDER, fitted, overlap="None of these patients were in the data of the rules or the network."
        )
    return [evaluate(photos, logits, coefficients) for coefficients in (gate.coefficients, fitted)]


def logits_of(network: QualityNetwork, photos: QualitySet) -> "NDArray[np.float64]":
    """(n,) logits of the released network."""
    chunks = np.array_split(photos.pixels, len(photos.pixels) // 64 + 1)
    logits = [network.logits(np.stack([network_view(view) for view in chunk])) for chunk in chunks]
    return np.concatenate(logits).astype(np.float64)


def update_description(folder: Path, coefficients: Coefficients, **entries: object) -> None:
    """Replace the coefficients, with their hash, and other entries of network.json."""
    content = asdict(coefficients)
    description = json.loads((folder / DESCRIPTION).read_text()) | entries
    description |= {"coefficients": content, "coefficients_sha256": sha256_of(content)}
    with atomic_write(folder / DESCRIPTION) as partial:
        partial.write_text(json.dumps(description, indent=1) + "\n")
