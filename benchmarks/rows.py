"""Print how long each list of the pages and the API takes, with 20,000 people and with many more, in one run.

    DATABASE_URL=postgres://postgres@127.0.0.1/scratch python -m benchmarks.rows [--people 200000] [--baseline 20000]

The database is filled first (``benchmarks.filling``), in about four minutes for 200,000 people and 20 for 1,000,000; it
must be empty, and is of no use afterwards. A second one, ``scratch_baseline``, is made for the baseline. A later call
with the same numbers measures again.

Each request passes all middleware, with an empty cache, as if the counts in the menu were never kept. Requests to the
two databases alternate, so that their ratio depends less on what else the machine does: processor time says more than
time if other programs use it.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
import psycopg
from psycopg import sql

from benchmarks.times import ListTiming

TARGET_MS, MAX_RATIO = 100, 1.3
N_ROUNDS = 3


Results = dict[tuple[str, str], tuple[ListTiming, ListTiming]]
"""Many people and the baseline, by the names of list and role."""


class Database:
    """A process of ``benchmarks.list_times``."""

    def __init__(self, url: str, *, n_people: int) -> None:
        command = [sys.executable, "-m", "benchmarks.list_times", str(n_people)]
        self._process = subprocess.Popen(  # noqa: S603
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, "DATABASE_URL": url}
        )
        self.facts: dict[str, Any] = self._read()

    def time_list(self, role: str, name: str, *, n_runs: int) -> ListTiming | None:
        """None if the role may not see the list."""
        self._process.stdin.write(f"{role}\t{name}\t{n_runs}\n")  # type: ignore[union-attr]
        self._process.stdin.flush()  # type: ignore[union-attr]
        found = self._read()
        return None if found is None else ListTiming(**found)

    def _read(self) -> Any:
        line = self._process.stdout.readline()  # type: ignore[union-attr]
        if not line:
            raise SystemExit("The process of a database ended: see its message.")
        return json.loads(line)


def measure(large: Database, baseline: Database, *, n_runs: int, only: str) -> Results:
    """The time of each list that contains ``only`` in its name, as each role that may see it."""
    found: Results = {}
    for role in large.facts["roles"]:
        for name in large.facts["lists"]:
            if only not in name:
                continue
            rounds = [
                [database.time_list(role, name, n_runs=max(1, n_runs // N_ROUNDS)) for database in (large, baseline)]
                for _ in range(N_ROUNDS)
            ]
            timings = [[one for one in each if one is not None] for each in zip(*rounds, strict=True)]
            if all(timings):
                found[name, role] = (summary(timings[0]), summary(timings[1]))
    return found


def summary(rounds: Sequence[ListTiming]) -> ListTiming:
    """All requests of the rounds, with the median of their processor times."""
    times = [ms for each in rounds for ms in each.times_ms]
    first, used_ms = rounds[0], statistics.median(each.processor_ms for each in rounds)
    return ListTiming(times, used_ms, first.n_statements, first.n_rows)


def table(results: Results, *, n_people: int, n_baseline: int, each_role: bool) -> str:
    """A line for each list, with the role for which it is slowest; or for each role. Rows: of many people, baseline."""
    cells = ["list", "role", "rows shown", "statements", f"median, {n_people:,}", f"95th, {n_people:,}"]
    cells += [f"processor, {n_people:,}", f"processor, {n_baseline:,}", "ratio of processor times"]
    lines = [f"| {' | '.join(cells)} |", "|---" * len(cells) + "|"]
    for name in dict.fromkeys(name for name, _role in results):
        rows = {role: timings for (one, role), timings in results.items() if one == name}
        slowest = max(rows, key=lambda role: rows[role][0].processor_ms)
        lines += [line(name, role, *rows[role]) for role in (rows if each_role else [slowest])]
    return "\n".join(lines)


def line(name: str, role: str, now: ListTiming, baseline: ListTiming) -> str:
    """One line; ``!`` marks a figure over the target."""
    median_ms, p95_ms = np.percentile(now.times_ms, [50, 95])
    late = " !" if p95_ms > TARGET_MS else ""
    ratio = now.processor_ms / baseline.processor_ms
    cells = [name, role, f"{now.n_rows}, {baseline.n_rows}", str(now.n_statements)]
    cells += [f"{median_ms:.0f} ms", f"{p95_ms:.0f} ms{late}"]
    cells += [f"{now.processor_ms:.0f} ms", f"{baseline.processor_ms:.0f} ms"]
    cells.append(f"{ratio:.2f}{' !' if ratio > MAX_RATIO else ''}")
    return f"| {' | '.join(cells)} |"


def make_database(url: str, name: str) -> None:
    """Make an empty database at the server of ``url``, unless there is one."""
    with psycopg.connect(url, autocommit=True) as connection:
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))


def main(arguments: Sequence[str] | None = None) -> None:
    """Fill both databases, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=200_000)
    parser.add_argument("--baseline", type=int, default=20_000)
    parser.add_argument("--runs", type=int, default=15, help="requests of each list as each role")
    parser.add_argument("--only", default="", help="part of the names of the lists to measure")
    parser.add_argument("--each-role", action="store_true", help="not the slowest role alone")
    options = parser.parse_args(arguments)
    url = os.environ["DATABASE_URL"]
    server, _, name = url.rpartition("/")
    make_database(url, f"{name}_baseline")
    baseline = Database(f"{server}/{name}_baseline", n_people=options.baseline)
    large = Database(url, n_people=options.people)
    results = measure(large, baseline, n_runs=options.runs, only=options.only)
    print(large.facts["machine"], end="\n\n")
    print(table(results, n_people=options.people, n_baseline=options.baseline, each_role=options.each_role), flush=True)


if __name__ == "__main__":
    main()
