"""Times of calls."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

N_RUNS = 5


@dataclass(frozen=True, slots=True)
class ListTiming:
    """Some requests of one list as one role; processor time, statements and rows shown are those of one request."""

    times_ms: list[float]
    processor_ms: float
    n_statements: int
    n_rows: int


def times_ms(call: Callable[[], object], *, n_runs: int = N_RUNS, before: Callable[[], object] = int) -> list[float]:
    """The time of each of some runs; ``before`` is called before each, and not timed."""
    times = []
    for _ in range(n_runs):
        before()
        start = time.perf_counter()
        call()
        times.append((time.perf_counter() - start) * 1000)
    return times


def median_ms(call: Callable[[], object]) -> float:
    """Median time of some runs after a first one."""
    call()
    return statistics.median(times_ms(call))
