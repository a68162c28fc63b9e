"""What became of the photographs that an installation accepted during a fault."""

import time
from dataclasses import dataclass, fields
from typing import Any

from tests.faults.clients import Client
from tests.faults.servers import Installation

DEADLINE_S = 240
COLUMNS = ("accepted", "done", "failed", "lost", "doubled", "stuck")


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Photographs by what became of them.

    ``lost``: accepted, without a row or a file. ``doubled``: a second row of the same file, a second grading, or a
    second result. ``stuck``: neither done nor failed DEADLINE_S after the fault. ``orphans``: files without a row; they
    are swept after a day.
    """

    accepted: int
    done: int
    failed: int
    lost: int
    doubled: int
    stuck: int
    orphans: int

    def line(self, fault: str) -> str:
        return f"{fault:<58}" + "".join(f"{getattr(self, each.name):>10}" for each in fields(self))


def header() -> str:
    """Titles of the columns."""
    return f"{'fault':<58}" + "".join(f"{each.name:>10}" for each in fields(Outcome))


def wait_for_outcome(site: Installation, client: Client, *, deadline_s: float = DEADLINE_S) -> Outcome:
    """Wait until every accepted photograph has a result, then count."""
    accepted = sorted(set(client.accepted))
    deadline = time.monotonic() + deadline_s
    while time.monotonic() < deadline:
        if set(_statuses(site, accepted).values()) <= {"done", "failed"} and site.query("SELECT 1"):
            break
        time.sleep(0.5)
    statuses = list(_statuses(site, accepted).values())
    rows, stored = _rows(site), _files(site)
    return Outcome(
        accepted=len(accepted),
        done=statuses.count("done"),
        failed=statuses.count("failed"),
        lost=len(set(accepted) - {pk for name, pk in rows.items() if name in stored}),
        doubled=_count_doubled(site),
        stuck=len([status for status in statuses if status not in {"done", "failed"}]),
        orphans=count_orphans(site),
    )


def count_orphans(site: Installation) -> int:
    """Files without a row."""
    return len(_files(site) - _rows(site).keys())


def _rows(site: Installation) -> dict[str, str]:
    """Ids of images by the names of their files."""
    return {str(name): str(pk) for pk, name in site.query("SELECT id::text, file FROM screening_fundusimage")}


def _files(site: Installation) -> set[str]:
    return {str(file.relative_to(site.media)) for file in site.media.rglob("*") if file.is_file()}


def _statuses(site: Installation, accepted: list[str]) -> dict[Any, Any]:
    rows = site.query("SELECT image_id::text, status FROM screening_grading WHERE image_id::text = ANY(%s)", accepted)
    return dict.fromkeys(accepted, "missing") | dict(rows)  # type: ignore[arg-type]


def _count_doubled(site: Installation) -> int:
    """Of the whole installation: the tests before had none."""
    queries = (
        "SELECT count(*) - count(DISTINCT (exam_id, sha256, laterality)) FROM screening_fundusimage",
        "SELECT count(*) - count(DISTINCT image_id) FROM screening_grading",
        "SELECT count(*) - count(DISTINCT object_id) FROM screening_auditevent WHERE verb = 'grading.done'",
    )
    return sum(int(str(site.query(query)[0][0])) for query in queries)
