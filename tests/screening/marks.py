"""Marks in few words."""

import json
from typing import Any

from screening.models import FundusImage
from screening.policy.marks import Mark, read_marks


def mark_row(photo: FundusImage, **changes: Any) -> dict[str, Any]:
    """A mark as the page sends it."""
    return {"image": str(photo.pk), "kind": "haemorrhages", "shape": "point", "points": [[0.25, 0.5]], **changes}


def marks_text(*rows: dict[str, Any]) -> str:
    """The field of the form."""
    return json.dumps(rows)


def marks_of(*rows: dict[str, Any]) -> tuple[Mark, ...]:
    return read_marks(marks_text(*rows))
