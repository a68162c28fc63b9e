"""XLSX files as rows, by openpyxl in its read-only mode: one row is in memory at a time, and the shared texts."""

import datetime
import zipfile
from collections.abc import Iterator
from typing import IO, Any

from defusedxml.common import DefusedXmlException
from openpyxl import load_workbook
from openpyxl.utils.datetime import CALENDAR_MAC_1904
from openpyxl.xml import DEFUSEDXML

from screening.spreadsheets.archives import check_archive
from screening.spreadsheets.cells import Cell, Formula
from screening.spreadsheets.refusals import FileProblem, FileRefused
from screening.spreadsheets.tables import MAX_COLUMNS, MAX_EMPTY_ROWS, Table, TableNotes

assert DEFUSEDXML  # noqa: S101 (openpyxl then refuses entities in each part)
_MAX_LOCATED_ROWS = 200_000
"""Rows that are read, with empty ones between them."""
_DAMAGED = (LookupError, ValueError, TypeError, AttributeError, SyntaxError, zipfile.BadZipFile, EOFError, OSError)
"""What openpyxl raises for parts that are missing or not as the standard has them; SyntaxError is that of XML."""


def read_xlsx(file: IO[bytes]) -> Table:
    """The first visible sheet. Raises FileRefused, also while the rows are read."""
    check_archive(file)
    file.seek(0)
    try:
        book: Any = load_workbook(file, read_only=True, data_only=False, keep_links=False)
        visible = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
        n_hidden = len(book.worksheets) - len(visible)
    except _DAMAGED as error:
        raise _refusal_of(error) from error
    if not visible:
        raise FileRefused(FileProblem.NO_SHEET)
    notes = TableNotes(
        format="xlsx",
        sheet=str(visible[0].title),
        n_other_sheets=len(visible) - 1,
        n_hidden_sheets=n_hidden,
        is_1904=book.epoch == CALENDAR_MAC_1904,
    )
    return Table(_lines(book, visible[0]), notes)


def _lines(book: Any, sheet: Any) -> Iterator[tuple[int, list[Cell]]]:
    """NB: the size that a sheet states may be wrong, so it is not used."""
    sheet.reset_dimensions()
    first = _next_row(sheet.iter_rows(max_row=1, max_col=MAX_COLUMNS + 1)) or ()
    width = max((n for n, cell in enumerate(first, start=1) if cell.value is not None), default=MAX_COLUMNS)
    rows, line, n_empty = sheet.iter_rows(max_col=width + 1), 0, 0  # fewer columns are read faster
    try:
        while (row := _next_row(rows)) is not None:
            line += 1
            cells = [_cell(cell) for cell in row]
            while cells and cells[-1] is None:
                cells.pop()
            n_empty = 0 if cells else n_empty + 1
            if n_empty > MAX_EMPTY_ROWS or line > _MAX_LOCATED_ROWS:
                raise FileRefused(FileProblem.TOO_MANY_EMPTY_ROWS, line=line)
            yield line, cells
    finally:
        book.close()


def _next_row(rows: Iterator[Any]) -> Any:
    try:
        return next(rows, None)
    except _DAMAGED as error:
        raise _refusal_of(error) from error


def _refusal_of(error: Exception) -> FileRefused:
    """NB: an error of openpyxl for a workbook with entities has the one of defusedxml as its cause."""
    has_entities = any(isinstance(one, DefusedXmlException) for one in (error, error.__cause__))
    return FileRefused(FileProblem.ENTITIES if has_entities else FileProblem.NO_WORKBOOK)


def _cell(cell: Any) -> Cell:
    value = cell.value
    if value is None:
        return None
    if cell.data_type in {"f", "e"}:
        return Formula()
    if isinstance(value, datetime.timedelta):  # a time of more than a day
        return str(value)
    if isinstance(value, (str, bool, int, float, datetime.date, datetime.time)):
        return value or None if isinstance(value, str) else value
    return Formula()  # array formulas and tables of data
