"""How much do fewer bits cost? ``python -m ml.precision_trial`` stores a released network in several ways and measures.

Kappa and AUC are those of the validation part, from each stored file, with the bundle's own calibration and cuts.
Time is CPU time of single photographs on one thread, the files taken in turn within one run: only ratios matter.
``weights`` variants change what is stored alone, and ONNX Runtime computes in float32. ``fp16 arithmetic`` computes in
half precision where the processor can; ``int8 arithmetic`` is static quantisation (QDQ, a scale for each channel)
calibrated on training photographs, but for the head, which makes logits and heatmap.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnx
import onnxruntime
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quant_pre_process,
    quantize_static,
)
from onnxruntime.transformers.float16 import convert_float_to_float16
from PIL import Image

from ml.bundle import Bundle, read_bundle
from ml.data.labels import EQUALIZED_SOURCE
from ml.errors import BundleError
from ml.evaluation.predictions import CLINICAL_SOURCES as NATURAL
from ml.grader import calibrated, decide_grade
from ml.metrics.grading import quadratic_kappa, referable_auc
from ml.networks.weight_format import WeightFormat, store_weights
from ml.vocabulary import REFERABLE_FROM

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.data.cache import FundusDataset

    Floats = NDArray[np.float32]

TRAINED_ON = (*NATURAL, EQUALIZED_SOURCE)
CACHE_SIDE_PX = 320
"""Sources in their order and side as the released student was trained with them: the split is the same then."""
N_CALIBRATION = 120
N_PASSES = 1000
ROUND = 20
"""Forward passes of one file before the next one has its turn: a busy machine then slows all files alike."""


class _Photographs(CalibrationDataReader):  # type: ignore[misc]
    """Feeds calibration one photograph after the other."""

    def __init__(self, inputs: "Iterator[Floats]") -> None:
        self._inputs = inputs

    def get_next(self) -> "dict[str, Floats] | None":
        """The next input, None at the end."""
        photo = next(self._inputs, None)
        return None if photo is None else {"photos": photo[None]}


def store_variants(bundle: Bundle, retinas: "FundusDataset", folder: Path) -> dict[str, Path]:
    """Write the bundle's network in each precision; name -> file. Raises BundleError unless it is in full precision."""
    if bundle.precision != "fp32":
        raise BundleError(f"{bundle.model_version} is stored in {bundle.precision}: name one in fp32 with --bundle.")
    files = {"fp32": bundle.weights}
    for precision in (WeightFormat.FP16, WeightFormat.INT8):
        files[f"{precision.value} weights"] = folder / f"{precision.value}.onnx"
        onnx.save(store_weights(onnx.load(bundle.weights), precision), files[f"{precision.value} weights"])
    files["fp16 arithmetic"] = folder / "half.onnx"
    onnx.save(convert_float_to_float16(onnx.load(bundle.weights), keep_io_types=True), files["fp16 arithmetic"])
    files["int8 arithmetic"] = folder / "qdq.onnx"
    _quantise(bundle, retinas, folder, files["int8 arithmetic"])
    return files


def _quantise(bundle: Bundle, retinas: "FundusDataset", folder: Path, path: Path) -> None:
    quant_pre_process(bundle.weights, folder / "prepared.onnx", skip_symbolic_shape=True, skip_optimization=True)
    rows = np.random.default_rng(3).permutation(retinas.where(0))
    rows = rows[np.isin(retinas.sources[rows], NATURAL)][:N_CALIBRATION]
    quantize_static(
        folder / "prepared.onnx",
        path,
        _Photographs(network_inputs(bundle, retinas, np.sort(rows))),
        quant_format=QuantFormat.QDQ,
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        calibrate_method=CalibrationMethod.MinMax,
        op_types_to_quantize=["Conv", "Add", "Mul"],
    )


def network_inputs(bundle: Bundle, retinas: "FundusDataset", rows: "NDArray[np.int64]") -> "Iterator[Floats]":
    """(3, S, S) network inputs of cached photographs, whose colours are even already."""
    mean, std = np.array(bundle.mean, np.float32), np.array(bundle.std, np.float32)
    for row in rows.tolist():
        photo = Image.fromarray(retinas.pixels[row]).resize((bundle.side_px,) * 2, Image.Resampling.BILINEAR)
        scaled = (np.asarray(photo, np.float32) / 255 - mean) / std  # (S, S, 3)
        yield np.ascontiguousarray(scaled.transpose(2, 0, 1))  # (3, S, S)


def open_session(path: Path) -> onnxruntime.InferenceSession:
    """On one thread that does not spin, as in serving."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def accuracy_table(
    bundle: Bundle, retinas: "FundusDataset", sessions: dict[str, onnxruntime.InferenceSession], *, part: int = 1
) -> dict[str, dict[str, dict[str, float]]]:
    """Variant -> source -> kappa, AUC, and the largest change of P(grade >= 2) against the first variant."""
    rows = retinas.where(part)
    rows = rows[np.isin(retinas.sources[rows], NATURAL)]
    logits: dict[str, list[Floats]] = {name: [] for name in sessions}
    for photo in network_inputs(bundle, retinas, rows):
        for name, session in sessions.items():
            logits[name].append(session.run(["logits"], {"photos": photo[None]})[0][0])
    probabilities = {name: calibrated(np.stack(values), bundle) for name, values in logits.items()}  # (n, K)
    first = next(iter(probabilities.values()))[:, REFERABLE_FROM:].sum(axis=1)
    table: dict[str, dict[str, dict[str, float]]] = {}
    for name, values in probabilities.items():
        p_referable = values[:, REFERABLE_FROM:].sum(axis=1)
        grades = np.array([int(decide_grade(p, bundle.grade_cuts)) for p in values], np.int64)
        table[name] = {
            source: {
                "kappa": quadratic_kappa(retinas.grades[rows[chosen]], grades[chosen]),
                "auc": referable_auc(retinas.grades[rows[chosen]], p_referable[chosen]) or 0.0,
                "change": float(np.abs(p_referable - first)[chosen].max()),
            }
            for source in NATURAL
            for chosen in [retinas.sources[rows] == source]
            if chosen.any()
        }
    return table


def time_all(
    sessions: dict[str, onnxruntime.InferenceSession], photo: "Floats", *, n_passes: int = N_PASSES
) -> dict[str, tuple[float, float]]:
    """Variant -> median CPU milliseconds of a pass, and that over the first variant's in the same round (median)."""
    feed = {"photos": photo[None]}
    for session in sessions.values():
        session.run(None, feed)
    spent: dict[str, list[float]] = {name: [] for name in sessions}
    for _ in range(max(1, n_passes // ROUND)):
        for name, session in sessions.items():
            before = time.process_time()
            for _ in range(ROUND):
                session.run(None, feed)
            spent[name].append((time.process_time() - before) * 1000 / ROUND)
    first = next(iter(spent.values()))
    return {
        name: (statistics.median(times), statistics.median(t / f for t, f in zip(times, first, strict=True)))
        for name, times in spent.items()
    }


def report(bundle: Bundle, retinas: "FundusDataset", *, n_passes: int = N_PASSES) -> str:
    """The table in Markdown."""
    with tempfile.TemporaryDirectory() as folder:
        files = store_variants(bundle, retinas, Path(folder))
        sessions = {name: open_session(path) for name, path in files.items()}
        sizes = {name: path.stat().st_size / 1e6 for name, path in files.items()}
    accuracy = accuracy_table(bundle, retinas, sessions)
    photo = next(network_inputs(bundle, retinas, retinas.where(1)[:1]))
    times = time_all(sessions, photo, n_passes=n_passes)
    sources = list(next(iter(accuracy.values())))
    lines = [
        "| variant | MB | "
        + " | ".join(f"{s} kappa, AUC" for s in sources)
        + " | largest change of P | ms | time / fp32 |",
        "|" + "---|" * (len(sources) + 5),
    ]
    for name, figures in accuracy.items():
        cells = [f"{figures[s]['kappa']:.3f}, {figures[s]['auc']:.3f}" for s in sources]
        change = max(figures[s]["change"] for s in sources)
        ms, ratio = times[name]
        lines.append(f"| {name} | {sizes[name]:.2f} | {' | '.join(cells)} | {change:.4f} | {ms:.1f} | {ratio:.2f} |")
    return "\n".join(lines)


def main() -> None:
    """Print the table for one bundle."""
    from ml.data.cache import load_dataset

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", type=Path, required=True, help="a bundle in full precision")
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("DR_DATA_DIR", "../shared/data")))
    parser.add_argument("--cache", type=Path, default=Path("runs/cache"))
    parser.add_argument("--passes", type=int, default=N_PASSES)
    options = parser.parse_args()
    retinas = load_dataset([options.data / source for source in TRAINED_ON], side_px=CACHE_SIDE_PX, cache=options.cache)
    print(report(read_bundle(options.bundle), retinas, n_passes=options.passes))  # noqa: T201


if __name__ == "__main__":
    main()
