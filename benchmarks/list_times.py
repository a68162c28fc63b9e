"""Times of the lists of one database: a process that ``benchmarks.rows`` starts, one for each database.

    DATABASE_URL=... python -m benchmarks.list_times PEOPLE

It migrates and fills the database (``benchmarks.filling``) and writes the names of roles and lists as a line of JSON.
For each line ``role TAB list TAB number of requests`` of its input it writes the timing, or null if the role may not
see the list.
"""

import json
import logging
import os
import sys
import time
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "drsite.settings")
django.setup()

from django.conf import settings  # noqa: E402 (after django.setup)
from django.core.cache import cache  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402

from benchmarks.environment import machine  # noqa: E402
from benchmarks.filling import PROGRAMME_MANAGER, ROLES, fill, fill_staff  # noqa: E402
from benchmarks.lists import Listing, listings, n_rows_shown, request  # noqa: E402
from benchmarks.times import ListTiming, times_ms  # noqa: E402
from drsite.garbage_collection import collect_less_often  # noqa: E402
from screening.models import Patient, User  # noqa: E402

ROLE_NAMES = [*ROLES, PROGRAMME_MANAGER]


@lru_cache
def lists_of(role: str) -> tuple[Client, dict[str, Listing]]:
    """A client that is logged in as the role, and its lists by their names."""
    user = User.objects.get(username=role)
    client = Client()
    client.force_login(user)
    return client, {listing.name: listing for listing in listings(user)}


def time_list(role: str, name: str, *, n_runs: int) -> ListTiming | None:
    """Some requests after a first one; None if the role may not see the list. Raises ValueError for another error."""
    client, known = lists_of(role)
    listing = known.get(name)
    if listing is None:
        return None
    with CaptureQueriesContext(connection) as statements:
        response = request(client, listing)
    n_statements = len(statements)  # NB: the next request empties the log
    if response.status_code in {302, 403, 404}:
        return None
    if response.status_code != listing.status:
        raise ValueError(f"{listing.name}: status {response.status_code}")
    start_ms = processor_ms()
    times = times_ms(lambda: request(client, listing), n_runs=n_runs, before=cache.clear)
    used_ms = (processor_ms() - start_ms) / n_runs
    return ListTiming(times, used_ms, n_statements, n_rows_shown(response.content))


def processor_ms() -> float:
    """Processor time of this process and, if it is on this machine, of its process of the database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        facts = Path(f"/proc/{cursor.fetchone()[0]}/schedstat")
    in_database_ns = int(facts.read_text().split()[0]) if facts.exists() else 0
    return time.process_time() * 1000 + in_database_ns / 1e6


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
    sys.stderr.write(f"Filled up to {n_people:,} people in {time.perf_counter() - start:.0f} s\n")


def prepare_settings() -> None:
    """As a server behind HTTPS would be (``drsite.wsgi``), without collected files and limits of requests."""
    settings.DEBUG = False
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "DEFAULT_THROTTLE_CLASSES": []}
    settings.ALLOWED_HOSTS = ["testserver"]
    settings.SECURE_SSL_REDIRECT = False
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}
    collect_less_often()


def time_requested_lists() -> None:
    """Write a timing for each line until the input ends."""
    ready = {"roles": ROLE_NAMES, "lists": list(lists_of(ROLE_NAMES[-1])[1]), "machine": machine()}
    print(json.dumps(ready), flush=True)
    for line in sys.stdin:
        role, name, n_runs = line.rstrip("\n").split("\t")
        timing = time_list(role, name, n_runs=int(n_runs))
        print(json.dumps(None if timing is None else asdict(timing)), flush=True)


if __name__ == "__main__":
    logging.disable(logging.INFO)
    prepare_settings()
    call_command("migrate", verbosity=0)
    grow(int(sys.argv[1]))
    time_requested_lists()
