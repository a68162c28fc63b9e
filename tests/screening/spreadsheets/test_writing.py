"""Tables as CSV and XLSX files."""

import csv
import datetime
import io
import zipfile
from typing import Any

import pytest
from openpyxl import load_workbook

from screening.spreadsheets.cells import safe_cell
from screening.spreadsheets.writing import FileFormat, write_table

DAY, MOMENT = datetime.date(2026, 11, 28), datetime.datetime(2026, 11, 28, 9, 30, tzinfo=datetime.UTC)
ROW = ("00123", "=HYPERLINK(1)", "Müller\x0b", DAY, MOMENT, 7, None, "")


def test_a_csv_file_keeps_zeros_and_has_no_formula() -> None:
    text = b"".join(write_table(FileFormat.CSV, ["MRN", "@x"], [ROW, (-1, "-1", "a,b")])).decode("utf-8-sig")
    head, row, other = csv.reader(io.StringIO(text))
    assert head == ["MRN", "'@x"]
    assert row == ["00123", "'=HYPERLINK(1)", "Müller\x0b", "2026-11-28", "2026-11-28 09:30", "7", "", ""]
    assert other == ["-1", "'-1", "a,b"]


def test_an_xlsx_file_has_real_days_and_texts() -> None:
    content = b"".join(write_table(FileFormat.XLSX, ["MRN", "Name"], [ROW]))
    book: Any = load_workbook(io.BytesIO(content))
    head, row = book.active.iter_rows()
    assert [cell.value for cell in head[:2]] == ["MRN", "Name"]
    assert [cell.data_type for cell in row[:6]] == ["s", "s", "s", "d", "d", "n"]
    assert (row[0].value, row[1].value, row[2].value) == ("00123", "'=HYPERLINK(1)", "Müller")
    assert row[3].value.date() == DAY
    assert row[4].value == MOMENT.replace(tzinfo=None)
    sheet = zipfile.ZipFile(io.BytesIO(content)).read("xl/worksheets/sheet1.xml")
    assert b"<f>" not in sheet


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "  =1", "\n=1"])
def test_a_cell_is_never_a_formula(text: str) -> None:
    assert safe_cell(text) == f"'{text}"


@pytest.mark.parametrize("value", ["Byron", "1960-05-17", "O'Neil", "a=b", "", None, 5])
def test_other_cells_stay(value: object) -> None:
    assert safe_cell(value) == ("" if value is None else str(value))
