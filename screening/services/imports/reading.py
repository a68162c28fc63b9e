"""Reading the file of an import: format, columns, number of rows; then its rows are stored one a line."""

import tempfile
from dataclasses import asdict
from typing import IO, Any

from django.core.files.base import File
from django.db import transaction
from django.utils import timezone

from screening.models import DataImport
from screening.policy.imports import DateOrder, ImportKind, ImportState
from screening.services.imports.cleanup import delete_files, refuse
from screening.services.imports.kinds import KINDS, column_names
from screening.services.imports.queue import publish_work
from screening.services.imports.stored_rows import line_of, new_name, storage, stored_file
from screening.spreadsheets.cells import Cell, is_empty
from screening.spreadsheets.dates import order_of
from screening.spreadsheets.refusals import FileProblem, FileRefused
from screening.spreadsheets.tables import MAX_COLUMNS, read_table

MAX_ROWS = 100_000
_COPY_BYTES = 1024 * 1024
_ROWS_PER_SIGN = 5000
"""After so many rows the import is looked up: it may be cancelled."""
_MAX_SHOWN_NAMES = 10


class _Stopped(Exception):
    """The import was cancelled while its file was read."""


def read_file(data_import: DataImport) -> None:
    """Read the uploaded file, and begin the check, or ask about its dates; a file that is refused ends the import."""
    with tempfile.TemporaryFile() as rows:
        try:
            with tempfile.TemporaryFile() as copy:
                _copy(data_import, copy)
                found = _read(data_import, copy, rows)
        except FileRefused as refusal:
            refuse(data_import, refusal)
            return
        except _Stopped:
            return
        rows.seek(0)
        name = storage().save(new_name(data_import), File(rows))
    if not _store(data_import, found, name):
        delete_files(name)


def _copy(data_import: DataImport, copy: IO[bytes]) -> None:
    with stored_file(data_import.file) as file:
        while chunk := file.read(_COPY_BYTES):
            copy.write(chunk)
    copy.seek(0)


def _read(data_import: DataImport, file: IO[bytes], rows: IO[bytes]) -> dict[str, Any]:
    """Write the rows, and return the columns of the import. Raises FileRefused, _Stopped."""
    table = read_table(file)
    kind = ImportKind(data_import.kind)
    names: list[str] = []
    dates, n_rows = [False, False, False], 0
    for line, cells in table.lines:
        if all(map(is_empty, cells)):
            continue
        if not names:
            names = _names_of(cells, kind)
            continue
        if n_rows == MAX_ROWS:
            raise FileRefused(FileProblem.TOO_MANY_ROWS, limit=MAX_ROWS)
        n_rows += 1
        rows.write(line_of(line, cells[: len(names) + 1]))
        _note_dates(dates, names, cells, kind)
        if n_rows % _ROWS_PER_SIGN == 0:
            _sign_of_life(data_import)
    if not n_rows:
        raise FileRefused(FileProblem.NO_ROWS)
    return {
        "columns": names,
        "notes": {**asdict(table.notes), "is_mixed": dates[0] and dates[1]},
        "n_rows": n_rows,
        "date_order": _order(dates),
        "is_asking": dates[2] and dates[0] == dates[1],
    }


def _names_of(cells: list[Cell], kind: ImportKind) -> list[str]:
    """The columns of the first line. Raises FileRefused."""
    if len(cells) > MAX_COLUMNS:
        raise FileRefused(FileProblem.TOO_MANY_COLUMNS, limit=MAX_COLUMNS)
    known = column_names(kind)
    names = [("" if cell is None else str(cell)).strip().lower().replace(" ", "_") for cell in cells]
    texts = {"known": ", ".join(known)}
    if unknown := [n for n, name in enumerate(names, start=1) if name not in known]:
        columns = ", ".join(str(n) for n in unknown[:_MAX_SHOWN_NAMES])
        raise FileRefused(FileProblem.UNKNOWN_COLUMNS, columns=columns, **texts)
    if repeated := [name for name in names if names.count(name) > 1]:
        raise FileRefused(FileProblem.REPEATED_COLUMN, column=repeated[0])
    for group in KINDS[kind].needed:
        if not set(group) & set(names):
            raise FileRefused(FileProblem.MISSING_COLUMNS, needed=" / ".join(group), **texts)
    return names


def _note_dates(dates: list[bool], names: list[str], cells: list[Cell], kind: ImportKind) -> None:
    found = order_of(cell for name, cell in zip(names, cells, strict=False) if name in KINDS[kind].date_columns)
    for n, is_found in enumerate(found):
        dates[n] |= is_found


def _order(dates: list[bool]) -> DateOrder:
    is_day_first, is_month_first, _is_ambiguous = dates
    if is_day_first == is_month_first:
        return DateOrder.UNKNOWN
    return DateOrder.DAY_FIRST if is_day_first else DateOrder.MONTH_FIRST


def _sign_of_life(data_import: DataImport) -> None:
    """Record that the import is worked on. Raises _Stopped if it was cancelled."""
    rows = DataImport.objects.filter(pk=data_import.pk, state=ImportState.READING)
    if not rows.update(worked_at=timezone.now(), n_tries=0):
        raise _Stopped


def _store(data_import: DataImport, found: dict[str, Any], name: str) -> bool:
    """Store what was read, unless the import was cancelled or another worker was faster."""
    is_asking = found.pop("is_asking")
    state = ImportState.ASKING if is_asking else ImportState.CHECKING
    with transaction.atomic():
        locked = DataImport.objects.select_for_update().get(pk=data_import.pk)
        if locked.state != ImportState.READING:
            return False
        uploaded, locked.file = locked.file, ""
        for column, value in found.items():
            setattr(locked, column, value)
        locked.state, locked.rows_file = state.value, name
        locked.worked_at, locked.n_tries = timezone.now(), 0
        locked.save()
        if state is ImportState.CHECKING:
            publish_work(locked)
    delete_files(uploaded)
    return True
