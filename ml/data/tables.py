"""Read the tables of data sets (CSV, spreadsheet); errors name file and line.

pandas would be shorter, but loses the line numbers and turns blanks and 2.0 into numbers of its choice.
"""

import csv
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from pathlib import Path

from ml.errors import InputError
from ml.vocabulary import N_GRADES


class LabelError(InputError):
    """A table of labels cannot be parsed; the message names file and line."""


@dataclass(frozen=True, slots=True)
class CsvRow:
    """One row of a table: stripped values by column name. ``line`` counts from 1, with the header."""

    file: Path
    line: int
    values: dict[str, str]

    def error(self, message: str) -> LabelError:
        """An exception that names file and line."""
        return LabelError(f"{self.file}, line {self.line}: {message}")

    def text(self, column: str) -> str:
        """A value that must not be blank. Raises LabelError."""
        value = self.values.get(column, "")
        if not value:
            raise self.error(f"the column {column!r} is empty.")
        return value

    def grade(self, column: str, *, ungradable: tuple[str, ...] = ()) -> int | None:
        """Grade 0-4; None for one of the codes in ``ungradable``. Raises LabelError for anything else."""
        value = self.values.get(column, "")
        if value in ungradable:
            return None
        integer = value.removesuffix(".0")  # spreadsheets and statistics programs write 2 as 2.0
        if integer not in {str(grade) for grade in range(N_GRADES)}:
            raise self.error(f"grade {value!r} is not one of 0 to 4.")
        return int(integer)


def read_table(
    path: Path, *, columns: Sequence[str], delimiter: str = ",", header: Sequence[str] = ()
) -> Iterator[CsvRow]:
    """Rows of a table that are not blank; ``header`` is for a file without one.

    Raises LabelError, also if a column is missing.
    """
    names = list(header)
    for line, values in _cells(path, delimiter):
        if not names:
            names = values
            if missing := [column for column in columns if column not in names]:
                raise LabelError(f"{path}, line {line}: the column {missing[0]!r} is missing.")
        elif any(values):
            padded = chain(values, repeat(""))
            yield CsvRow(path, line, {name: value for name, value in zip(names, padded, strict=False) if name})
    if not names:
        raise LabelError(f"{path}, line 1: the file is empty.")


def has_columns(path: Path, *columns: str) -> bool:
    """True if the table exists, can be read, and has at least these columns."""
    try:
        return path.is_file() and set(columns) <= set(next(_cells(path), (1, []))[1])
    except LabelError:
        return False


def _cells(path: Path, delimiter: str = ",") -> Iterator[tuple[int, list[str]]]:
    """Line number and stripped values of each line of a .csv or .xlsx file."""
    lines = _read_xlsx(path) if path.suffix.lower() == ".xlsx" else _read_csv(path, delimiter)
    return ((line, [value.strip() for value in values]) for line, values in lines)


def _read_csv(path: Path, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:  # Excel writes a byte order mark
            reader = csv.reader(file, delimiter=delimiter)
            for values in reader:
                yield reader.line_num, values
    except UnicodeDecodeError:
        raise LabelError(f"{path}, line {reader.line_num + 1}: this is not UTF-8 text.") from None
    except csv.Error as error:
        raise LabelError(f"{path}, line {reader.line_num}: {error}.") from None


def _read_xlsx(path: Path) -> Iterator[tuple[int, list[str]]]:
    import openpyxl

    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except (zipfile.BadZipFile, KeyError, OSError) as error:
        raise LabelError(f"{path}, line 1: this is not a readable .xlsx spreadsheet.") from error
    try:
        for line, values in enumerate(book.worksheets[0].iter_rows(values_only=True), start=1):
            yield line, ["" if value is None else str(value) for value in values]
    finally:
        book.close()
