"""Cells of files that spreadsheet programs open: none that is written is a formula."""

import datetime
from dataclasses import dataclass

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""A cell that begins with one of them is computed when the file is opened (OWASP, "CSV Injection")."""


@dataclass(frozen=True, slots=True)
class Formula:
    """A cell whose value a spreadsheet program computes, or could not compute. It is never read as a value."""


Cell = str | int | float | bool | datetime.date | datetime.time | Formula | None
"""A cell as it was read; a ``datetime`` is a ``date`` too."""
Value = str | int | float | datetime.date | datetime.time | None
"""A cell to write."""


def safe_cell(value: object) -> str:
    """The text of a cell; with an apostrophe before a text that would be a formula. Empty for None."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.lstrip(" \n").startswith(FORMULA_STARTS) else text


def is_empty(cell: Cell) -> bool:
    """Whether nothing is in a cell, or blanks alone."""
    return cell is None or (isinstance(cell, str) and not cell.strip())
