"""Turn a finished run into a bundle: ``python -m ml export RUN --name student --version 0.1.0 [--precision fp16]``."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime
import torch
from tqdm import tqdm

from ml.bundle import WEIGHTS_FILE, Bundle, read_bundle
from ml.data.augment import resize_images
from ml.data.labels import EQUALIZED_SOURCE
from ml.data.splits import TEST, TRAIN, VALIDATION
from ml.metrics.bootstrap import N_RESAMPLES
from ml.networks.architectures import IMAGENET_MEAN, IMAGENET_STD
from ml.networks.gradcam import WithGradCAM
from ml.networks.onnx_export import export_onnx_graph, weights_entry
from ml.networks.weight_format import WeightFormat
from ml.release.recalibrate import calibrate_bundle, new_bundle
from ml.serving.preprocess import PREPROCESSING_VERSION
from ml.training.batches import load_images, normalize
from ml.training.checkpoints import load_trained
from ml.training.config import TrainingConfig, read_config
from ml.training.provenance import training_history
from ml.training.run_data import load_graded
from ml.vocabulary import N_GRADES, ICDRGrade

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.data.cache import FundusDataset


INPUT = {"mean": IMAGENET_MEAN, "std": IMAGENET_STD, "preprocessing_version": PREPROCESSING_VERSION}
UNCALIBRATED: dict[str, Any] = {
    "format": 1,
    "classes": [grade.name.lower() for grade in ICDRGrade],
    "calibration": {"temperature": 1.0, "bias": (0.0,) * N_GRADES},
    "grade_cuts": (),
    "operating_point": 0.5,
    "metrics": {},
}
"""What a bundle says until it is fitted to what its Grader says of validation photographs."""


def export_onnx(
    network: torch.nn.Module, path: Path, *, side_px: int, precision: WeightFormat = WeightFormat.FP32
) -> None:
    """Write the graph photos [B, 3, S, S] -> logits [B, K], heat [B, K, h, w], its weights in ``precision``."""
    example = torch.zeros(2, 3, side_px, side_px)
    export_onnx_graph(WithGradCAM(network), example, path, outputs=["logits", "heat"], precision=precision)


def export_bundle(
    run: Path,
    *,
    data: Path,
    folder: Path,
    name: str,
    version: str,
    precision: WeightFormat = WeightFormat.FP32,
    side_px: int | None = None,
    n_resamples: int = N_RESAMPLES,
) -> Bundle:
    """Export the best weights of a run, calibrate on validation, evaluate, and write the bundle and its card.

    ``side_px`` is the side at which the bundle serves, else the one it was trained at; a little more may see more.
    Calibration and figures are those of the very file that is written, in its precision. Raises BundleError where
    ``folder`` exists; where anything fails it is not made.
    """
    config = read_config(run)
    training_history(run)  # fails at once where a file of the run is missing
    trained = load_trained(run)
    side_px, cache = side_px or trained.image_size, run.parent / "cache"
    with new_bundle(folder) as draft:
        weights = draft / WEIGHTS_FILE
        export_onnx(trained.network, weights, side_px=side_px, precision=precision)
        retinas = load_graded(config, data=data, cache=cache)
        content = {
            **UNCALIBRATED,
            "name": name,
            "version": version,
            "architecture": config.architecture,
            "input": INPUT | {"side_px": side_px},
            "heatmap_full_scale": heatmap_full_scale(weights, retinas, side_px=side_px),
            "weights": weights_entry(weights, precision),
            "training": describe_training(config, retinas, run),
        }
        (draft / "bundle.json").write_text(json.dumps(content, indent=1) + "\n")
        calibrate_bundle(read_bundle(draft, verify=True), data=data, cache=cache, n_resamples=n_resamples)
    return read_bundle(folder)


def run_onnx(
    weights: Path, retinas: "FundusDataset", chosen: "NDArray[np.int64]", *, side_px: int
) -> "tuple[NDArray[np.float32], NDArray[np.float32]]":
    """Logits (n, K) and the highest evidence of each grade's map (n, K), from the very file that is released."""
    session = onnxruntime.InferenceSession(weights, providers=["CPUExecutionProvider"])
    logits, evidence = [], []
    for start in tqdm(range(0, len(chosen), 32), desc="measure", unit="batch"):
        photos = normalize(resize_images(load_images(retinas.pixels, chosen[start : start + 32]), side_px))
        out, heat = session.run(None, {"photos": photos.contiguous().numpy()})
        logits.append(out)
        evidence.append(heat.max(axis=(2, 3)))
    return np.concatenate(logits), np.concatenate(evidence)


def heatmap_full_scale(weights: Path, retinas: "FundusDataset", *, side_px: int) -> float:
    """Evidence shown at full strength, of validation photographs with natural colours."""
    held = np.flatnonzero((retinas.splits == VALIDATION) & (retinas.sources != EQUALIZED_SOURCE))
    return full_scale(*run_onnx(weights, retinas, held, side_px=side_px))


def full_scale(logits: "NDArray[np.float32]", evidence: "NDArray[np.float32]") -> float:
    """The 90th percentile of the strongest cell where the most probable grade is disease; both (n, K)."""
    grades = logits.argmax(axis=1)
    strongest = evidence[np.arange(len(grades)), grades][grades > 0]
    return max(1e-4, round(float(np.percentile(strongest, 90)), 4)) if len(strongest) else 1.0


def describe_training(config: TrainingConfig, retinas: "FundusDataset", run: Path) -> dict[str, Any]:
    """What the network was trained on and how, for bundle.json and the card."""
    counts = {
        str(source): {
            part: np.bincount(
                retinas.grades[(retinas.sources == source) & (retinas.splits == number)], minlength=N_GRADES
            ).tolist()
            for part, number in (("train", TRAIN), ("validation", VALIDATION), ("test", TEST))
        }
        for source in np.unique(retinas.sources)
    }
    return {
        "stages": training_history(run),
        "photographs_by_grade": counts,
        "n_copies_kept_together": retinas.n_duplicates,
        "n_without_retina": retinas.n_without_retina,
    }
