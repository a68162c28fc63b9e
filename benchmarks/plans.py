"""Print the plan of the statement of each list that reads most rows, for ``docs/list-plans.md``.

    DATABASE_URL=postgres://postgres@127.0.0.1/scratch python -m benchmarks.plans > docs/list-plans.md

The database is one that ``benchmarks.rows`` has filled.
"""

import json
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "drsite.settings")
django.setup()

from django.core.cache import cache  # noqa: E402 (after django.setup)
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402

from benchmarks.filling import PROGRAMME_MANAGER  # noqa: E402
from benchmarks.lists import Listing, listings, request  # noqa: E402
from screening.models import Patient, User  # noqa: E402

Node = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Scan:
    """A scan of a table by a statement, with the number of rows that it reads."""

    table: str
    n_rows: int


def statements_of(client: Client, listing: Listing) -> list[str]:
    """The SELECT statements of a request for a list, with an empty cache. Raises ValueError for an error."""
    cache.clear()
    with CaptureQueriesContext(connection) as queries:
        response = request(client, listing)
    if response.status_code >= 500:
        raise ValueError(f"{listing.name}: status {response.status_code}")
    return [one["sql"] for one in queries if one["sql"].startswith(("SELECT", "(SELECT"))]


def plan_of(statement: str) -> Node:
    """The plan of PostgreSQL, with the rows that it read: it runs the statement."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {statement}")
        plan = cursor.fetchone()[0]
    node: Node = (plan if isinstance(plan, list) else json.loads(plan))[0]["Plan"]
    return node


def scans_of(node: Node) -> Iterator[Scan]:
    """Each scan of a plan."""
    if "Relation Name" in node:
        removed = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
        yield Scan(node["Relation Name"], (node["Actual Rows"] + removed) * node["Actual Loops"])
    for child in node.get("Plans", []):
        yield from scans_of(child)


def lines_of(node: Node, depth: int = 0) -> Iterator[str]:
    """The plan as text: each node with its index, table and rows; "x" is how often it ran."""
    pieces = [node["Node Type"]]
    if "Index Name" in node:
        pieces.append(f"by {node['Index Name']}")
    if "Relation Name" in node:
        pieces.append(f"of {node['Relation Name'].removeprefix('screening_')}")
    rows = f"{node['Actual Rows']} rows"
    if removed := node.get("Rows Removed by Filter", 0):
        rows += f", {removed} removed"
    if node["Actual Loops"] != 1:
        rows += f", x {node['Actual Loops']}"
    yield f"{'  ' * depth}{' '.join(pieces)}: {rows}"
    for child in node.get("Plans", []):
        yield from lines_of(child, depth + 1)


def section(client: Client, listing: Listing) -> str:
    """The part of a list: numbers of statements and rows, and the plan that reads most."""
    plans = [plan_of(statement) for statement in statements_of(client, listing)]
    n_read = [sum(scan.n_rows for scan in scans_of(plan)) for plan in plans]
    largest = max(range(len(plans)), key=n_read.__getitem__)
    text = "\n".join(lines_of(plans[largest]))
    head = f"{len(plans)} statements read {sum(n_read):,} rows. The one that reads most, {n_read[largest]:,}:"
    return f"## {listing.name[0].upper()}{listing.name[1:]}\n{head}\n```\n{text}\n```\n"


def main() -> None:
    user, client = User.objects.get(username=PROGRAMME_MANAGER), Client()
    client.force_login(user)
    n_people = Patient.objects.count()
    print(
        "# Plans of the lists\n\n"
        f"Written by `python -m benchmarks.plans`, for {n_people:,} people and the manager of a programme. Rows that "
        "an index alone answers\ncount too; the rows of a node that ran several times are those of one time. "
        "Times are in [performance](performance.md#lists).\n"
    )
    for listing in listings(user):
        print(section(client, listing), flush=True)


if __name__ == "__main__":
    from benchmarks.list_times import prepare_settings

    logging.disable(logging.INFO)
    prepare_settings()
    main()
