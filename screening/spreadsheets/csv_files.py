"""CSV files as rows: their encoding and separator are found out, one row is in memory at a time."""

import codecs
import csv
import io
import re
from collections.abc import Iterator
from typing import IO

from screening.spreadsheets.cells import Cell
from screening.spreadsheets.refusals import FileProblem, FileRefused
from screening.spreadsheets.tables import MAX_COLUMNS, Table, TableNotes

SEPARATORS = ",;\t"
_CHUNK_BYTES = 256 * 1024
_ENCODINGS = ("utf-8-sig", "cp1252")
"""Tried in this order. Bytes of Windows-1252 with accents are seldom valid UTF-8."""
_MAX_HEAD_CHARS = 20_000
_MAX_LINE_CHARS = 1_000_000
"""Cells of a line are all in memory at once."""
_UTF8_LETTER = re.compile(rb"[\xc3-\xdf][\x80-\xbf]")
"""An accented letter of UTF-8. In Windows-1252 it is a capital letter before a sign, which no text has."""


def read_csv(file: IO[bytes]) -> Table:
    """The rows of a CSV file. Raises FileRefused, also while they are read."""
    encoding = _encoding_of(file)
    file.seek(0)
    text = io.TextIOWrapper(file, encoding=encoding, newline="")
    head = text.readline(_MAX_HEAD_CHARS)
    text.detach()
    file.seek(0)
    separator = max(SEPARATORS, key=_without_quoted(head).count)
    notes = TableNotes(format="csv", encoding="utf-8" if encoding == "utf-8-sig" else encoding, separator=separator)
    return Table(_lines(file, encoding, separator), notes)


def _encoding_of(file: IO[bytes]) -> str:
    """The first encoding in which the whole file can be read. Raises FileRefused."""
    if file.read(2) in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE}:  # "Unicode text" of Excel
        _require_readable(file, "utf-16")
        return "utf-16"
    for encoding in _ENCODINGS:
        try:
            _require_readable(file, encoding)
        except FileRefused:
            continue
        if encoding == "cp1252":
            _require_one_encoding(file)
        return encoding
    raise FileRefused(FileProblem.ENCODING)


def _require_one_encoding(file: IO[bytes]) -> None:
    """Refuse a file of which some lines are UTF-8 and others are not, as two files joined are."""
    file.seek(0)
    before = b""
    while chunk := file.read(_CHUNK_BYTES):
        if _UTF8_LETTER.search(before + chunk):
            raise FileRefused(FileProblem.MIXED_ENCODINGS)
        before = chunk[-1:]


def _require_readable(file: IO[bytes], encoding: str) -> None:
    decoder = codecs.getincrementaldecoder(encoding)()
    file.seek(0)
    try:
        while chunk := file.read(_CHUNK_BYTES):
            if "\0" in decoder.decode(chunk):
                raise FileRefused(FileProblem.ENCODING)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise FileRefused(FileProblem.ENCODING) from error


def _without_quoted(head: str) -> str:
    return "".join(head.split('"')[::2])


def _lines(file: IO[bytes], encoding: str, separator: str) -> Iterator[tuple[int, list[Cell]]]:
    text = io.TextIOWrapper(file, encoding=encoding, newline="")
    reader = csv.reader(_short_lines(text), delimiter=separator)
    line = 1
    try:
        for cells in reader:
            row: list[Cell] = [cell or None for cell in cells[: MAX_COLUMNS + 1]]
            while row and row[-1] is None:
                row.pop()
            yield line, row
            line = reader.line_num + 1
    except csv.Error as error:  # such as a quotation mark that is not closed
        raise FileRefused(FileProblem.UNREADABLE_LINE, line=reader.line_num) from error
    finally:
        if not file.closed:
            text.detach()  # the caller closes the file


def _short_lines(text: io.TextIOWrapper) -> Iterator[str]:
    """The lines of a text. Raises csv.Error for one that is too long."""
    while line := text.readline(_MAX_LINE_CHARS + 1):
        if len(line) > _MAX_LINE_CHARS:
            raise csv.Error
        yield line
