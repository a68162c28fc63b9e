"""Days in cells: as spreadsheets store them, and as people write them.

Days are written as 1960-05-17, 17.05.1960 or 17/05/1960. With points the day comes first; with other signs the order
is that of the file, which a person is asked for if the file does not show it.
"""

import datetime
import re
from collections.abc import Iterable
from enum import StrEnum

from screening.spreadsheets.cells import Cell, Formula

_DAY_0_OF_1900 = datetime.date(1899, 12, 30)
"""Of the days that Excel counts, after 1 March 1900."""
_DAY_0_OF_1904 = datetime.date(1904, 1, 1)
_SERIAL = re.compile(r"(\d{5})(\.\d+)?")
"""From 18 May 1927 to 13 October 2173. Four digits are a year."""
_WRITTEN = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4}|\d{2})(?:[ T]+\d{1,2}:\d{2}(?::\d{2})?)?")
_MIDNIGHT = re.compile(r"(\d{4}-\d{2}-\d{2})[ T]0?0:00(?::00)?")


class DateProblem(StrEnum):
    """Why a cell is no day."""

    FORMULA = "formula"
    TWO_DIGIT_YEAR = "two_digit_year"
    NO_DATE = "no_date"


class InvalidCellDate(ValueError):
    """A cell is no day. The text is the code of a DateProblem."""

    def __init__(self, problem: DateProblem) -> None:
        super().__init__(problem.value)


def order_of(cells: Iterable[Cell]) -> tuple[bool, bool, bool]:
    """Whether some of these dates can only have the day first, only the month first, or are ambiguous."""
    is_day_first = is_month_first = is_ambiguous = False
    for cell in cells:
        match = _WRITTEN.fullmatch(cell.strip()) if isinstance(cell, str) else None
        if match is None or match[2] == ".":
            continue
        first, second = int(match[1]), int(match[3])
        is_day_first |= first > 12 >= second
        is_month_first |= second > 12 >= first
        is_ambiguous |= first <= 12 and second <= 12 and first != second
    return is_day_first, is_month_first, is_ambiguous


def day_text_of(cell: Cell, *, is_month_first: bool, is_1904: bool) -> str:
    """The day of a cell as YYYY-MM-DD; another text as it is, for a parser of partial dates. Empty for an empty cell.

    Raises InvalidCellDate.
    """
    if cell is None:
        return ""
    if isinstance(cell, Formula):
        raise InvalidCellDate(DateProblem.FORMULA)
    if isinstance(cell, datetime.datetime):
        return cell.date().isoformat()
    if isinstance(cell, datetime.date):
        return cell.isoformat()
    if isinstance(cell, (bool, datetime.time)):
        raise InvalidCellDate(DateProblem.NO_DATE)
    text = f"{cell:.10g}" if isinstance(cell, float) else str(cell).strip()
    if match := _SERIAL.fullmatch(text):
        first = _DAY_0_OF_1904 if is_1904 else _DAY_0_OF_1900
        return (first + datetime.timedelta(days=int(match[1]))).isoformat()
    if match := _WRITTEN.fullmatch(text):
        return _written_day(match, is_month_first)
    match = _MIDNIGHT.fullmatch(text)
    return match[1] if match else text


def _written_day(match: re.Match[str], is_month_first: bool) -> str:
    first, second, year = int(match[1]), int(match[3]), match[4]
    if len(year) == 2:
        raise InvalidCellDate(DateProblem.TWO_DIGIT_YEAR)
    month, day = (first, second) if is_month_first and match[2] != "." else (second, first)
    try:
        return datetime.date(int(year), month, day).isoformat()
    except ValueError as error:
        raise InvalidCellDate(DateProblem.NO_DATE) from error
