"""Label tables as spreadsheets and people leave them: read, or refused with file, line and cause."""

import re
from pathlib import Path

import openpyxl
import pytest
from PIL import Image

from ml.cli.main import main
from ml.data.inventory import describe_sources
from ml.data.readers import read_photos
from ml.data.tables import LabelError
from tests.cases.conftest import Record

APTOS = ["train_images/0a1b.png", "train_images/1e5.png", "train_images/000417.png"]
OWN = ["images/a.jpg", "images/b.jpg", "images/c.jpg"]
TABLE = "id_code,diagnosis\n0a1b,0\n1e5,2\n"
BOTH = "0a1b 0, 1e5 2"
Files = dict[str, bytes | str]


def table(text: str | bytes, photos: list[str] = APTOS, name: str = "train.csv") -> Files:
    return {name: text, **dict.fromkeys(photos, "")}


def own(text: str | bytes, photos: list[str] = OWN) -> Files:
    return table(text, photos, "labels.csv")


def eyepacs(text: str, *photos: str) -> Files:
    return table(f"image,level\n{text}\n", [f"train/{photo}" for photo in photos], "trainLabels.csv")


def folders(*photos: str) -> Files:
    return dict.fromkeys(photos, "")


READ: dict[str, tuple[Files, str]] = {
    "plain": (table(TABLE), BOTH),
    "byte order mark, Windows lines": (table(b"\xef\xbb\xbf" + TABLE.replace("\n", "\r\n").encode()), BOTH),
    "carriage returns only": (table(TABLE.replace("\n", "\r")), BOTH),
    "semicolons": (table(TABLE.replace(",", ";")), BOTH),
    "tabs": (table(TABLE.replace(",", "\t")), BOTH),
    "bars": (table(TABLE.replace(",", "|")), BOTH),
    "first line sep=;": (table("sep=;\n" + TABLE.replace(",", ";")), BOTH),
    "UTF-16": (table(TABLE.encode("utf-16")), BOTH),
    "UTF-16, tabs, big endian": (table(b"\xfe\xff" + TABLE.replace(",", "\t").encode("utf-16-be")), BOTH),
    "UTF-16 without a mark": (table(TABLE.encode("utf-16-le")), BOTH),
    "Windows-1252": (table("id_code,diagnosis,note\n0a1b,0,näh\n".encode("cp1252")), "0a1b 0"),
    "upper case in the header": (table(TABLE.replace("id_code,diagnosis", "Id_Code,DIAGNOSIS")), BOTH),
    "blanks in header and cells": (table("Id Code , diagnosis\n 0a1b , 0\xa0\n"), "0a1b 0"),
    "empty line before the header": (table("\n" + TABLE), BOTH),
    "commas at the end": (table("id_code,diagnosis,,\n0a1b,0,,\n1e5,2,,\n,,,\n"), BOTH),
    "quoted": (table('id_code,diagnosis\n"0a1b","0"\n'), "0a1b 0"),
    "grades 0.0 and 2.00": (table("id_code,diagnosis\n0a1b,0.0\n1e5,2.00\n"), BOTH),
    "grades 2,0 and 2.00E+00": (table('id_code,diagnosis\n0a1b,"2,0"\n1e5,2.00E+00\n'), "0a1b 2, 1e5 2"),
    "decimal comma, semicolons": (table("id_code;diagnosis\n0a1b;2,0\n"), "0a1b 2"),
    "suffixes in the table": (table("id_code,diagnosis\n0a1b.png,0\n1e5.jpeg,2\n"), BOTH),
    "folders of Windows in the table": (table("id_code,diagnosis\ntrain_images\\0a1b.png,0\n"), "0a1b 0"),
    "the same stem elsewhere": (table("id_code,diagnosis\n0a1b,0\n", [*APTOS, "resized/0a1b.jpg"]), "0a1b 0"),
    "the same stem, told by its suffix": (
        table("id_code,diagnosis\n0a1b.png,0\n", [*APTOS, "train_images/0a1b.jpg"]),
        "0a1b 0",
    ),
    "10_L": (eyepacs("10_L,1", "10_L.jpg"), "10_L 1 left"),
    "10-left": (eyepacs("10-left,1", "10-left.jpg"), "10-left 1 left"),
    "10_LEFT": (eyepacs("10_LEFT,1", "10_LEFT.jpeg"), "10_LEFT 1 left"),
    "10_OD": (eyepacs("10_OD,1", "10_OD.jpeg"), "10_OD 1 right"),
    "named jpeg, is png": (eyepacs("10_left.jpeg,0", "10_left.png"), "10_left 0 left"),
    "paths of Windows": (own("file,grade,eye\nimages\\a.jpg,0,OD\n.\\images\\b.jpg,2,OS\n"), "a 0 right, b 2 left"),
    "case of file names": (
        own("FILE,Grade,Eye\nimages/a.jpg,0,right\nImages/B.JPG,2,Right eye\n", ["images/A.JPG", "images/b.jpg"]),
        "A 0 right, b 2 right",
    ),
    "words for eyes": (
        own("file,grade,eye\nimages/a.jpg,0,RE\nimages/b.jpg,2,LE\nimages/c.jpg,2,OG\n"),
        "a 0 right, b 2 left, c 2 left",
    ),
    "unknown eye, age and sex": (own("file,grade,eye,age,sex\nimages/a.jpg,0,n/a,NaN,Unknown\n"), "a 0"),
    "quality in capitals": (own("file,grade,quality\nimages/a.jpg,0,Good\n"), "a 0"),
    "folders 0 and 1": (folders("0/a.jpg", "1/b.jpg"), "a 0, b 1"),
    "folder with a blank at its end": (folders("0 /a.jpg", "1/b.jpg"), "a 0, b 1"),
    "folders class_0, Grade 1, level-2": (folders("class_0/a.jpg", "Grade 1/b.jpg", "level-2/c.jpg"), "a 0, b 1, c 2"),
    "folders in words": (
        folders("No DR/a.jpg", "Mild/b.jpg", "Moderate DR/c.jpg", "Severe NPDR/d.jpg", "Proliferate_DR/e.jpg"),
        "a 0, b 1, c 2, d 3, e 4",
    ),
    "folders 0 - No DR, Mild (1)": (folders("0 - No DR/a.jpg", "Mild (1)/b.jpg", "2.Moderate/c.jpg"), "a 0, b 1, c 2"),
    "folder ungradable": (folders("0/a.jpg", "1/b.jpg", "ungradable/c.jpg"), "a 0, b 1, c None"),
    "resource files of macOS": (folders("0/a.jpg", "0/._a.jpg", "1/b.jpg", "__MACOSX/0/._a.jpg"), "a 0, b 1"),
}
NONE_KNOWN = "none of the layouts known"
REFUSED: dict[str, tuple[Files, str]] = {
    "one photograph in two rows": (table(TABLE + "0a1b,3\n"), "train.csv, line 4: 0a1b.png is in train.csv, line 2"),
    "the same row twice": (table(TABLE + "0A1B.PNG,0\n"), "train.csv, line 4: 0a1b.png is in train.csv, line 2"),
    "empty grade": (table("id_code,diagnosis\n0a1b,\n"), "train.csv, line 2: grade ''"),
    "grade 2,5": (table('id_code,diagnosis\n0a1b,"2,5"\n'), "train.csv, line 2: grade '2,5'"),
    "grade #N/A": (table("id_code,diagnosis\n0a1b,#N/A\n"), "train.csv, line 2: grade '#N/A'"),
    "decimal comma without quotes": (table("id_code,diagnosis\n0a1b,2,0\n"), "train.csv, line 2: '0' is in no column"),
    "1e5 became 1.00E+05": (table(TABLE.replace("1e5", "1.00E+05")), "line 3: no photograph is named '1.00E+05': 1e5"),
    "000417 became 417": (table("id_code,diagnosis\n417,4\n"), "line 2: no photograph is named '417': 000417.png may"),
    "a long number became 1.2E+10": (
        table("id_code,diagnosis\n1.2E+10,4\n"),
        "line 2: no photograph is named '1.2E+10'",
    ),
    "a name became a date": (table("id_code,diagnosis\n01-Mar,4\n"), "line 2: no photograph is named '01-Mar'"),
    "line of sums": (table(TABLE + "Total,2\n"), "train.csv, line 4: 'Total' is no photograph"),
    "line of sums without a name": (table(TABLE + ",2\n"), "train.csv, line 4: the column 'id_code' is empty"),
    "two photographs with one stem": (
        table(TABLE, [*APTOS, "train_images/sub/0a1b.jpg"]),
        "train.csv, line 2: '0a1b' may be one of several photographs: train_images/0a1b.png, train_images/sub/0a1b.jpg",
    ),
    "a column twice": (table("id_code,diagnosis,Diagnosis\n0a1b,0,2\n"), "train.csv, line 1: the column 'diagnosis'"),
    "a quotation mark is never closed": (
        table('id_code,diagnosis,note\n0a1b,0,"x\n1e5,2,y\n'),
        "quotation mark missing",
    ),
    "a photograph of another kind": (
        table("id_code,diagnosis\n7,0\n", ["train_images/7.bmp"]),
        "line 2: 7.bmp is of a kind",
    ),
    "path outside the data set": (own("file,grade\n/etc/hostname,0\n"), "line 2: '/etc/hostname' is not below"),
    "path to the folder above": (
        own("file,grade\nimages/../../x.jpg,1\n"),
        "line 2: 'images/../../x.jpg' is not below",
    ),
    "drive of Windows": (own("file,grade\nC:\\data\\a.jpg,1\n"), r"line 2: 'C:\\data\\a.jpg' is not below"),
    "both eyes": (own("file,grade,eye\nimages/a.jpg,0,OD/OS\n"), "labels.csv, line 2: eye 'OD/OS'"),
    "eye 3": (own("file,grade,eye\nimages/a.jpg,0,3\n"), "labels.csv, line 2: eye '3'"),
    "sex 1": (own("file,grade,sex\nimages/a.jpg,0,1\n"), "labels.csv, line 2: sex '1'"),
    "patient 1.2E+10": (own("file,grade,patient\nimages/a.jpg,0,1.2E+10\n"), "labels.csv, line 2: patient '1.2E+10'"),
    "unknown quality": (own("file,grade,quality\nimages/a.jpg,0,fine\n"), "labels.csv, line 2: quality 'fine'"),
    "unknown columns": (
        own("name,class\nimages/a.jpg,0\n"),
        f"{NONE_KNOWN}.*labels.csv, line 1: the columns are name, class",
    ),
    "English scale": (folders("R0/a.jpg", "R1/b.jpg"), f"{NONE_KNOWN}.*R0: this is the English scale"),
    "folders DR and No_DR": (folders("DR/a.jpg", "No_DR/b.jpg"), f"{NONE_KNOWN}.*DR: yes or no is not a grade"),
    "unknown folder": (folders("0/a.jpg", "1/b.jpg", "unsure/c.jpg"), "unsure: this folder is not named after a grade"),
    "number and word differ": (folders("0/a.jpg", "1 - Severe/b.jpg"), "1 - Severe: the number and the rest"),
    "folder 2_old": (folders("0/a.jpg", "1/b.jpg", "2_old/c.jpg"), "2_old: the number and the rest of the name"),
    "folder 5": (folders("0/a.jpg", "1/b.jpg", "5/c.jpg"), "5: this folder is not named after a grade"),
}


def write(folder: Path, files: Files) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith((".csv", ".xlsx")):
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        elif path.name.startswith("._"):
            path.write_bytes(b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X")
        else:
            Image.new("RGB", (8, 8), (170, 90, 50)).save(path)
    return folder


@pytest.mark.parametrize("kind", READ)
def test_a_table_is_read(kind: str, tmp_path: Path, record_case: Record) -> None:
    files, expected = READ[kind]
    photos = read_photos(write(tmp_path / "set", files))
    assert all(photo.path.is_file() for photo in photos)
    labels = [f"{photo.path.stem} {photo.grade} {photo.eye}".strip() for photo in photos]
    read = ", ".join(labels if any(name.endswith(".csv") for name in files) else sorted(labels))
    assert read == expected
    record_case(kind, f"read: {read}")


@pytest.mark.parametrize("kind", REFUSED)
def test_a_table_is_refused_with_file_line_and_cause(kind: str, tmp_path: Path, record_case: Record) -> None:
    files, expected = REFUSED[kind]
    with pytest.raises(LabelError) as caught:
        read_photos(write(tmp_path / "set", files))
    message = str(caught.value)
    pattern = ".*".join(map(re.escape, expected.split(".*")))
    assert re.search(pattern, message, re.DOTALL), message
    first, _, rest = message.replace(f"{tmp_path}/set/", "").partition("\n")
    record_case(kind, "refused: " + (rest.partition("\n")[0] if NONE_KNOWN in first else first))


def test_turned_copies_are_in_the_group_of_their_original(tmp_path: Path, record_case: Record) -> None:
    copies = ("0/a.jpg", "0/a_rot90.jpg", "0/a-hflip.png", "0/a_aug_3.jpg", "0/b_rot90.jpg", "1/b.jpg")
    photos = read_photos(write(tmp_path / "set", folders(*copies)))
    groups = {photo.path.relative_to(tmp_path / "set").as_posix(): photo.group for photo in photos}
    assert {groups[name] for name in copies[:4]} == {"set:file:0/a.jpg"}
    assert groups["0/b_rot90.jpg"] != groups["1/b.jpg"]  # not beside it
    record_case("copies a_rot90, a-hflip, a_aug_3", "in the group of a")


def test_patient_12_and_12_0_are_one_and_012_is_another(tmp_path: Path) -> None:
    text = "file,grade,patient\nimages/a.jpg,0,12\nimages/b.jpg,0,12.0\nimages/c.jpg,0,012\n"
    first, second, third = (photo.group for photo in read_photos(write(tmp_path / "set", own(text))))
    assert first == second
    assert third != first  # leading zeros count


def test_other_sheets_of_a_spreadsheet_are_not_dropped_in_silence(tmp_path: Path) -> None:
    columns = ["ID", "Left-Fundus", "Right-Fundus", "Left-Diagnostic Keywords", "Right-Diagnostic Keywords"]
    book = openpyxl.Workbook()
    for sheet in (book.worksheets[0], book.create_sheet("2020")):
        sheet.append(columns)
        sheet.append([5, "5_left.jpg", "5_right.jpg", "normal fundus", "normal fundus"])
    book.save(write(tmp_path / "set", folders("5_left.jpg", "5_right.jpg")) / "odir.xlsx")
    with pytest.raises(LabelError, match=r"odir\.xlsx: the sheet '2020' has such a table too"):
        read_photos(tmp_path / "set")


def test_what_is_not_used_is_named(tmp_path: Path) -> None:
    files = table("id_code,diagnosis\n0a1b,0\nlost,1\n", [*APTOS, "train_images/._0a1b.png", "train_images/x.bmp"])
    write(tmp_path / "set", files)
    write(tmp_path / "unknown", {"pictures/1.jpg": ""})
    text = describe_sources([tmp_path / "set"], others_in=tmp_path)
    assert "eyes: 0 right, 0 left, 2 not known" in text
    assert "set (APTOS 2019): 2 labels. grade 0: 1, grade 1: 1" in text
    assert "1 labels without a file: train_images/lost.png" in text
    assert (
        "3 photographs without a label, not used: train_images/000417.png, train_images/1e5.png, train_images/x.bmp"
        in text
    )
    assert "1 resource files of macOS, no photographs: train_images/._0a1b.png" in text
    assert "1 folders not read (name them with --sources): unknown" in text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("id_code;diagnosis\n0a1b;0\n1e5;0\n000417;0\n", "set (APTOS 2019): 3 labels. grade 0: 3"),
        ("id_code,diagnosis\nlost,0\ngone,0\n", "None of the photographs in the tables exists, such as"),
        ("id_code,diagnosis\n0a1b,0\nTotal,1\n", "set/train.csv, line 3: 'Total' is no photograph"),
    ],
)
def test_the_command_line_shows_it(text: str, shown: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / "set", table(text))
    options = ["--sources", "set", "--cache", str(tmp_path / "cache"), "--workers", "1"]
    assert main(["prepare", "--data", str(tmp_path), *options]) == 2  # no retina in these pictures
    printed = capsys.readouterr()
    assert shown in printed.out + printed.err
