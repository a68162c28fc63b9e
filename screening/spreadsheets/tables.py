"""A table that is read from a file, and the limits of its size."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from screening.spreadsheets.cells import Cell
from screening.spreadsheets.refusals import FileProblem, FileRefused

MAX_COLUMNS = 50
MAX_EMPTY_ROWS = 5000
"""In a sequence. Sheets often have formatted rows after the last one with text."""


@dataclass(frozen=True, slots=True)
class TableNotes:
    """How a file was read: what the user should know before its rows are used."""

    format: str
    encoding: str = ""
    separator: str = ""
    sheet: str = ""
    n_other_sheets: int = 0
    n_hidden_sheets: int = 0
    is_1904: bool = False
    """Days are counted from 1904, as older Macintosh computers did."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows with their line in the file, from 1, the first with the names of the columns; they are read once."""

    lines: Iterator[tuple[int, list[Cell]]]
    notes: TableNotes


def read_table(file: IO[bytes]) -> Table:
    """The table of a CSV or XLSX file, recognised by its content. Raises FileRefused, also while it is read."""
    from screening.spreadsheets.csv_files import read_csv
    from screening.spreadsheets.xlsx_files import read_xlsx

    file.seek(0)
    head = file.read(8)
    file.seek(0)
    if not head:
        raise FileRefused(FileProblem.EMPTY)
    if head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):  # OLE2
        raise FileRefused(FileProblem.OLD_WORKBOOK)
    return read_xlsx(file) if head.startswith(b"PK") else read_csv(file)
