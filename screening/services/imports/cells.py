"""Conversion of cells: widgets of django-import-export. An error is a ``ValueError`` whose text is a code.

None stands for an empty cell: it changes nothing.
"""

import datetime
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from import_export.fields import Field
from import_export.widgets import Widget

from screening.birth_dates import InvalidBirthDate, parse_birth_date
from screening.policy.imports import DateOrder
from screening.spreadsheets.cells import FORMULA_STARTS, Cell, Formula
from screening.spreadsheets.dates import DateProblem, InvalidCellDate, day_text_of

MAX_CHARS = 500
MAX_EXACT_DIGITS = 15
"""Of a number in a spreadsheet program; further digits become zeros."""


class CellProblem(StrEnum):
    """What is wrong with a cell, beside the problems of days."""

    TOO_LONG = "too_long"
    FORMULA_TEXT = "formula_text"
    """A text begins as a formula does."""
    DAY_IN_NUMBER = "day_in_number"
    """The spreadsheet program made a day of a number."""
    LONG_NUMBER = "long_number"
    NO_YEAR = "no_year"
    NO_TIME = "no_time"


class InvalidCell(ValueError):
    """A cell cannot be used. The text is the code of a CellProblem."""

    def __init__(self, problem: CellProblem) -> None:
        super().__init__(problem.value)


@dataclass(frozen=True, slots=True)
class FileReading:
    """How the dates of a file are read."""

    date_order: DateOrder
    is_1904: bool


def text_of(cell: Cell) -> str | None:
    """The text of a cell. Raises InvalidCell, InvalidCellDate for a formula."""
    if cell is None:
        return None
    if isinstance(cell, Formula):
        raise InvalidCellDate(DateProblem.FORMULA)
    if isinstance(cell, (datetime.date, datetime.time)):
        raise InvalidCell(CellProblem.DAY_IN_NUMBER)
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    if isinstance(cell, int) and len(str(abs(cell))) > MAX_EXACT_DIGITS:
        raise InvalidCell(CellProblem.LONG_NUMBER)
    text = str(cell).strip()
    if text.startswith("'") and text[1:].lstrip().startswith(FORMULA_STARTS):
        text = text[1:]  # as ``safe_cell`` writes it
    if len(text) > MAX_CHARS:
        raise InvalidCell(CellProblem.TOO_LONG)
    if text.startswith(("=", "@")):
        raise InvalidCell(CellProblem.FORMULA_TEXT)
    return text or None


class TextCell(Widget):  # type: ignore[misc]  # the package has no types
    """A text or a number as a text."""

    def clean(self, value: Cell, row: Any = None, **_kwargs: Any) -> str | None:
        return text_of(value)


class CodeCell(TextCell):
    """A code: capitals and small letters are the same."""

    def __init__(self, *codes: str) -> None:
        super().__init__()
        self.codes = {code.lower(): code for code in codes}

    def clean(self, value: Cell, row: Any = None, **kwargs: Any) -> str | None:
        """The code as it is stored; another text as it is: the service refuses it."""
        text = super().clean(value, row, **kwargs)
        return None if text is None else self.codes.get(text.lower(), text)


class YearCell(TextCell):
    """A year with four digits."""

    def clean(self, value: Cell, row: Any = None, **kwargs: Any) -> int | None:  # type: ignore[override]
        text = super().clean(value, row, **kwargs)
        if text is None:
            return None
        if not (len(text) == 4 and text.isascii() and text.isdigit() and text[0] in "12"):
            raise InvalidCell(CellProblem.NO_YEAR)
        return int(text)


class BirthDateCell(Widget):  # type: ignore[misc]  # the package has no types
    """A birth date to the day, the month or the year."""

    def clean(self, value: Cell, row: Any = None, *, reading: FileReading, **_kwargs: Any) -> str | None:
        try:
            return parse_birth_date(_day_text(value, reading)) or None
        except InvalidBirthDate as error:
            raise InvalidCellDate(DateProblem.NO_DATE) from error


class DayCell(Widget):  # type: ignore[misc]  # the package has no types
    """A day."""

    def clean(self, value: Cell, row: Any = None, *, reading: FileReading, **_kwargs: Any) -> datetime.date | None:
        text = _day_text(value, reading)
        try:
            return datetime.date.fromisoformat(text) if text else None
        except ValueError as error:
            raise InvalidCellDate(DateProblem.NO_DATE) from error


class TimeCell(Widget):  # type: ignore[misc]  # the package has no types
    """A time of the day: 9:30, 0930 or the fraction of a day that spreadsheets store."""

    def clean(self, value: Cell, row: Any = None, **_kwargs: Any) -> datetime.time | None:
        if isinstance(value, datetime.datetime):
            value = value.time()
        if isinstance(value, datetime.time):
            return value.replace(second=0, microsecond=0)
        if isinstance(value, float) and 0 <= value < 1:
            minutes = round(value * 24 * 60)
            return datetime.time(minutes // 60 % 24, minutes % 60)
        text = text_of(value)
        if text is None:
            return None
        for form in ("%H:%M", "%H:%M:%S", "%H.%M", "%H%M"):
            try:
                return datetime.datetime.strptime(text.zfill(4), form).time().replace(second=0)  # noqa: DTZ007
            except ValueError:
                continue
        raise InvalidCell(CellProblem.NO_TIME)


def cell_column(name: str, widget: Widget) -> Field:
    """A column of a file, and the attribute of the same name."""
    return Field(attribute=name, column_name=name, widget=widget, saves_null_values=False)


def _day_text(value: Cell, reading: FileReading) -> str:
    is_month_first = reading.date_order is DateOrder.MONTH_FIRST
    return day_text_of(value, is_month_first=is_month_first, is_1904=reading.is_1904)
