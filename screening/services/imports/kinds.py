"""Kinds of imports: the columns of a file, the check of its rows, and how they are written."""

from collections import Counter
from collections.abc import Iterable
from typing import Any, Protocol

from django.db.models import QuerySet

from screening.models import DataImport, User
from screening.policy.imports import ImportKind, RowState
from screening.services.imports.bookings import BookingRows
from screening.services.imports.cells import FileReading
from screening.services.imports.people import PersonRows
from screening.spreadsheets.cells import Cell


class RowsOfKind(Protocol):
    """The check of the rows of one kind."""

    kind_columns: Any
    needed: tuple[tuple[str, ...], ...]
    date_columns: tuple[str, ...]
    staged: Any
    identities: tuple[str, ...]
    """Columns of its staged rows that are about a person."""

    def stage(
        self, data_import: DataImport, rows: Iterable[tuple[int, list[Cell]]], reading: FileReading
    ) -> list[Any]: ...

    def store(self, data_import: DataImport, drafts: list[Any]) -> Counter[RowState]: ...

    def lock(self, data_import: DataImport) -> None: ...

    def is_outdated(self, data_import: DataImport) -> bool: ...

    def write(self, data_import: DataImport, rows: Any, by: User) -> None: ...


KINDS: dict[ImportKind, RowsOfKind] = {
    ImportKind.PEOPLE: PersonRows(),
    ImportKind.BOOKINGS: BookingRows(),
}


def kind_of(data_import: DataImport) -> RowsOfKind:
    """The kind of an import."""
    return KINDS[ImportKind(data_import.kind)]


def column_names(kind: ImportKind) -> list[str]:
    """Names of the columns that a file can have."""
    return [str(name) for name in KINDS[kind].kind_columns().get_export_headers()]


def staged_rows(data_import: DataImport) -> QuerySet[Any]:
    """The rows of an import."""
    rows: QuerySet[Any] = kind_of(data_import).staged.objects.filter(data_import=data_import)
    return rows
