"""Turn a finished run into a bundle: ``python -m ml export RUN --name student --version 0.1.0``."""

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime
import torch
from tqdm import tqdm

from ml.bundle import GRAPH_FILE, WEIGHTS_FILE, Bundle, read_bundle
from ml.data.augment import resize_images
from ml.data.labels import EQUALIZED_SOURCE
from ml.data.splits import TEST, TRAIN, VALIDATION
from ml.errors import BundleError
from ml.metrics.bootstrap import N_RESAMPLES
from ml.networks.architectures import IMAGENET_MEAN, IMAGENET_STD
from ml.networks.gradcam import WithGradCAM
from ml.networks.onnx_export import export_onnx, file_manifest
from ml.networks.weights import save_half_precision
from ml.release.bundle_calibration import calibrate_bundle
from ml.release.model_card import write_card
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


def export_network(network: torch.nn.Module, folder: Path, *, side_px: int) -> None:
    """Write the weights, and the graph photos [B, 3, S, S] -> logits [B, K], heat [B, K, h, w], into ``folder``."""
    weights = folder / WEIGHTS_FILE
    save_half_precision(network, weights)
    example = torch.zeros(2, 3, side_px, side_px)
    export_onnx(WithGradCAM(network), example, folder / GRAPH_FILE, outputs=["logits", "heat"], weights=weights)


def export_bundle(
    run: Path,
    *,
    data: Path,
    folder: Path,
    name: str,
    version: str,
    side_px: int | None = None,
    n_resamples: int = N_RESAMPLES,
) -> Bundle:
    """Export the best weights of a run, calibrate on validation, evaluate, and write the bundle and its card.

    ``side_px`` is the side at which the bundle serves, else the one it was trained at; a little more may see more.
    Calibration and figures are those of the very file that is written. Raises BundleError if ``folder``
    exists; if anything fails it is not made.
    """
    config = read_config(run)
    training_history(run)  # fails at once where a file of the run is missing
    trained = load_trained(run)
    side_px, cache = side_px or trained.image_size, run.parent / "cache"
    with new_bundle(folder) as draft:
        retinas = load_graded(config, data=data, cache=cache)
        export_network(trained.network, draft, side_px=side_px)
        content = {
            **UNCALIBRATED,
            "name": name,
            "version": version,
            "architecture": config.architecture,
            "input": INPUT | {"side_px": side_px},
            "heatmap_full_scale": heatmap_full_scale(draft / GRAPH_FILE, retinas, side_px=side_px),
            "graph": file_manifest(draft / GRAPH_FILE),
            "weights": file_manifest(draft / WEIGHTS_FILE),
            "training": describe_training(config, retinas, run),
        }
        (draft / "bundle.json").write_text(json.dumps(content, indent=1) + "\n")
        calibrate_bundle(read_bundle(draft, verify=True), data=data, cache=cache, n_resamples=n_resamples)
    return read_bundle(folder)


@contextmanager
def new_bundle(folder: Path) -> Iterator[Path]:
    """A draft folder to fill, renamed to ``folder`` at the end: a failed export leaves no incomplete bundle.

    Raises BundleError if ``folder`` exists.
    """
    if folder.exists():
        raise BundleError(f"{folder} exists already: choose another --version or --to.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".unfinished-") as parent:
        draft = Path(parent) / folder.name
        draft.mkdir()
        yield draft
        draft.rename(folder)
    write_card(read_bundle(folder))  # after the rename: the card also reads files beside the bundles


def run_onnx(
    graph: Path, retinas: "FundusDataset", chosen: "NDArray[np.int64]", *, side_px: int
) -> "tuple[NDArray[np.float32], NDArray[np.float32]]":
    """Logits (n, K) and the highest evidence of each grade's map (n, K), from the very file that is released."""
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    logits, evidence = [], []
    for start in tqdm(range(0, len(chosen), 32), desc="measure", unit="batch"):
        photos = normalize(resize_images(load_images(retinas.pixels, chosen[start : start + 32]), side_px))
        out, heat = session.run(None, {"photos": photos.contiguous().numpy()})
        logits.append(out)
        evidence.append(heat.max(axis=(2, 3)))
    return np.concatenate(logits), np.concatenate(evidence)


def heatmap_full_scale(graph: Path, retinas: "FundusDataset", *, side_px: int) -> float:
    """Evidence shown at full strength, of validation photographs with natural colours."""
    held = np.flatnonzero((retinas.splits == VALIDATION) & (retinas.sources != EQUALIZED_SOURCE))
    return full_scale(*run_onnx(graph, retinas, held, side_px=side_px))


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
