"""Print how long each list of the pages and the API takes, with 20,000 people and with many more, in one run.

    DATABASE_URL=postgres://postgres@127.0.0.1/scratch python -m benchmarks.rows [--people 200000] [--baseline 20000]

The database is filled first (``benchmarks.filling``), in about six minutes for 200,000 people and half an hour for
1,000,000; it must be empty, and is of no use afterwards. A later call with the same number measures again.

Each request passes all middleware, with an empty cache, as if the counts in the menu were never kept.
Processor time says more than time if other programs use the machine.
"""

import argparse
import logging
import os
import platform
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "drsite.settings")
django.setup()

from django.conf import settings  # noqa: E402 (after django.setup)
from django.core.cache import cache  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.client import MULTIPART_CONTENT  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402

from benchmarks.filling import PROGRAMME_MANAGER, ROLES, fill, fill_staff  # noqa: E402
from benchmarks.lists import Listing, listings  # noqa: E402
from benchmarks.times import times_ms  # noqa: E402
from screening.models import Patient, User  # noqa: E402

TARGET_MS, MAX_RATIO = 100, 1.3


@dataclass(frozen=True, slots=True)
class Timing:
    """One list as one role."""

    median_ms: float
    p95_ms: float
    processor_ms: float
    n_statements: int


Results = dict[tuple[str, str], Timing]
"""By the names of list and role."""


def measure(*, n_runs: int, only: str) -> Results:
    """The time of each list that contains ``only`` in its name, as each role that may see it."""
    found: Results = {}
    for role in (*ROLES, PROGRAMME_MANAGER):
        user = User.objects.get(username=role)
        client = Client()
        client.force_login(user)
        for listing in listings(user):
            if only in listing.name and (timing := time_requests(client, listing, n_runs=n_runs)) is not None:
                found[listing.name, role] = timing
    return found


def time_requests(client: Client, listing: Listing, *, n_runs: int) -> Timing | None:
    """Some requests after a first one; None if the role may not see the list. Raises ValueError for another error."""
    with CaptureQueriesContext(connection) as statements:
        status = request(client, listing)
    n_statements = len(statements)  # NB: the next request empties the log
    if status in {302, 403, 404}:
        return None
    if status != 200:
        raise ValueError(f"{listing.name}: status {status}")
    start_ms = processor_ms()
    times = times_ms(lambda: request(client, listing), n_runs=n_runs, before=cache.clear)
    used_ms = (processor_ms() - start_ms) / n_runs
    p95_ms = statistics.quantiles(times, n=20, method="inclusive")[-1]
    return Timing(statistics.median(times), p95_ms, used_ms, n_statements)


def processor_ms() -> float:
    """Processor time of this process and, if it is on this machine, of its process of the database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        facts = Path(f"/proc/{cursor.fetchone()[0]}/schedstat")
    in_database_ns = int(facts.read_text().split()[0]) if facts.exists() else 0
    return time.process_time() * 1000 + in_database_ns / 1e6


def request(client: Client, listing: Listing) -> int:
    """One request; the status of its response."""
    if listing.body is None:
        return client.get(listing.address, listing.parameters).status_code
    is_api = listing.address.startswith("/api/")
    kind = "application/json" if is_api else MULTIPART_CONTENT
    return client.post(listing.address, listing.body, content_type=kind).status_code


def table(before: Results, after: Results, *, n_before: int, n_after: int, each_role: bool) -> str:
    """A line for each list, with the role for which it is slowest; or for each role."""
    cells = ["list", "role", "statements", f"median, {n_after:,}", f"95th, {n_after:,}", f"processor, {n_after:,}"]
    if before:
        cells += [f"95th, {n_before:,}", f"processor, {n_before:,}", "ratio of processor times"]
    lines = [f"| {' | '.join(cells)} |", "|---" * len(cells) + "|"]
    for name in dict.fromkeys(name for name, _role in after):
        rows = {role: timing for (one, role), timing in after.items() if one == name}
        slowest = max(rows, key=lambda role: rows[role].processor_ms)
        roles = list(rows) if each_role else [slowest]
        lines += [line(name, role, rows[role], before.get((name, role))) for role in roles]
    return "\n".join(lines)


def line(name: str, role: str, now: Timing, baseline: Timing | None) -> str:
    """One line; ``!`` marks a figure over the target."""
    late = " !" if now.p95_ms > TARGET_MS else ""
    cells = [name, role, str(now.n_statements), f"{now.median_ms:.0f} ms", f"{now.p95_ms:.0f} ms{late}"]
    cells.append(f"{now.processor_ms:.0f} ms")
    if baseline is not None:
        ratio = now.processor_ms / baseline.processor_ms
        cells += [f"{baseline.p95_ms:.0f} ms", f"{baseline.processor_ms:.0f} ms"]
        cells.append(f"{ratio:.2f}{' !' if ratio > MAX_RATIO else ''}")
    return f"| {' | '.join(cells)} |"


def machine() -> str:
    """Processor, number of cores and versions."""
    facts = Path("/proc/cpuinfo").read_text().splitlines()
    names = [one.partition(":")[2].strip() for one in facts if one.startswith("model name")]
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        version = cursor.fetchone()[0].split()[0]
    python = platform.python_version()
    return f"{names[0] if names else platform.machine()}, {os.cpu_count()} cores; PostgreSQL {version}, Python {python}"


def grow(n_people: int) -> None:
    """Fill up to this number of people."""
    present = Patient.objects.count()
    if present >= n_people:
        return
    start = time.perf_counter()
    if present == 0:
        fill_staff()
    fill(first=present + 1, last=n_people)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    print(f"Filled up to {n_people:,} people in {time.perf_counter() - start:.0f} s", flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Fill, measure, fill up, measure again, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=200_000)
    parser.add_argument("--baseline", type=int, default=20_000)
    parser.add_argument("--runs", type=int, default=15, help="requests of each list as each role")
    parser.add_argument("--only", default="", help="part of the names of the lists to measure")
    parser.add_argument("--each-role", action="store_true", help="not the slowest role alone")
    options = parser.parse_args(arguments)
    call_command("migrate", verbosity=0)
    before: Results = {}
    if Patient.objects.count() <= options.baseline:
        grow(options.baseline)
        before = measure(n_runs=options.runs, only=options.only)
    grow(options.people)
    after = measure(n_runs=options.runs, only=options.only)
    print(machine(), end="\n\n")
    print(
        table(before, after, n_before=options.baseline, n_after=options.people, each_role=options.each_role), flush=True
    )


def prepare_settings() -> None:
    """As a server behind HTTPS would be, without collected files and limits of requests."""
    settings.DEBUG = False
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "DEFAULT_THROTTLE_CLASSES": []}
    settings.ALLOWED_HOSTS = ["testserver"]
    settings.SECURE_SSL_REDIRECT = False
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}


if __name__ == "__main__":
    logging.disable(logging.INFO)
    prepare_settings()
    main()
