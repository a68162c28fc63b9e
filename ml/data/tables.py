"""Read the tables of data sets (CSV, spreadsheet); errors name file and line.

pandas would be shorter, but loses the line numbers and turns blanks and 2.0 into numbers of its choice. Spreadsheets of
other countries write semicolons, decimal commas and other encodings: what is unambiguous is read, the rest is refused.
"""

import csv
import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from io import StringIO
from itertools import chain, repeat
from pathlib import Path

from ml.data.text_encoding import decode
from ml.errors import InputError
from ml.vocabulary import N_GRADES

DELIMITERS = (",", ";", "\t", "|")
#: Excel writes this line, with the delimiter, before the header.
DELIMITER_LINE = re.compile(r'"?sep=(.)"?', re.IGNORECASE)
NUMBER = re.compile(r"\d+([.,]\d+)?(E[+-]?\d{1,4})?", re.ASCII | re.IGNORECASE)
#: What tables write if a value is not known.
UNKNOWN_VALUES = ("", "-", "?", ".", "na", "n/a", "nan", "none", "null", "unknown")


class LabelError(InputError):
    """A table of labels cannot be parsed; the message names file and line."""


@dataclass(frozen=True, slots=True)
class CsvRow:
    """One row of a table: stripped values by folded column name. ``line`` counts from 1, with the header."""

    file: Path
    line: int
    values: dict[str, str]

    def error(self, message: str) -> LabelError:
        """An exception that names file and line."""
        return LabelError(f"{self.file}, line {self.line}: {message}")

    def has(self, column: str) -> bool:
        """True if the table has this column."""
        return folded(column) in self.values

    def get(self, column: str) -> str:
        """A value; empty if the cell is blank or the column is missing."""
        return self.values.get(folded(column), "")

    def known(self, column: str) -> str:
        """As ``get``, in lower case; empty for ``n/a``, ``unknown`` and the like."""
        value = self.get(column).lower()
        return "" if value in UNKNOWN_VALUES else value

    def text(self, column: str) -> str:
        """A value that must not be blank. Raises LabelError."""
        value = self.get(column)
        if not value:
            raise self.error(f"the column {column!r} is empty.")
        return value

    def grade(self, column: str, *, ungradable: tuple[str, ...] = ()) -> int | None:
        """Grade 0-4; None for one of the codes in ``ungradable``. Raises LabelError for anything else."""
        value = self.get(column)
        integer = as_integer(value)
        if integer in ungradable:
            return None
        if integer not in {str(grade) for grade in range(N_GRADES)}:
            raise self.error(f"grade {value!r} is not one of 0 to 4.")
        return int(integer)

    def flag(self, column: str) -> bool | None:
        """True for 1 or yes, False for 0 or no, None if it is not known. Raises LabelError for anything else."""
        value = as_integer(self.known(column))
        found = {"1": True, "yes": True, "true": True, "0": False, "no": False, "false": False, "": None}
        if value not in found:
            raise self.error(f"{column} {self.get(column)!r} is neither 1 nor 0.")
        return found[value]


def read_table(path: Path, *, columns: Sequence[str], header: Sequence[str] = ()) -> Iterator[CsvRow]:
    """Rows of a table that are not blank; ``header`` is for a file without one.

    Upper and lower case, blanks and underscores in names of columns do not matter. Raises LabelError, also if a column
    is missing or appears twice, or if a row has more values than there are columns.
    """
    names = [folded(name) for name in header]
    for line, values in _cells(path, columns, has_header=not header):
        if not any(values):
            continue
        if not names:
            names = _header_names(path, line, values, columns)
            continue
        if surplus := [value for value in values[len(names) :] if value]:
            raise LabelError(f"{path}, line {line}: {surplus[0]!r} is in no column. Is a comma part of a value?")
        padded = chain(values, repeat(""))
        yield CsvRow(path, line, {name: value for name, value in zip(names, padded, strict=False) if name})
    if not names:
        raise LabelError(f"{path}, line 1: the file is empty.")


def has_columns(path: Path, *columns: str) -> bool:
    """True if the table exists, can be read, and has at least these columns."""
    return {folded(column) for column in columns} <= {folded(name) for name in header_of(path, columns)}


def header_of(path: Path, columns: Sequence[str] = ()) -> list[str]:
    """Names of the columns of a table; none if there is no table that can be read."""
    try:
        lines = _cells(path, columns, is_header_only=True) if path.is_file() else iter(())
        return next((values for _, values in lines if any(values)), [])
    except LabelError:
        return []


def folded(name: str) -> str:
    """Name of a column in one form: ``Id Code`` and ``id_code`` are the same."""
    return re.sub(r"[\W_]+", "", name).casefold()


def as_number(text: str) -> Decimal | None:
    """The number that a spreadsheet would see in a text, such as 1E+05, 000417 or 2,0; None if it is none."""
    return Decimal(text.replace(",", ".")) if NUMBER.fullmatch(text) else None


def as_integer(text: str) -> str:
    """An integer of up to three digits without the decimals of a spreadsheet: 2 for 2.0, 2,00 and 2.00E+00.

    Any other text as it is.
    """
    number = as_number(text)
    is_integer = number is not None and number < 1000 and number == number.to_integral_value()
    return str(int(number)) if number is not None and is_integer else text


def _header_names(path: Path, line: int, values: list[str], columns: Sequence[str]) -> list[str]:
    names = [folded(value) for value in values]
    if missing := [column for column in columns if folded(column) not in names]:
        raise LabelError(f"{path}, line {line}: the column {missing[0]!r} is missing.")
    if repeated := [value for value, name in zip(values, names, strict=True) if name and names.count(name) > 1]:
        raise LabelError(f"{path}, line {line}: the column {repeated[0]!r} appears twice.")
    return names


def _cells(
    path: Path, columns: Sequence[str], *, has_header: bool = True, is_header_only: bool = False
) -> Iterator[tuple[int, list[str]]]:
    """Line number and stripped values of each line of a .csv or .xlsx file."""
    if path.suffix.lower() == ".xlsx":
        lines = _read_xlsx(path, () if is_header_only else columns)
    else:
        lines = _read_csv(path, columns, has_header=has_header)
    return ((line, [_strip(value) for value in values]) for line, values in lines)


def _strip(value: str) -> str:
    return value.strip().strip("\ufeff\u200b\u200e\u200f").strip()


def _read_csv(path: Path, columns: Sequence[str], *, has_header: bool) -> Iterator[tuple[int, list[str]]]:
    try:
        text = decode(path.read_bytes())
    except OSError as error:
        raise LabelError(f"{path}: this file cannot be read ({error.strerror}).") from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise LabelError(f"{path}, line {line}: this is not text in UTF-8, UTF-16 or Windows-1252.") from None
    first = next((line for line in text.splitlines() if line.strip()), "")
    named = DELIMITER_LINE.fullmatch(first.strip())
    delimiter = named[1] if named else _delimiter_of(first, columns, has_header=has_header)
    # strict: a quotation mark that is never closed would hide all lines after it
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True, skipinitialspace=delimiter == " ")
    try:
        for values in reader:
            if not (named and DELIMITER_LINE.fullmatch(delimiter.join(values).strip())):
                yield reader.line_num, values
    except csv.Error as error:
        raise LabelError(f"{path}, line {reader.line_num}: {error}. Is a quotation mark missing?") from None


def _delimiter_of(line: str, columns: Sequence[str], *, has_header: bool) -> str:
    """The delimiter with which a header has all ``columns``, else the one that separates most."""
    if not has_header:
        return next((delimiter for delimiter in ("\t", ";", ",") if delimiter in line), " ")
    wanted = {folded(column) for column in columns}
    for delimiter in DELIMITERS:
        if wanted <= {folded(name) for name in next(csv.reader([line], delimiter=delimiter), [])}:
            return delimiter
    return max(DELIMITERS, key=line.count)


def _read_xlsx(path: Path, columns: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    """The first sheet. Raises LabelError if another one has all ``columns`` too."""
    import openpyxl

    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except (zipfile.BadZipFile, KeyError, OSError) as error:
        raise LabelError(f"{path}, line 1: this is not a readable .xlsx spreadsheet.") from error
    try:
        first, *others = book.worksheets
        for sheet in others if columns else ():
            header = {folded(str(value)) for row in sheet.iter_rows(max_row=1, values_only=True) for value in row}
            if {folded(column) for column in columns} <= header:
                raise LabelError(f"{path}: the sheet {sheet.title!r} has such a table too. Keep one sheet.")
        for line, values in enumerate(first.iter_rows(values_only=True), start=1):
            yield line, ["" if value is None else str(value) for value in values]
    finally:
        book.close()
