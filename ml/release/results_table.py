"""Teacher, student alone, distilled student, beside the system that came before: ``python -m ml table``."""

import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ml.bundle import BUNDLES, Bundle, read_bundle, read_evaluation, verified_weights
from ml.metrics.markdown import table as markdown
from ml.metrics.markdown import with_interval

SOURCE = "aptos2019"
N_IMAGES = 1000
N_TIMED, BATCH = 64, 16
"""Photographs timed, and in one forward pass; the time is scaled to N_IMAGES."""
N_PROCESSORS = os.cpu_count() or 1


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of network, and what the earlier system reached with it on APTOS 2019 (size in MB, time in s)."""

    title: str
    earlier: tuple[str, str, str, str]
    is_meant: Callable[[Bundle], bool]


def is_distilled(bundle: Bundle) -> bool:
    """Whether any stage of its training had a teacher."""
    return any(stage.get("distillation") for stage in bundle.training["stages"])


def _is_student(bundle: Bundle) -> bool:
    return bundle.architecture.startswith("mobilenet")


ROWS = (
    Row("ResNet-50 fine-tuned", ("0.81", "0.75", "94", "7"), lambda b: b.architecture.startswith("resnet50")),
    Row("MobileNet", ("0.74", "0.72", "6", "2"), lambda b: _is_student(b) and not is_distilled(b)),
    Row("MobileNet distilled", ("0.80", "0.73", "6", "2"), lambda b: _is_student(b) and is_distilled(b)),
)


def newest(bundles: list[Bundle], row: Row) -> Bundle | None:
    """The bundle of a row with the highest version."""
    meant = [b for b in bundles if row.is_meant(b)]
    return max(meant, key=lambda b: [int(n) if n.isdigit() else 0 for n in b.version.split(".")], default=None)


def released(folder: Path = BUNDLES) -> list[Bundle]:
    """Every bundle in a folder that grades. Raises BundleError for one that cannot be used."""
    descriptions = sorted(folder.glob("*/bundle.json"))
    return [read_bundle(d.parent) for d in descriptions if "grade_cuts" in json.loads(d.read_text())]


def forward_seconds(bundle: Bundle) -> tuple[float, float]:
    """The network alone on 1,000 photographs, least of three rounds, in seconds: processor time on one thread, and the
    time by the clock with a thread for each processor."""
    return _forward_seconds(bundle, 1, time.process_time), _forward_seconds(bundle, N_PROCESSORS, time.perf_counter)


def _forward_seconds(bundle: Bundle, n_threads: int, clock: Callable[[], float]) -> float:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = n_threads, 1
    session = onnxruntime.InferenceSession(verified_weights(bundle), options, providers=["CPUExecutionProvider"])
    photos = np.random.default_rng(0).normal(size=(BATCH, 3, bundle.side_px, bundle.side_px)).astype(np.float32)
    session.run(None, {"photos": photos})  # not counted: the first call allocates
    rounds = []
    for _ in range(3):
        before = clock()
        for _ in range(N_TIMED // BATCH):
            session.run(None, {"photos": photos})
        rounds.append(clock() - before)
    return min(rounds) * N_IMAGES / N_TIMED


def table(bundles: list[Bundle], *, seconds: Callable[[Bundle], tuple[float, float]] = forward_seconds) -> str:
    """The table in Markdown; no row for a network of which no bundle is released."""
    head = [
        "network",
        "bundle",
        "input",
        "accuracy",
        "quadratic kappa",
        "size, MB",
        f"CPU time for {N_IMAGES:,} images, s",
        f"by the clock on {N_PROCESSORS} processors, s",
    ]
    lines = [head]
    for row in ROWS:
        bundle = newest(bundles, row)
        if bundle is None:
            continue
        of_processor, by_clock = seconds(bundle)
        figures = read_evaluation(bundle)["parts"]["test"][SOURCE]["figures"]
        ours = [
            with_interval(figures["accuracy"]),
            with_interval(figures["quadratic_kappa"]),
            f"{bundle.weights.stat().st_size / 1e6:.1f}",
            f"{of_processor:.1f}",
        ]
        beside = [f"{own}, before {earlier}" for own, earlier in zip(ours, row.earlier, strict=True)]
        lines.append([row.title, bundle.model_version, f"{bundle.side_px} px", *beside, f"{by_clock:.1f}"])
    return markdown(lines)
