"""What programs of workers measure, and the rows of their tables."""

import itertools
import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Run:
    """What some workers did: seconds of the whole run, and milliseconds of a photograph."""

    n_workers: int
    n_graded: int
    seconds: float
    grading_ms: float
    worker_ms: float
    database_ms: float

    @property
    def per_second(self) -> float:
        return self.n_graded / self.seconds


def rows_of_runs(runs: list[Run]) -> list[dict[str, object]]:
    """Rows of the table; the first run is the baseline."""
    first = runs[0].per_second / runs[0].n_workers
    return [
        {
            "workers": run.n_workers,
            "photographs": run.n_graded,
            "photographs a second": f"{run.per_second:.1f}",
            "efficiency": f"{run.per_second / run.n_workers / first:.2f}",
            "time of a grading": f"{run.grading_ms:.0f} ms",
            "processor time of a photograph: worker": f"{run.worker_ms:.0f} ms",
            "database": f"{run.database_ms:.1f} ms",
        }
        for run in runs
    ]


@dataclass(frozen=True, slots=True)
class Delays:
    """Delays of the photographs of site B, in seconds: upload to result, wait in the queue, and time of a grading."""

    name: str
    n_before: int
    n_after: int
    total_s: tuple[float, ...]
    queue_s: tuple[float, ...]
    grading_s: float


def rows_of_delays(all_delays: Sequence[Delays]) -> list[dict[str, object]]:
    """Rows of the table; the first one is that of the empty queue."""
    empty = all_delays[0]
    rows: list[dict[str, object]] = []
    for delays in all_delays:
        more = statistics.median(delays.queue_s) - statistics.median(empty.queue_s)
        most = max(delays.queue_s) - statistics.median(empty.queue_s)
        rows.append(
            {
                "work of site A": delays.name,
                "of it waiting, at first and at the end": f"{delays.n_before}, {delays.n_after}",
                "photographs of B": len(delays.total_s),
                "upload to result, median / longest": _seconds(delays.total_s),
                "wait in the queue, median / longest": _seconds(delays.queue_s),
                "time of a grading": f"{delays.grading_s:.3f} s",
                "wait more than without, in gradings": f"{more / empty.grading_s:.1f} / {most / empty.grading_s:.1f}",
            }
        )
    return rows


def _seconds(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.3f} / {max(values):.3f} s"


@dataclass(frozen=True, slots=True)
class Sample:
    """Memory in megabytes and times in milliseconds of a photograph since the sample before."""

    n_graded: int
    grading_mb: int
    all_mb: int
    seconds: float
    worker_s: float
    database_s: float


def rows_of_samples(samples: Sequence[Sample]) -> list[dict[str, object]]:
    """Rows of the table; the first sample is only the beginning of the second one."""
    rows: list[dict[str, object]] = []
    for before, now in itertools.pairwise(samples):
        n = max(1, now.n_graded - before.n_graded)
        rows.append(
            {
                "photographs": now.n_graded,
                "memory of the process that grades": f"{now.grading_mb} MB",
                "of all processes of the worker": f"{now.all_mb} MB",
                "photographs a second": f"{n / (now.seconds - before.seconds):.1f}",
                "processor time of a photograph: worker": f"{(now.worker_s - before.worker_s) * 1000 / n:.0f} ms",
                "database": f"{(now.database_s - before.database_s) * 1000 / n:.1f} ms",
            }
        )
    return rows


def grown_mb(samples: Sequence[Sample]) -> int:
    """How much the process that grades grew from the first of these samples to the largest one."""
    return max(sample.grading_mb for sample in samples) - samples[0].grading_mb
