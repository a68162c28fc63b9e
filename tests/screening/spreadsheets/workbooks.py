"""Workbooks and CSV files of tests."""

import io
import zipfile
from collections.abc import Sequence
from typing import Any

from openpyxl import Workbook


def workbook(rows: Sequence[Sequence[Any]], *, is_1904: bool = False, other: str = "", hidden: str = "") -> bytes:
    """An XLSX file; ``other`` and ``hidden`` are further sheets."""
    book: Any = Workbook()
    if is_1904:
        from openpyxl.utils.datetime import CALENDAR_MAC_1904

        book.epoch = CALENDAR_MAC_1904
    if hidden:
        sheet = book.create_sheet(hidden, 0)
        sheet.sheet_state = "hidden"
        sheet.append(["secret"])
        book.active = 1
    if other:
        book.create_sheet(other).append(["other"])
    for row in rows:
        book["Sheet"].append(list(row))
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def with_member(content: bytes, name: str, data: bytes) -> bytes:
    """The workbook with a member replaced or added."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.namelist():
            if member != name:
                new.writestr(member, old.read(member))
        new.writestr(name, data)
    return file.getvalue()


def member_of(content: bytes, name: str) -> bytes:
    """A member of a workbook."""
    return zipfile.ZipFile(io.BytesIO(content)).read(name)
