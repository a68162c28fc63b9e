"""Results table: teacher, student alone and distilled student, compared with a baseline: ``python -m ml results``."""

import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ml.bundle import BUNDLES, Bundle, read_bundle, read_evaluation
from ml.grader import load_session
from ml.metrics.grading import METRICS
from ml.metrics.markdown import table, with_interval

SOURCE = "aptos2019"
N_IMAGES = 1000
N_TIMED, BATCH_SIZE = 64, 16
"""Photographs timed, and in one forward pass; the time is scaled to N_IMAGES."""
N_PROCESSORS = os.cpu_count() or 1
SHOWN_METRICS = ("accuracy", "quadratic_kappa")


@dataclass(frozen=True, slots=True)
class ResultRow:
    """One kind of model, and what the earlier system reached with it on APTOS 2019."""

    title: str
    baseline: tuple[str, str, str, str]
    """Accuracy, quadratic kappa, size in MB, seconds for N_IMAGES."""
    matches: Callable[[Bundle], bool]


def is_distilled(bundle: Bundle) -> bool:
    """Whether any stage of its training had a teacher."""
    return any(stage.get("distillation") for stage in bundle.training["stages"])


def _is_student(bundle: Bundle) -> bool:
    return bundle.architecture.startswith("mobilenet")


ROWS = (
    ResultRow("ResNet-50 fine-tuned", ("0.81", "0.75", "94", "7"), lambda b: b.architecture.startswith("resnet50")),
    ResultRow("MobileNet", ("0.74", "0.72", "6", "2"), lambda b: _is_student(b) and not is_distilled(b)),
    ResultRow("MobileNet distilled", ("0.80", "0.73", "6", "2"), lambda b: _is_student(b) and is_distilled(b)),
)


def newest(bundles: list[Bundle], row: ResultRow) -> Bundle | None:
    """The bundle of a row with the highest version."""
    matching = [b for b in bundles if row.matches(b)]
    return max(matching, key=lambda b: [int(n) if n.isdigit() else 0 for n in b.version.split(".")], default=None)


def released_bundles(folder: Path = BUNDLES) -> list[Bundle]:
    """Every bundle in a folder that grades. Raises BundleError for one that cannot be used."""
    descriptions = sorted(folder.glob("*/bundle.json"))
    return [read_bundle(d.parent) for d in descriptions if "cutpoints" in json.loads(d.read_text())]


def forward_seconds(bundle: Bundle) -> tuple[float, float]:
    """Time of the forward pass for 1,000 photographs, fastest of three rounds, in seconds.

    CPU time on one thread, and elapsed time with one thread per processor.
    """
    return _forward_seconds(bundle, 1, time.process_time), _forward_seconds(bundle, N_PROCESSORS, time.perf_counter)


def _forward_seconds(bundle: Bundle, n_threads: int, clock: Callable[[], float]) -> float:
    session = load_session(bundle, threads=n_threads)
    shape = (BATCH_SIZE, 3, bundle.image_size, bundle.image_size)
    photos = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    session.run(None, {"photos": photos})  # not measured: the first call allocates
    rounds = []
    for _ in range(3):
        before = clock()
        for _ in range(N_TIMED // BATCH_SIZE):
            session.run(None, {"photos": photos})
        rounds.append(clock() - before)
    return min(rounds) * N_IMAGES / N_TIMED


def results_table(bundles: list[Bundle], *, seconds: Callable[[Bundle], tuple[float, float]] = forward_seconds) -> str:
    """The table in Markdown; a kind of model without a released bundle has no row."""
    times = (f"CPU time for {N_IMAGES:,} images, s", f"elapsed on {N_PROCESSORS} processors, s")
    head = ["model", "bundle", "input", *(METRICS[name].title for name in SHOWN_METRICS), "size, MB", *times]
    rows: list[list[str]] = []
    for row in ROWS:
        bundle = newest(bundles, row)
        if bundle is None:
            continue
        cpu_s, elapsed_s = seconds(bundle)
        metrics = read_evaluation(bundle)["splits"]["test"][SOURCE]["metrics"]
        values = [with_interval(metrics[name]) for name in SHOWN_METRICS]
        values += [f"{bundle.weights.stat().st_size / 1e6:.1f}", f"{cpu_s:.1f}"]
        compared = [f"{value}, before {baseline}" for value, baseline in zip(values, row.baseline, strict=True)]
        rows.append([row.title, bundle.model_version, f"{bundle.image_size} px", *compared, f"{elapsed_s:.1f}"])
    return table([head, *rows])
