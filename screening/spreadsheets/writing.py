"""Tables as CSV and XLSX files, row by row. Texts are never formulas; in XLSX days are days and numbers are numbers."""

import csv
import datetime
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from typing import Any
from xml.sax.saxutils import escape

from openpyxl import Workbook
from openpyxl.utils import get_column_letter
from openpyxl.utils.datetime import to_excel

from screening.spreadsheets.cells import Value, safe_cell

BYTE_ORDER_MARK = "\ufeff"
"""Without it spreadsheet programs read UTF-8 as another encoding."""
MAX_XLSX_ROWS = 1_048_575
"""Of one sheet, without its first row."""
MAX_XLSX_CHARS = 32_767
"""Of a cell."""
_ROWS_PER_CHUNK = 200
_CHUNK_BYTES = 256 * 1024
_COLUMN_WIDTH = 18
_SHEET = "xl/worksheets/sheet1.xml"
_STYLES: dict[type, str] = {
    datetime.datetime: "yyyy-mm-dd hh:mm",
    datetime.date: "yyyy-mm-dd",
    datetime.time: "hh:mm",
}
"""Formats of numbers in cells by type; a moment is a day too, so it is first."""
_NOT_IN_XML = {*range(9), 11, 12, *range(14, 32), 0xFFFE, 0xFFFF}
_DELETED = dict.fromkeys(_NOT_IN_XML)


class FileFormat(StrEnum):
    """Formats of exported tables."""

    CSV = "csv"
    XLSX = "xlsx"

    @property
    def content_type(self) -> str:
        """The media type."""
        if self is FileFormat.CSV:
            return "text/csv; charset=utf-8"
        return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class _Line:
    """A file whose writes are returned."""

    def write(self, text: str) -> str:
        return text


def write_table(file_format: FileFormat, head: Sequence[str], rows: Iterable[Sequence[Value]]) -> Iterator[bytes]:
    """The bytes of a file with these rows."""
    return _csv_chunks(head, rows) if file_format is FileFormat.CSV else _xlsx_chunks(head, rows)


def _csv_chunks(head: Sequence[str], rows: Iterable[Sequence[Value]]) -> Iterator[bytes]:
    writer: Any = csv.writer(_Line())
    lines = [BYTE_ORDER_MARK, str(writer.writerow([safe_cell(name) for name in head]))]
    for row in rows:
        lines.append(str(writer.writerow([_csv_cell(value) for value in row])))
        if len(lines) > _ROWS_PER_CHUNK:
            yield "".join(lines).encode()
            lines = []
    yield "".join(lines).encode()


def _csv_cell(value: Value) -> str:
    """NB: only texts can be formulas; a negative number stays a number."""
    if isinstance(value, datetime.datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    if isinstance(value, (int, float, datetime.date)) and not isinstance(value, bool):
        return str(value)
    return safe_cell(value)


def _xlsx_chunks(head: Sequence[str], rows: Iterable[Sequence[Value]]) -> Iterator[bytes]:
    """The archive in pieces while its rows are made, so that a proxy does not wait for the end of a large file.

    openpyxl makes all but the rows: it would send nothing before the last one.
    """
    written = _Pieces()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        before, after = _copy_workbook(archive, len(head))
        with archive.open(_SHEET, "w", force_zip64=True) as sheet:
            sheet.write(before + _row(1, head))
            for number, row in enumerate(rows, start=2):
                sheet.write(_row(number, row))
                if written.n_bytes > _CHUNK_BYTES:
                    yield written.take()
            sheet.write(after)
    yield written.take()


class _Pieces(io.RawIOBase):
    """A file that cannot be read or rewound; ``take`` has what was written since."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[bytes] = []
        self.n_bytes = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.pieces.append(bytes(data))
        self.n_bytes += len(self.pieces[-1])
        return len(self.pieces[-1])

    def take(self) -> bytes:
        """All that was written since the last call."""
        taken = b"".join(self.pieces)
        self.pieces, self.n_bytes = [], 0
        return taken


def _copy_workbook(archive: zipfile.ZipFile, n_columns: int) -> tuple[bytes, bytes]:
    """Copy all but the rows of an empty workbook; the XML before and after the rows of its sheet."""
    book: Any = Workbook()
    sheet = book.active
    sheet.freeze_panes = "A2"
    for number in range(1, n_columns + 1):
        sheet.column_dimensions[get_column_letter(number)].width = _COLUMN_WIDTH
    for column, number_format in enumerate(_STYLES.values(), start=1):
        sheet.cell(1, column, 1).number_format = number_format  # so that the styles have the numbers 1, 2, 3
    content = io.BytesIO()
    book.save(content)
    with zipfile.ZipFile(content) as made:
        for name in made.namelist():
            if name != _SHEET:
                archive.writestr(name, made.read(name))
        before, _rows, after = re.split(rb"(<sheetData>.*</sheetData>)", made.read(_SHEET), flags=re.DOTALL)
    return re.sub(rb"<dimension [^>]*/>", b"", before) + b"<sheetData>", b"</sheetData>" + after


def _row(number: int, values: Sequence[Value]) -> bytes:
    cells = (_xlsx_cell(f'r="{get_column_letter(n)}{number}"', value) for n, value in enumerate(values, start=1))
    return f'<row r="{number}">{"".join(cells)}</row>'.encode()


def _xlsx_cell(at: str, value: Value) -> str:
    """A cell: texts are texts, and never a formula; days, times and numbers are numbers, days with a format."""
    if value is None or value == "":
        return ""
    if isinstance(value, (int, float)):
        return f"<c {at}><v>{value}</v></c>"
    for style, kind in enumerate(_STYLES, start=1):
        if isinstance(value, kind):
            naive = value.replace(tzinfo=None) if isinstance(value, datetime.datetime) else value
            return f'<c {at} s="{style}"><v>{to_excel(naive)}</v></c>'  # type: ignore[no-untyped-call]
    text = safe_cell(str(value).translate(_DELETED))[:MAX_XLSX_CHARS]
    return f'<c {at} t="inlineStr"><is><t xml:space="preserve">{escape(text)}</t></is></c>'
