"""Texts of imports: states, rows, why a file is refused."""

from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy, pgettext_lazy

from screening.labels.choices import choices
from screening.labels.refusals import refusal_text
from screening.policy.imports import DateOrder, ImportKind, ImportState, RowAction, RowState
from screening.spreadsheets.refusals import FileProblem

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

KIND_LABELS: dict[ImportKind, "_StrPromise"] = {
    ImportKind.PEOPLE: _("People"),
    ImportKind.BOOKINGS: _("Bookings"),
}
STATE_LABELS: dict[ImportState, "_StrPromise"] = {
    ImportState.READING: _("The file is being read"),
    ImportState.ASKING: _("A question about the dates"),
    ImportState.CHECKING: _("The rows are being checked"),
    ImportState.CHECKED: _("Checked, nothing is written yet"),
    ImportState.APPLYING: _("The rows are being written"),
    ImportState.APPLIED: _("Imported"),
    ImportState.CANCELLED: _("Cancelled, nothing was written"),
    ImportState.REFUSED: _("Refused, nothing was written"),
    ImportState.EXPIRED: _("Deleted without a decision, nothing was written"),
}
ROW_LABELS: dict[RowState, "_StrPromise"] = {
    RowState.NEW: _("New"),
    RowState.CHANGED: pgettext_lazy("row", "Changed"),
    RowState.UNCHANGED: _("Unchanged"),
    RowState.QUESTION: _("Question"),
    RowState.REFUSED: pgettext_lazy("row", "Refused"),
}
DATE_ORDER_LABELS: dict[DateOrder, "_StrPromise"] = {
    DateOrder.UNKNOWN: pgettext_lazy("order of dates", "not known"),
    DateOrder.DAY_FIRST: _("day, month, year"),
    DateOrder.MONTH_FIRST: _("month, day, year"),
}
PROBLEM_LABELS: dict[FileProblem, "_StrPromise"] = {
    FileProblem.EMPTY: _("The file is empty. Choose another one."),
    FileProblem.TOO_LARGE: _("The file is larger than %(limit)s MiB. Divide it into several files."),
    FileProblem.OLD_WORKBOOK: _(
        "This is a workbook of Excel before 2007, or one with a password. Save it as XLSX without a password."
    ),
    FileProblem.NO_WORKBOOK: _("This file is no workbook, or it is damaged. Save it again as XLSX or as “CSV UTF-8”."),
    FileProblem.MACROS: _("The workbook contains macros. Save it as XLSX without macros."),
    FileProblem.BOMB: _("The workbook becomes too large when it is unpacked. Copy the rows into a new one."),
    FileProblem.ENTITIES: _(
        "The workbook contains XML that no spreadsheet program writes. Copy the rows into a new one."
    ),
    FileProblem.NO_SHEET: _("Every sheet of the workbook is hidden. Show the one with the rows, and save it."),
    FileProblem.ENCODING: _("The letters of this file cannot be read. Save it as “CSV UTF-8”."),
    FileProblem.MIXED_ENCODINGS: _(
        "Some lines of this file are in UTF-8 and others are not, so names would be damaged. "
        "Save it as “CSV UTF-8” after checking the names with accents."
    ),
    FileProblem.UNREADABLE_LINE: _(
        "Line %(line)s cannot be read. Check its quotation marks, or save the file as “CSV UTF-8”."
    ),
    FileProblem.NO_ROWS: _("The file has no rows: there is no line after the first."),
    FileProblem.TOO_MANY_ROWS: ngettext_lazy(
        "The file has more than %(limit)s row. Divide it into several files.",
        "The file has more than %(limit)s rows. Divide it into several files.",
        "limit",
    ),
    FileProblem.TOO_MANY_EMPTY_ROWS: _(
        "After line %(line)s there are too many empty rows. Delete them, or copy the rows into a new file."
    ),
    FileProblem.TOO_MANY_COLUMNS: ngettext_lazy(
        "The file has more than %(limit)s column. Keep those that are listed below.",
        "The file has more than %(limit)s columns. Keep those that are listed below.",
        "limit",
    ),
    FileProblem.UNKNOWN_COLUMNS: _(
        "Columns %(columns)s are not known. Correct their names, or delete them. Known columns: %(known)s."
    ),
    FileProblem.REPEATED_COLUMN: _("The column “%(column)s” is in the file twice. Each may be there once."),
    FileProblem.MISSING_COLUMNS: _("The first line must have %(needed)s. Known columns: %(known)s."),
    FileProblem.FILE_LOST: _("The stored file is not there any more. Send it again."),
    FileProblem.NO_RESULT: _(
        "The work on this file ended several times without a result. Divide it into several files, or save it as "
        "“CSV UTF-8”. If that does not help, ask the administrator."
    ),
}
COLUMN_LABELS: dict[str, "_StrPromise"] = {
    "mrn": _("Medical record number"),
    "family_name": _("Family name"),
    "given_name": _("Given name"),
    "born_on": _("Birth date"),
    "sex": _("Sex"),
    "diabetes_type": _("Diabetes type"),
    "diabetes_since_year": _("Diabetes since (year)"),
    "phone": _("Telephone number"),
    "postal_address": _("Postal address"),
    "doctor_address": _("Name and address of the doctor"),
    "day": _("Day"),
    "time": _("Time"),
    "location": _("Place"),
    "status": _("Status"),
}
"""Columns of files, by the name that the first line has."""
KIND_CHOICES = choices(KIND_LABELS)
STATE_CHOICES = choices(STATE_LABELS)
ROW_CHOICES = choices(ROW_LABELS)
DATE_ORDER_CHOICES = choices(DATE_ORDER_LABELS)
ACTION_CHOICES = [
    (RowAction.ADD.value, _("add")),
    (RowAction.CHANGE.value, _("change")),
    (RowAction.NONE.value, _("nothing")),
]


def problem_text(problem: str, values: dict[str, str | int]) -> str:
    """Why a file is refused, and what to do."""
    return str(PROBLEM_LABELS[FileProblem(problem)] % values)


CORRECT_CELL = _("Correct this cell, and import the file again.")
CELL_TEXTS: "dict[str, tuple[_StrPromise, _StrPromise]]" = {
    "formula": (_("This cell has a formula or an error."), _("Copy the column, and insert it as values.")),
    "two_digit_year": (_("The year has two digits."), _("Write the year with four digits.")),
    "no_date": (
        _("This is no date."),
        _("Write it as 1960-05-17, or 1960-05 or 1960 for a birth if no more is known."),
    ),
    "too_long": (_("This text is too long."), CORRECT_CELL),
    "formula_text": (_("This text begins as a formula does."), CORRECT_CELL),
    "day_in_number": (
        _("The spreadsheet program has made a date or a time of this text."),
        _("Format the column as text, and type the text again."),
    ),
    "long_number": (
        _("The number has more than 15 digits; the spreadsheet program has changed the last ones."),
        _("Format the column as text, and type the number again."),
    ),
    "no_year": (_("This is no year."), _("Write the year with four digits, for example 2015.")),
    "no_time": (_("This is no time."), _("Write it as 09:30.")),
    "repeated_number": (_("This number is also in line %(line)d."), _("Remove one of the two lines.")),
    "repeated_booking": (_("This booking is also in line %(line)d."), _("Remove one of the two lines.")),
    "merged": (
        _("The record with this number was merged into another one."),
        _("Change the person on the page, and remove the line."),
    ),
    "no_day": (_("The day is missing."), _("Fill it in.")),
    "no_status": (_("This is no status."), _("Write booked, attended, did_not_attend or cancelled.")),
    "not_yet": (_("The day is in the future, so the appointment cannot be over."), CORRECT_CELL),
    "no_change": (
        _("The booking has a status that cannot be changed to this one."),
        _("Change it on the page, and remove the line."),
    ),
    "cells": (_("The row has more cells than the first line."), _("Remove the cells without a name.")),
    "unknown_person": (_("No person with this number is registered."), _("Import the people first, or correct it.")),
    "similar_number": (
        _("The number differs from that of another person only in blanks, dashes, capitals or the form of digits."),
        _("Check whether it is the same person."),
    ),
    "lost_zeros": (
        _("A number that differs only by zeros at its beginning is registered: spreadsheet programs delete them."),
        _("Check whether it is the same person. If so, write the number with its zeros."),
    ),
    "scientific_number": (
        _("This number looks as if a spreadsheet had shortened it, as 1.2E+10 for 12000000000."),
        _("Check the number."),
    ),
    "decimal_number": (
        _("This number ends with a decimal zero, as 12345.0: a program has read it as a decimal number."),
        _("Check the number. If the decimal zero is not part of it, remove it, and import the file again."),
    ),
    "possible_duplicate": (
        _("A person with these names and a birth date that could be the same has another number."),
        _("Check whether it is the same person."),
    ),
    "other_person": (
        _("This number belongs to a person with other names and another birth date."),
        _("Check whose number it is. “Write” replaces names and birth date of the record."),
    ),
}
"""What is wrong with a cell, and what to do, by code."""


def cell_problem(column: str, code: str, line: int = 0) -> list[Any]:
    """What is wrong with a cell, as it is stored: the column, a code of ``CELL_TEXTS``, another line of the file."""
    return [column, code, line]


def refused_cell(column: str, code: str, values: dict[str, int]) -> list[Any]:
    """The same for a cell that a service refuses: the column, a code of ``REFUSAL_TEXTS``, the values of its text."""
    return [column, code, values]


def cell_texts(problem: list[Any]) -> tuple[str, str, str]:
    """Column, what is wrong and what to do, in the language of the reader. Nothing of the cell is in the texts."""
    column, code, line = problem
    if isinstance(line, dict):
        return str(column), refusal_text(code, line), str(CORRECT_CELL)
    if isinstance(line, str):  # stored as a sentence by an earlier version
        return str(column), str(code), line
    what, advice = CELL_TEXTS[str(code)]
    return str(column), str(what) % {"line": line} if line else str(what), str(advice)
