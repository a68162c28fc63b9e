"""No list of pages or API reads many rows of a large table, by the plans of PostgreSQL with its statistics."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from benchmarks.filling import fill, fill_staff
from benchmarks.lists import Listing, listings
from benchmarks.plans import Scan, plan_of, scans_of, statements_of
from screening.models import User
from screening.selectors import list_rows

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no such plans"),
]

N_PEOPLE = 4000
ROLES = ("manager", "senior reviewer", "outside reader")
MAX_ROWS_READ = 3000
"""By one scan. The smallest of the large tables has N_PEOPLE rows, that of exams three times as many."""
MIN_LARGE = 3000
"""Rows of a table that grows with the number of people or exams."""


@pytest.fixture(autouse=True, scope="module")
def _no_traces(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Sizes of tables are not rolled back: plans in other tests would depend on them."""
    yield
    if connection.vendor == "postgresql":
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")


def test_no_list_reads_a_large_table(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_rows, "MAX_COUNTED", 100)  # as the tables, it is smaller than in use
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "DEFAULT_THROTTLE_CLASSES": []}
    fill_staff()
    fill(first=1, last=N_PEOPLE)
    pretend_to_be_large()
    found = [found for role in ROLES for found in large_scans_for(role)]
    assert "\n".join(found) == ""


def large_scans_for(role: str) -> Iterator[str]:
    """Scans that read too many rows, of all lists of the person with this role."""
    user, client = User.objects.get(username=role), Client()
    client.force_login(user)
    for listing in listings(user):
        for scan in large_scans(client, listing):
            yield f"{role}: {listing.name}: {scan.table}, {scan.n_rows} rows"


def pretend_to_be_large() -> None:
    """Give the planner the statistics of tables 50 times as long: of short ones it reads all, which is faster."""
    of_tables = "SELECT oid FROM pg_class WHERE relname LIKE 'screening\\_%%' AND relkind = 'r' AND reltuples > %s"
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        cursor.execute(
            f"UPDATE pg_class SET reltuples = reltuples * 50 WHERE oid IN ({of_tables})"
            f"OR oid IN (SELECT indexrelid FROM pg_index WHERE indrelid IN ({of_tables}))",
            [MIN_LARGE, MIN_LARGE],
        )


def large_scans(client: Client, listing: Listing) -> Iterator[Scan]:
    """Scans of a list that read too many rows."""
    for statement in statements_of(client, listing):
        yield from (scan for scan in scans_of(plan_of(statement)) if scan.n_rows > MAX_ROWS_READ)


def test_a_scan_of_a_whole_table_would_be_found() -> None:
    fill_staff()
    scans = list(scans_of(plan_of("SELECT * FROM screening_user")))
    assert scans == [Scan("screening_user", User.objects.count())]


def test_queries_of_lists_are_not_compiled() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SHOW jit")
        assert cursor.fetchone() == ("off",)
