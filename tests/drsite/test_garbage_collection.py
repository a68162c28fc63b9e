"""Garbage collection of a process that serves requests."""

import subprocess
import sys

from tests.screening.processes import DEADLINE_S, PROJECT, environment

COUNT = """
import gc, sys
import drsite.wsgi
views = [name for name in sys.modules if name.startswith("screening.views.")]
print(len(gc.get_objects()), gc.get_freeze_count(), len(views), flush=True)
"""


def test_a_server_does_not_visit_what_it_has_loaded(shared_database: str) -> None:
    variables = environment(shared_database, REDIS_URL="memory://", DEBUG="true")
    found = subprocess.run(
        [sys.executable, "-c", COUNT], cwd=PROJECT, env=variables, capture_output=True, timeout=DEADLINE_S, check=True
    )
    n_visited, n_left_out, n_views = map(int, found.stdout.split())
    assert n_left_out > 100_000
    assert n_visited < 0.02 * n_left_out
    assert n_views > 20  # they were loaded before
