"""Export of a finished run as a bundle: ``python -m ml export RUN --name student --version 0.1.0``."""

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
from ml.data.preparation import grade_counts
from ml.data.splits import VALIDATION
from ml.errors import BundleError
from ml.networks.architectures import IMAGENET_MEAN, IMAGENET_STD, set_outputs
from ml.networks.gradcam import WithGradCAM
from ml.networks.onnx_export import export_onnx, file_manifest
from ml.networks.weights import save_half_precision
from ml.release.calibration import calibrate_bundle
from ml.release.model_card import write_card
from ml.serving.preprocess import PREPROCESSING_VERSION
from ml.training.batches import load_images, normalize
from ml.training.checkpoints import load_trained, training_history
from ml.training.config import read_config
from ml.training.run_data import load_graded
from ml.vocabulary import N_GRADES, ICDRGrade

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.data.cache import FundusDataset

INPUT = {"mean": IMAGENET_MEAN, "std": IMAGENET_STD, "preprocessing_version": PREPROCESSING_VERSION}
#: The calibration of a bundle before it is fitted to predictions of its Grader.
UNCALIBRATED: dict[str, Any] = {
    "classes": [grade.name.lower() for grade in ICDRGrade],
    "calibration": {"temperature": 1.0, "bias": (0.0,) * N_GRADES},
    "cutpoints": (),
    "operating_point": 0.5,
    "metrics": {},
}
UNCALIBRATED_OEDEMA = {"temperature": 1.0, "bias": 0.0, "operating_point": 0.5}
BATCH_SIZE = 32


def export_bundle(
    run: Path,
    *,
    data: Path,
    folder: Path,
    name: str,
    version: str,
    image_size: int | None = None,
) -> Bundle:
    """Export the best weights of a run, calibrate on validation, evaluate, and write the bundle and its card.

    Without validation photographs of both kinds to calibrate it, the output for macular oedema is left out.

    ``image_size`` in pixels is that at inference (default: as in training). Calibration and metrics are those of the
    very files that are written. Raises BundleError if ``folder`` exists; a failure leaves no folder.
    """
    config, history = read_config(run), training_history(run)
    trained, cache = load_trained(run), run.parent / "cache"
    image_size = image_size or trained.image_size
    with new_bundle(folder) as draft:
        dataset = load_graded(config, data=data, cache=cache)
        if not _can_calibrate_oedema(dataset):
            set_outputs(trained.network, N_GRADES)
        export_network(trained.network, draft, image_size=image_size)
        content = {
            **UNCALIBRATED,
            "name": name,
            "version": version,
            "architecture": config.architecture,
            "input": INPUT | {"image_size": image_size},
            **heatmap_scales(draft / GRAPH_FILE, dataset, image_size=image_size),
            "graph": file_manifest(draft / GRAPH_FILE),
            "weights": file_manifest(draft / WEIGHTS_FILE),
            "training": {
                "stages": history,
                "photographs_by_grade": grade_counts(dataset),
                "n_duplicates": len(dataset.duplicate_pairs),
                "n_without_retina": len(dataset.rejected),
            },
        }
        (draft / "bundle.json").write_text(json.dumps(content, indent=1) + "\n")
        calibrate_bundle(read_bundle(draft, verify=True), data=data, cache=cache)
    return read_bundle(folder)


def _can_calibrate_oedema(dataset: "FundusDataset") -> bool:
    """Whether validation photographs with and without macular oedema have that label."""
    return {True, False} <= {dataset.photos[i].has_oedema for i in dataset.where(VALIDATION)}


@contextmanager
def new_bundle(folder: Path) -> Iterator[Path]:
    """A draft folder to fill, renamed to ``folder`` at the end: a failed export leaves no incomplete bundle.

    Raises BundleError if ``folder`` exists.
    """
    if folder.exists():
        raise BundleError(f"{folder} exists already: choose another --version or --output.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".unfinished-") as parent:
        draft = Path(parent) / folder.name
        draft.mkdir()
        yield draft
        draft.rename(folder)
    write_card(read_bundle(folder))  # after the rename: the card also reads files beside the bundles


def export_network(network: torch.nn.Module, folder: Path, *, image_size: int) -> None:
    """Write the weights, and the graph photos [B, 3, S, S] -> logits [B, K + 1], heatmaps [B, K + 1, h, w]."""
    weights = folder / WEIGHTS_FILE
    save_half_precision(network, weights)
    example = torch.zeros(2, 3, image_size, image_size)
    export_onnx(WithGradCAM(network), example, folder / GRAPH_FILE, outputs=["logits", "heatmaps"], weights=weights)


def heatmap_scales(graph: Path, dataset: "FundusDataset", *, image_size: int) -> dict[str, Any]:
    """The Grad-CAM values shown at full strength, from validation photographs with natural colours.

    Of the most probable grade, and of macular oedema, in the fields of bundle.json.
    """
    rows = np.flatnonzero((dataset.splits == VALIDATION) & (dataset.sources != EQUALIZED_SOURCE))
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    logits, maxima = [], []
    for start in tqdm(range(0, len(rows), BATCH_SIZE), desc="heatmaps", unit="batch"):
        images = normalize(resize_images(load_images(dataset.pixels, rows[start : start + BATCH_SIZE]), image_size))
        batch_logits, heatmaps = session.run(None, {"photos": images.contiguous().numpy()})
        logits.append(batch_logits)
        maxima.append(heatmaps.max(axis=(2, 3)))
    return scales(np.concatenate(logits), np.concatenate(maxima))


def scales(logits: "NDArray[np.float32]", maxima: "NDArray[np.float32]") -> dict[str, Any]:
    """Of the logits and the heatmaps' maxima (n, K + 1): the most probable grade if that is not 0, and oedema."""
    grades = logits[:, :N_GRADES].argmax(axis=1)
    result: dict[str, Any] = {"heatmap_full_scale": _full_scale(maxima[np.arange(len(grades)), grades][grades > 0])}
    if logits.shape[1] > N_GRADES:
        of_oedema = _full_scale(maxima[logits[:, N_GRADES] > 0, N_GRADES])
        result["macular_oedema"] = UNCALIBRATED_OEDEMA | {"heatmap_full_scale": of_oedema}
    return result


def _full_scale(maxima: "NDArray[np.float32]") -> float:
    """Their 90th percentile, at least 0.0001; 1 if there are none."""
    return max(1e-4, round(float(np.percentile(maxima, 90)), 4)) if len(maxima) else 1.0
