"""Results table: teacher, student alone and distilled student, compared with a baseline: ``python -m ml results``."""

import time
from collections.abc import Callable
from pathlib import Path

from ml.bundle import BUNDLES, Bundle, read_bundle, read_evaluation
from ml.evaluation.benchmark import N_IMAGES, N_PROCESSORS, forward_seconds
from ml.grader import load_session
from ml.metrics.grading import titles
from ml.metrics.markdown import metric_cells, row_table

SOURCE = "aptos2019"
SHOWN_METRICS = titles("accuracy", "quadratic_kappa")
BASELINES = {
    "ResNet-50 fine-tuned": ("0.81", "0.75", "94", "7"),
    "MobileNet": ("0.74", "0.72", "6", "2"),
    "MobileNet distilled": ("0.80", "0.73", "6", "2"),
}
"""What the earlier system reached with each kind of model on APTOS 2019: accuracy, quadratic kappa, size in MB, seconds
for N_IMAGES."""


def kind_of(bundle: Bundle) -> str:
    """The key of BASELINES; a model is distilled if any stage of its training had a teacher."""
    if bundle.architecture.startswith("resnet50"):
        return "ResNet-50 fine-tuned"
    is_distilled = any(stage.get("distillation") for stage in bundle.training["stages"])
    return "MobileNet distilled" if is_distilled else "MobileNet"


def newest_bundles(folder: Path = BUNDLES) -> dict[str, Bundle]:
    """The bundle of each kind with the highest version. Raises BundleError for one that cannot be used."""
    bundles = [read_bundle(description.parent) for description in folder.glob("*/bundle.json")]
    return {kind_of(bundle): bundle for bundle in sorted(bundles, key=_version)}


def _version(bundle: Bundle) -> list[int]:
    return [int(number) if number.isdigit() else 0 for number in bundle.version.split(".")]


def fastest_forward_seconds(bundle: Bundle) -> tuple[float, float]:
    """Time of the forward pass for 1,000 photographs, fastest of three rounds, in seconds.

    CPU time on one thread, and elapsed time with one thread per processor.
    """
    return _fastest(bundle, 1, time.process_time), _fastest(bundle, N_PROCESSORS, time.perf_counter)


def _fastest(bundle: Bundle, n_threads: int, clock: Callable[[], float]) -> float:
    session = load_session(bundle, threads=n_threads)
    return min(forward_seconds(session, clock) for _ in range(3))


def results_table(bundles: dict[str, Bundle]) -> str:
    """The table in Markdown; a kind of model without a released bundle has no row."""
    rows = []
    for kind, baseline in BASELINES.items():
        if kind not in bundles:
            continue
        bundle = bundles[kind]
        cpu_s, elapsed_s = fastest_forward_seconds(bundle)
        cells = metric_cells(read_evaluation(bundle)["splits"]["test"][SOURCE]["metrics"], SHOWN_METRICS)
        cells["size, MB"] = f"{bundle.weights.stat().st_size / 1e6:.1f}"
        cells[f"CPU time for {N_IMAGES:,} images, s"] = f"{cpu_s:.1f}"
        compared = {
            title: f"{value}, before {before}" for (title, value), before in zip(cells.items(), baseline, strict=True)
        }
        elapsed = {f"elapsed on {N_PROCESSORS} processors, s": f"{elapsed_s:.1f}"}
        model = {"model": kind, "bundle": bundle.model_version, "input": f"{bundle.image_size} px"}
        rows.append(model | compared | elapsed)
    return row_table(rows)
