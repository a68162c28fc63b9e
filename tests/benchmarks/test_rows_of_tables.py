"""Tables of the programs that measure workers."""

import pytest

from benchmarks.rows_of_tables import (
    Delays,
    Run,
    Sample,
    grown_mb,
    rows_of_delays,
    rows_of_runs,
    rows_of_samples,
)
from benchmarks.uploads import a_minute


def run(n_workers: int, seconds: float) -> Run:
    return Run(n_workers, n_graded=100, seconds=seconds, grading_ms=50, worker_ms=60, database_ms=5)


def test_efficiency_is_relative_to_the_first_run() -> None:
    rows = rows_of_runs([run(1, 10.0), run(2, 5.0), run(4, 5.0)])
    assert [row["efficiency"] for row in rows] == ["1.00", "1.00", "0.50"]
    assert [row["photographs a second"] for row in rows] == ["10.0", "20.0", "20.0"]


def test_delays_are_compared_with_those_of_the_empty_queue() -> None:
    empty = Delays("none", 0, 0, total_s=(0.3, 0.3, 0.3), queue_s=(0.1, 0.1, 0.1), grading_s=0.05)
    full = Delays("batch", 500, 300, total_s=(0.4, 0.4, 0.6), queue_s=(0.15, 0.15, 0.3), grading_s=0.05)
    assert [row["wait more than without, in gradings"] for row in rows_of_delays([empty, full])] == [
        "0.0 / 0.0",
        "1.0 / 4.0",
    ]


def test_a_sample_is_compared_with_the_one_before() -> None:
    samples = [
        Sample(n_graded, grading_mb, 300, seconds, worker_s, database_s=0.1)
        for n_graded, grading_mb, seconds, worker_s in [(100, 200, 0, 1.0), (200, 214, 10, 7.0), (300, 209, 15, 14.0)]
    ]
    rows = rows_of_samples(samples)
    assert [row["photographs a second"] for row in rows] == ["10.0", "20.0"]
    assert [row["processor time of a photograph: worker"] for row in rows] == ["60 ms", "70 ms"]
    assert grown_mb(samples) == 14


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        ([], "-"),
        ([10.0, 20.0], "0.1"),
        ([*range(60), *range(60, 120, 2), 125], "1.0, 0.5"),  # the third minute is not over
    ],
)
def test_photographs_a_second_of_each_minute(seconds: list[float], expected: str) -> None:
    assert a_minute(seconds) == expected
