"""Export the quality network, and write the models fitted to its outputs and the metrics of both to network.json.

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
from ml.serving.quality.gate import DESCRIPTION, FOLDER, WEIGHTS
from ml.serving.quality.network import INPUT_SIDE_PX, QualityNetwork, network_view
from ml.training.config import TrainingConfig
from ml.training.quality.dataset import QualitySet
from ml.training.quality.evaluate import counts, evaluate
from ml.training.quality.fit import fit_coefficients

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.training.quality.train import QualityNet


class _Serving(torch.nn.Module):
    """Photographs as served, (B, S, S, 3) uint8, to (B, 2) logits of gradable and good, and (B, 96) features."""

    def __init__(self, network: "QualityNet") -> None:
        super().__init__()
        self.network = network

    def forward(self, photos: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        scaled = photos.permute(0, 3, 1, 2).float() / 255  # [B, 3, S, S]
        features = self.network.pooled(scaled)  # [B, 96]
        return self.network.head(features), features


def export_quality_onnx(network: "QualityNet", path: Path) -> None:
    """Export the graph (B, 128, 128, 3) uint8 -> (B, 2) logits and (B, 96) features, in half precision."""
    example = torch.zeros(2, INPUT_SIDE_PX, INPUT_SIDE_PX, 3, dtype=torch.uint8)
    export_onnx(_Serving(network), example, path, outputs=["logits", "features"])


def release(
    network: "QualityNet",
    photos: QualitySet,
    config: TrainingConfig,
    *,
    negatives: QualitySet,
    folder: Path = FOLDER,
) -> None:
    """Write network.onnx, and fit the models to its outputs: see ``release_fit``."""
    export_quality_onnx(network, folder / WEIGHTS)
    manifest = file_manifest(folder / WEIGHTS)
    update_description(
        folder,
        architecture="mobilenet_v3_small, first 8 blocks",
        input_side_px=INPUT_SIDE_PX,
        weights=manifest,
        training=asdict(config),
    )
    release_fit(photos, negatives=negatives, folder=folder)


def release_fit(photos: QualitySet, *, negatives: QualitySet, folder: Path = FOLDER) -> None:
    """Fit models, rules and thresholds to the released network; write them to network.json with the metrics."""
    description: dict[str, Any] = json.loads((folder / DESCRIPTION).read_text())
    network = QualityNetwork.load(folder / WEIGHTS, sha256=description["weights"]["sha256"])
    photos = photos.joined(negatives)
    outputs = outputs_of(network, photos)
    coefficients = fit_coefficients(photos, outputs, Coefficients.from_json(description["coefficients"]))
    update_description(
        folder,
        coefficients=coefficients,
        photographs=counts(photos),
        metrics=evaluate(photos, outputs, coefficients),
    )


def outputs_of(network: QualityNetwork, photos: QualitySet) -> "NDArray[np.float64]":
    """(n, k) outputs of the released network."""
    chunks = np.array_split(photos.pixels, len(photos.pixels) // 64 + 1)
    outputs = [network.outputs(np.stack([network_view(view) for view in chunk])) for chunk in chunks]
    return np.concatenate(outputs).astype(np.float64)


def update_description(folder: Path, *, coefficients: Coefficients | None = None, **entries: object) -> None:
    """Replace entries of network.json, and the coefficients with their hash."""
    description = json.loads((folder / DESCRIPTION).read_text()) | entries
    if coefficients is not None:
        content = json.loads(json.dumps(asdict(coefficients)))  # tuples become lists, as they are read
        description |= {"coefficients": content, "coefficients_sha256": sha256_of(content)}
    with atomic_write(folder / DESCRIPTION) as partial:
        partial.write_text(json.dumps(description, indent=1) + "\n")
