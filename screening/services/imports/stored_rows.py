"""Rows of a file as lines of JSON in the private storage: they can be read from any line on, after a crash too."""

import datetime
import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

from django.core.files.storage import Storage, default_storage

from screening.models import DataImport
from screening.spreadsheets.cells import Cell, Formula
from screening.spreadsheets.refusals import FileProblem, FileRefused

FOLDER = "imports"


def storage() -> Storage:
    """The private storage of photographs."""
    return default_storage


def new_name(data_import: DataImport) -> str:
    """Name of a file without anything of its content or of the uploaded file's name."""
    return f"{FOLDER}/{data_import.pk.hex}/{uuid.uuid4().hex}.part"


@contextmanager
def stored_file(name: str) -> "Iterator[IO[bytes]]":
    """A file of an import. Raises FileRefused if it was deleted meanwhile."""
    try:
        file = storage().open(name)
    except FileNotFoundError as error:
        raise FileRefused(FileProblem.FILE_LOST) from error
    with file:
        yield file


def line_of(number: int, cells: list[Cell]) -> bytes:
    """A row as a line."""
    return json.dumps([number, [_encoded(cell) for cell in cells]], ensure_ascii=False).encode() + b"\n"


def read_rows(file: IO[bytes], offset: int) -> Iterator[tuple[int, list[Cell], int]]:
    """Line, cells and where the next row begins, of the rows from ``offset`` on."""
    file.seek(offset)
    while text := file.readline():
        offset += len(text)
        number, cells = json.loads(text)
        yield number, [_decoded(cell) for cell in cells], offset


def _encoded(cell: Cell) -> Any:
    if isinstance(cell, Formula):
        return {"formula": True}
    if isinstance(cell, (datetime.date, datetime.time)):
        return {type(cell).__name__: cell.isoformat()}
    return cell


def _decoded(cell: Any) -> Cell:
    if not isinstance(cell, dict):
        return cell  # type: ignore[no-any-return]  # a text or a number of JSON
    ((kind, text),) = cell.items()
    if kind == "formula":
        return Formula()
    kinds: dict[str, Any] = {"datetime": datetime.datetime, "date": datetime.date, "time": datetime.time}
    value: datetime.date | datetime.time = kinds[kind].fromisoformat(text)
    return value
