"""Turn a finished run into a bundle: ``python -m ml export RUN --name student --version 0.1.0 [--precision fp16]``."""

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import onnxruntime
import torch
from tqdm import tqdm

from ml.bundle import WEIGHTS_FILE, Bundle, read_bundle
from ml.calibrate import Calibration, fit
from ml.card import write_card
from ml.data.augment import shrink
from ml.gradcam import WithGradCAM
from ml.metrics import summarise
from ml.networks import IMAGENET_MEAN, IMAGENET_STD, build
from ml.precision import Precision, store_weights
from ml.preprocess import PREPROCESSING_VERSION
from ml.train import TEST, TRAIN, VALIDATION, TrainingConfig, as_batch, load_retinas, normalised
from ml.vocabulary import N_GRADES, REFERABLE_FROM, ICDRGrade

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.data.cache import RetinaSet

NATURAL = ("aptos2019", "eyepacs", "odir5k")
"""Sources with colours a camera makes: what a clinic sends, so calibration and figures rest on them alone."""


def export_onnx(network: torch.nn.Module, path: Path, *, side_px: int, precision: Precision = Precision.FP32) -> None:
    """Write the graph photos [B, 3, S, S] -> logits [B, K], heat [B, K, h, w], its weights in ``precision``."""
    graph = WithGradCAM(network).eval()
    example = torch.zeros(2, 3, side_px, side_px)
    program = torch.onnx.export(
        graph,
        (example,),
        input_names=["photos"],
        output_names=["logits", "heat"],
        dynamic_shapes={"photos": {0: torch.export.Dim("B")}},
        dynamo=True,
        verbose=False,
    )
    if program is None:
        raise RuntimeError("The ONNX exporter returned nothing.")
    program.optimize()
    model = program.model_proto
    for node in model.graph.node:  # the exporter writes the stack trace of every operation, with this machine's paths
        del node.metadata_props[:]
    for value in (*model.graph.value_info, *model.graph.input, *model.graph.output, *model.graph.initializer):
        del value.metadata_props[:]
    del model.metadata_props[:], model.graph.metadata_props[:]
    onnx.save(store_weights(model, precision), path)


def export_bundle(
    run: Path, *, data: Path, folder: Path, name: str, version: str, precision: Precision = Precision.FP32
) -> Bundle:
    """Export the best weights of a run, calibrate on validation, measure on test, and write the bundle and its card.

    Calibration and figures are those of the very file that is written, in its precision.
    """
    config = read_config(run)
    network = build(config.architecture)
    network.load_state_dict(torch.load(run / "best.pt", weights_only=True))
    folder.mkdir(parents=True, exist_ok=True)
    export_onnx(network, folder / WEIGHTS_FILE, side_px=config.side_px, precision=precision)
    retinas = load_retinas(config, data=data, cache=run.parent / "cache")
    chosen = np.flatnonzero((retinas.parts != TRAIN) & np.isin(retinas.sources, NATURAL))
    logits, evidence = run_onnx(folder / WEIGHTS_FILE, retinas, chosen, side_px=config.side_px)
    truth, sources, parts = retinas.grades[chosen], retinas.sources[chosen], retinas.parts[chosen]
    held = parts == VALIDATION
    calibration = fit(logits[held], truth[held], sources[held])
    content = {
        "format": 1,
        "name": name,
        "version": version,
        "architecture": config.architecture,
        "classes": [grade.name.lower() for grade in ICDRGrade],
        "input": {
            "side_px": config.side_px,
            "mean": IMAGENET_MEAN,
            "std": IMAGENET_STD,
            "preprocessing_version": PREPROCESSING_VERSION,
        },
        "calibration": {"temperature": round(calibration.temperature, 5), "bias": calibration.bias},
        "grade_cuts": calibration.grade_cuts,
        "operating_point": calibration.operating_point,
        "heatmap_full_scale": heatmap_full_scale(logits[held], evidence[held], calibration),
        "weights": weights_entry(folder / WEIGHTS_FILE) | {"precision": precision.value},
        "training": describe_training(config, retinas, run),
        "metrics": {
            part: measure(calibration, logits[rows], truth[rows], sources[rows])
            for part, rows in (("validation", held), ("test", parts == TEST))
        },
    }
    (folder / "bundle.json").write_text(json.dumps(content, indent=1) + "\n")
    bundle = read_bundle(folder, verify=True)
    write_card(bundle)
    return bundle


def read_config(run: Path) -> TrainingConfig:
    """The configuration a run was started with."""
    values = json.loads((run / "config.json").read_text())
    return TrainingConfig(**{**values, "sources": tuple(values["sources"])})


def weights_entry(path: Path) -> dict[str, Any]:
    """File name, SHA-256 and size of the weights."""
    content = path.read_bytes()
    return {"file": path.name, "sha256": hashlib.sha256(content).hexdigest(), "n_bytes": len(content)}


def run_onnx(
    weights: Path, retinas: "RetinaSet", chosen: "NDArray[np.int64]", *, side_px: int
) -> "tuple[NDArray[np.float32], NDArray[np.float32]]":
    """Logits (n, K) and the highest evidence of each grade's map (n, K), from the very file that is released."""
    session = onnxruntime.InferenceSession(weights, providers=["CPUExecutionProvider"])
    logits, evidence = [], []
    for start in tqdm(range(0, len(chosen), 32), desc="measure", unit="batch"):
        photos = normalised(shrink(as_batch(retinas, chosen[start : start + 32]), side_px=side_px))
        out, heat = session.run(None, {"photos": photos.contiguous().numpy()})
        logits.append(out)
        evidence.append(heat.max(axis=(2, 3)))
    return np.concatenate(logits), np.concatenate(evidence)


def heatmap_full_scale(
    logits: "NDArray[np.float32]", evidence: "NDArray[np.float32]", calibration: Calibration
) -> float:
    """Evidence shown at full strength: the 90th percentile of the strongest cell where disease was graded."""
    grades = calibration.grades(calibration.probabilities(logits))
    strongest = evidence[np.arange(len(grades)), grades][grades > 0]
    return max(1e-4, round(float(np.percentile(strongest, 90)), 4)) if len(strongest) else 1.0


def describe_training(config: TrainingConfig, retinas: "RetinaSet", run: Path) -> dict[str, Any]:
    """What the network was trained on and how, for bundle.json and the card."""
    counts = {
        str(source): {
            part: np.bincount(
                retinas.grades[(retinas.sources == source) & (retinas.parts == number)], minlength=N_GRADES
            ).tolist()
            for part, number in (("train", TRAIN), ("validation", VALIDATION), ("test", TEST))
        }
        for source in np.unique(retinas.sources)
    }
    epochs = len((run / "log.jsonl").read_text().splitlines())
    stages = [(run, config)]
    while stages[0][1].start:
        start = Path(stages[0][1].start)
        stages.insert(0, (start, read_config(start)))
    return {
        "stages": [{"run": str(folder)} | dataclasses.asdict(stage) for folder, stage in stages],
        "n_epochs_finished": epochs,
        "photographs_by_grade": counts,
        "n_copies_kept_together": retinas.n_copies,
        "n_without_retina": retinas.n_without_retina,
    }


def measure(
    calibration: Calibration,
    logits: "NDArray[np.float32]",
    truth: "NDArray[np.int64]",
    sources: "NDArray[np.str_]",
) -> dict[str, Any]:
    """Figures of one part of the split, for each source."""
    probabilities = calibration.probabilities(logits)
    grades, p_referable = calibration.grades(probabilities), probabilities[:, REFERABLE_FROM:].sum(axis=1)
    return {
        str(source): summarise(
            truth[rows], probabilities[rows], grades[rows], p_referable[rows], calibration.operating_point
        )
        for source in np.unique(sources)
        for rows in [sources == source]
    }
