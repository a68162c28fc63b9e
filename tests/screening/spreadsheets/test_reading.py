"""Files that are read: encodings, separators, sheets, and what is refused."""

import datetime
import io
from typing import Any

import pytest

from screening.spreadsheets import archives, csv_files
from screening.spreadsheets.cells import Formula
from screening.spreadsheets.dates import DateProblem, InvalidCellDate, day_text_of, order_of
from screening.spreadsheets.refusals import FileProblem, FileRefused
from screening.spreadsheets.tables import MAX_EMPTY_ROWS, TableNotes, read_table
from tests.screening.spreadsheets.workbooks import member_of, with_member, workbook

HEAD = ["mrn", "family_name"]
SHEET = "xl/worksheets/sheet1.xml"


def read(content: bytes) -> tuple[list[tuple[int, list[Any]]], TableNotes]:
    table = read_table(io.BytesIO(content))
    return list(table.lines), table.notes


def problem_of(content: bytes) -> FileProblem:
    with pytest.raises(FileRefused) as refusal:
        read(content)
    return refusal.value.problem


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_encodings_and_separators_are_found_out(encoding: str, separator: str) -> None:
    text = f'mrn{separator}family_name\r\n007{separator}"Mü{separator}ller"\r\n\r\n'
    rows, notes = read(text.encode(encoding))
    assert rows == [(1, HEAD), (2, ["007", f"Mü{separator}ller"]), (3, [])]
    assert notes.encoding == ("utf-8" if encoding == "utf-8-sig" else encoding)
    assert notes.separator == separator


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", FileProblem.EMPTY),
        (b"mrn,family_name\nA1,\x81\x8d\n", FileProblem.ENCODING),
        (b"mrn\0,family_name\n", FileProblem.ENCODING),
        (b'mrn,family_name\nA1,"Byron\n' + b"x" * 140_000, FileProblem.UNREADABLE_LINE),
        (b"PK\x03\x04 no archive", FileProblem.NO_WORKBOOK),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 old", FileProblem.OLD_WORKBOOK),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(content: bytes, problem: FileProblem) -> None:
    assert problem_of(content) is problem


def test_cells_of_a_workbook_keep_their_types() -> None:
    day = datetime.date(1960, 5, 17)
    rows, notes = read(workbook([HEAD, ["007", 12], [None, None], ["=1+1", day]], other="Notes", hidden="Secret"))
    assert rows == [(1, HEAD), (2, ["007", 12]), (3, []), (4, [Formula(), datetime.datetime(1960, 5, 17)])]  # noqa: DTZ001
    assert (notes.sheet, notes.n_other_sheets, notes.n_hidden_sheets, notes.is_1904) == ("Sheet", 1, 1, False)


def test_days_of_both_systems_are_the_same() -> None:
    day = datetime.date(1960, 5, 17)
    for is_1904 in (False, True):
        rows, notes = read(workbook([[day]], is_1904=is_1904))
        assert rows[0][1][0].date() == day
        assert notes.is_1904 is is_1904


def test_macros_and_entities_are_refused() -> None:
    good = workbook([HEAD])
    assert problem_of(with_member(good, "xl/vbaProject.bin", b"x")) is FileProblem.MACROS
    bomb = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbb">]>'
    sheet = member_of(good, SHEET)
    assert problem_of(with_member(good, SHEET, bomb + sheet)) is FileProblem.ENTITIES
    styles = member_of(good, "xl/styles.xml").split(b"?>", 1)[-1]
    assert problem_of(with_member(good, "xl/styles.xml", bomb + styles)) is FileProblem.ENTITIES
    assert problem_of(with_member(good, SHEET, sheet[:-30])) is FileProblem.NO_WORKBOOK


def test_an_archive_that_becomes_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    good = workbook([HEAD])
    assert problem_of(with_member(good, "xl/media/a.bin", b"0" * 2_000_000)) is FileProblem.BOMB
    monkeypatch.setattr(archives, "MAX_MEMBERS", 3)
    assert problem_of(good) is FileProblem.BOMB
    monkeypatch.undo()
    monkeypatch.setattr(archives, "MAX_OTHER_BYTES", 10)
    assert problem_of(good) is FileProblem.BOMB


@pytest.mark.parametrize(
    ("name", "head", "element"),
    [
        (SHEET, b"<worksheet><sheetData><row>", b"<c/>"),
        (SHEET, b"<worksheet><sheetData>", b"<other/>"),
        (SHEET, b"<worksheet><cols>", b"<col/>"),
        (SHEET, b"<worksheet><sheetData><row><c><is><t>", b"%d "),
        ("xl/sharedStrings.xml", b"<sst>", b"<si/>"),
        ("xl/styles.xml", b"<styleSheet><cellXfs>", b"<xf/>"),
        ("xl/_rels/workbook.xml.rels", b"<Relationships>", b"<Relationship/>"),
        ("[Content_Types].xml", b"<Types>", b"<Default/>"),
        ("xl/strings.dat", b"<sst>", b"<si/>"),
    ],
)
def test_parts_with_more_elements_than_programs_write_are_refused(
    name: str, head: bytes, element: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    for limit in ("MAX_ROW_ELEMENTS", "MAX_SHARED_ELEMENTS", "MAX_OTHER_ELEMENTS"):
        monkeypatch.setattr(archives, limit, 1000)
    monkeypatch.setattr(archives, "MAX_OTHER_BYTES", 20_000)
    few, many = (head + b"".join(element.replace(b"%d", b"%d" % n) for n in range(count)) for count in (900, 9000))
    good = workbook([HEAD])
    assert problem_of(with_member(good, name, many)) is FileProblem.BOMB
    if not name.endswith(".dat"):
        assert problem_of(with_member(good, name, few)) is FileProblem.NO_WORKBOOK  # it is cut off
    assert [cells for _line, cells in read(good)[0]] == [HEAD]


def test_a_long_row_counts_from_its_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_ROW_ELEMENTS", 12)
    rows = [HEAD, *([["1", "Byron"]] * 20)]
    assert len(read(workbook(rows))[0]) == 21
    assert problem_of(workbook([HEAD, ["1"] * 13])) is FileProblem.BOMB


def test_a_workbook_that_names_no_part_as_the_workbook_is_refused() -> None:
    types = b'<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'
    assert problem_of(with_member(workbook([HEAD]), "[Content_Types].xml", types)) is FileProblem.NO_WORKBOOK


def test_a_line_that_is_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_files, "_MAX_LINE_CHARS", 100)
    assert problem_of(b"mrn,family_name\n1," + b"B" * 99) is FileProblem.UNREADABLE_LINE
    assert len(read(b"mrn,family_name\n1," + b"B" * 97)[0]) == 2


def test_lines_of_two_encodings_are_refused() -> None:
    lines = ["mrn,family_name", "1,M\u00fcller", "2,Garc\u00eda"]
    mixed = b"\n".join(line.encode(code) for line, code in zip(lines, ("utf-8", "utf-8", "cp1252"), strict=True))
    assert problem_of(mixed) is FileProblem.MIXED_ENCODINGS
    for encoding in ("utf-8", "cp1252"):
        rows, notes = read("\n".join(lines).encode(encoding))
        assert [cells[1] for _line, cells in rows[1:]] == ["M\u00fcller", "Garc\u00eda"]
        assert notes.encoding == encoding


def test_rows_far_below_are_refused() -> None:
    good = workbook([HEAD])
    sheet = member_of(good, SHEET)
    far = sheet.replace(b"</sheetData>", b'<row r="1048576"><c r="A1048576"><v>1</v></c></row></sheetData>')
    assert far != sheet
    with pytest.raises(FileRefused) as refusal:
        read(with_member(good, SHEET, far))
    assert refusal.value.problem is FileProblem.TOO_MANY_EMPTY_ROWS
    assert refusal.value.values == {"line": MAX_EMPTY_ROWS + 2}


@pytest.mark.parametrize(
    ("cell", "day"),
    [
        (22052, "1960-05-16"),
        (22052.0, "1960-05-16"),
        ("22052", "1960-05-16"),
        (datetime.datetime(1960, 5, 17), "1960-05-17"),  # noqa: DTZ001
        ("1960-05-17", "1960-05-17"),
        ("1960-05-17 00:00:00", "1960-05-17"),
        ("17.05.1960", "1960-05-17"),
        ("03/04/1960", "1960-04-03"),
        (1960, "1960"),
        ("1967-11", "1967-11"),
        (None, ""),
    ],
)
def test_days_in_cells(cell: Any, day: str) -> None:
    assert day_text_of(cell, is_month_first=False, is_1904=False) == day


def test_the_order_and_the_first_day_of_a_file_count() -> None:
    assert day_text_of("03/04/1960", is_month_first=True, is_1904=False) == "1960-03-04"
    assert day_text_of("03.04.1960", is_month_first=True, is_1904=False) == "1960-04-03"
    assert day_text_of(20590, is_month_first=False, is_1904=True) == "1960-05-16"


@pytest.mark.parametrize(
    ("cell", "problem"),
    [
        (Formula(), DateProblem.FORMULA),
        ("17.05.60", DateProblem.TWO_DIGIT_YEAR),
        ("31/02/1960", DateProblem.NO_DATE),
        (True, DateProblem.NO_DATE),
    ],
)
def test_what_is_no_day_is_refused(cell: Any, problem: DateProblem) -> None:
    with pytest.raises(InvalidCellDate, match=problem.value):
        day_text_of(cell, is_month_first=False, is_1904=False)


def test_the_order_of_day_and_month_is_found_out() -> None:
    assert order_of(["13/04/1960"]) == (True, False, False)
    assert order_of(["04/13/1960"]) == (False, True, False)
    assert order_of(["03/04/1960", "x", 5]) == (False, False, True)
    assert order_of(["03.04.1960", "05/05/1960"]) == (False, False, False)
