"""Photographs of each public layout have grade, group and the other known labels."""

from pathlib import Path

import pytest

from ml.data.labels import LabelledPhoto, read_labels
from ml.data.readers import READERS, read_photos, reader_of
from ml.data.readers.odir5k import grade_of, keywords
from ml.data.tables import LabelError, read_table
from tests.ml.data.layouts import LAYOUTS, photo, table


def read(folder: Path, name: str) -> list[LabelledPhoto]:
    LAYOUTS[name](folder)
    return read_photos(folder)


def write_labels(folder: Path, *lines: str) -> list[LabelledPhoto]:
    table(folder / "labels.csv", *lines)
    return read_labels(folder)


def test_every_reader_is_tested_here() -> None:
    assert list(LAYOUTS) == [reader.name for reader in READERS]


@pytest.mark.parametrize(
    ("name", "grades", "groups"),
    [
        ("labels.csv", [2, 0], [0, 0]),
        ("APTOS 2019", [2, 4], [0, 1]),
        ("EyePACS", [0, 3, 1], [0, 0, 1]),
        ("IDRiD", [3, 4], [0, 1]),
        ("Messidor-2", [0, 2, None], [0, 0, 1]),
        ("DDR", [0, 3, None, 4], [0, 0, 1, 2]),
        ("DeepDRiD", [3, 4, 1, 2, 0], [0, 0, 1, 2, 2]),
        ("ODIR-5K", [0, 2, 0, None], [0, 0, 1, 1]),
        ("a folder per grade", [2, 0, 4], [0, 1, 2]),
    ],
)
def test_a_layout_is_matched_and_its_photographs_are_read_in_order(
    name: str, grades: list[int | None], groups: list[int], tmp_path: Path
) -> None:
    """Photographs of one patient share a group, numbered here from 0."""
    photos = read(tmp_path / "set", name)
    reader = reader_of(tmp_path / "set")
    assert reader is not None
    assert reader.name == name
    assert [p.grade for p in photos] == grades
    names = [p.group for p in photos]
    assert [list(dict.fromkeys(names)).index(n) for n in names] == groups
    assert all(p.path.is_file() for p in photos)
    assert len({p.path for p in photos}) == len(photos)
    assert {p.source for p in photos} == {"set"}


@pytest.mark.parametrize(
    ("name", "eyes", "qualities"),
    [
        ("labels.csv", ["left", "right"], ["good", ""]),
        ("EyePACS", ["left", "right", "left"], ["", "", ""]),
        ("Messidor-2", ["right", "left", ""], ["", "", "reject"]),
        ("DDR", ["", "", "", ""], ["", "", "reject", ""]),
        ("DeepDRiD", ["left", "right", "left", "left", "right"], ["reject", "good", "good", "good", "reject"]),
        ("ODIR-5K", ["left", "right", "left", "right"], ["", "", "", "reject"]),
    ],
)
def test_eye_and_quality_are_read_if_known(name: str, eyes: list[str], qualities: list[str], tmp_path: Path) -> None:
    photos = read(tmp_path / "set", name)
    assert [p.eye for p in photos] == eyes
    assert [p.quality for p in photos] == qualities


@pytest.mark.parametrize(
    ("name", "age_years", "other"),
    [("labels.csv", 61, [True, False]), ("ODIR-5K", 69, [True, False, False, False])],
)
def test_sex_age_and_other_disease_are_read_if_known(
    name: str, age_years: int, other: list[bool], tmp_path: Path
) -> None:
    photos = read(tmp_path / "set", name)
    assert [p.other_disease for p in photos] == other
    assert (photos[0].sex, photos[0].age_years) == ("female", age_years)


def test_extracts_of_one_source_share_their_patients(tmp_path: Path) -> None:
    (eyeq,) = write_labels(tmp_path / "eyeq", "file,quality,eye,patient", "x.jpg,good,left,10")
    (equalized,) = write_labels(tmp_path / "eyepacs_equalized", "file,grade,patient", "y.jpg,3,10")
    (other,) = write_labels(tmp_path / "odir5k", "file,grade,patient", "x.jpg,0,10")
    assert eyeq.group == equalized.group == read(tmp_path / "set", "EyePACS")[0].group != other.group


def test_a_table_with_qualities_only_gives_photographs_without_a_grade(tmp_path: Path) -> None:
    table(tmp_path / "eyeq" / "labels.csv", "file,quality", "x.jpg,usable")
    assert [(p.grade, p.quality) for p in read_photos(tmp_path / "eyeq")] == [(None, "usable")]


@pytest.mark.parametrize(
    ("text", "grade"),
    [
        ("normal fundus，lens dust", 0),
        ("severe nonproliferative retinopathy，hypertensive retinopathy", 3),
        ("epiretinal membrane; laser spot; severe proliferative diabetic retinopathy", 4),
        ("mild nonproliferative retinopathy, suspected moderate non proliferative retinopathy", 2),
        ("hypertensive retinopathy", 0),
        ("diabetic retinopathy", None),
        ("suspected diabetic retinopathy，drusen", None),
        ("laser spot", None),
        ("anterior segment image", None),
        ("image offset，mild nonproliferative retinopathy", None),
    ],
)
def test_keywords_give_the_highest_grade_or_none(text: str, grade: int | None) -> None:
    assert grade_of(keywords(text)) == grade


@pytest.mark.real_data
def test_keywords_give_the_grades_published_with_odir(data_dir: Path) -> None:
    rows = list(read_table(data_dir / "odir5k" / "labels.csv", columns=("grade", "keywords")))
    wrong = [r.values["keywords"] for r in rows if grade_of(keywords(r.text("keywords"))) != r.grade("grade")]
    assert len(rows) > 2000
    assert wrong == []


DEEPDRID = "regular_fundus_images/regular-fundus-training/regular-fundus-training.csv"


@pytest.mark.parametrize(
    ("name", "file", "old", "new", "message"),
    [
        ("APTOS 2019", "train.csv", "001639a390f0,4", "001639a390f0,7", r"train\.csv, line 3: grade '7'"),
        ("EyePACS", "trainLabels.csv", "13_left", "13", r"trainLabels\.csv, line 4: '13' is not a patient"),
        ("DDR", "DR_grading/test.txt", "007-1723-000.jpg 4", "007-1723-000.jpg", r"test\.txt, line 1: .* not a name"),
        ("Messidor-2", "messidor_data.csv", "PP.png,2.0", "PP.png,", r"messidor_data\.csv, line 3: grade ''"),
        ("DeepDRiD", DEEPDRID, ",0,3,,4", ",0,3,3,4", r"training\.csv, line 2: not exactly one"),
        ("labels.csv", "labels.csv", ",61,", ",old,", r"labels\.csv, line 2: age 'old'"),
        ("labels.csv", "labels.csv", "good", "fine", r"labels\.csv, line 2: quality 'fine'"),
        ("labels.csv", "labels.csv", "b.jpg,0,", "b.jpg,moderate,", r"labels\.csv, line 3: grade 'moderate'"),
        ("labels.csv", "labels.csv", "b.jpg,0,", "b.jpg,-1,", r"labels\.csv, line 3: grade '-1'"),
    ],
)
def test_a_wrong_line_is_named_with_its_file(
    name: str, file: str, old: str, new: str, message: str, tmp_path: Path
) -> None:
    LAYOUTS[name](tmp_path / "set")
    path = tmp_path / "set" / file
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(LabelError, match=message):
        read_photos(tmp_path / "set")


def test_messidor_without_its_pairs_is_refused(tmp_path: Path) -> None:
    LAYOUTS["Messidor-2"](tmp_path / "set")
    (tmp_path / "set" / "messidor-2.csv").unlink()
    with pytest.raises(LabelError, match="pairs the eyes"):
        read_photos(tmp_path / "set")


def test_a_folder_that_is_no_grade_is_named(tmp_path: Path) -> None:
    LAYOUTS["a folder per grade"](tmp_path / "set")
    photo(tmp_path / "set" / "train" / "unsure" / "1.png")
    with pytest.raises(LabelError, match="unsure"):
        read_photos(tmp_path / "set")


def test_the_error_for_an_unknown_layout_lists_the_known_ones(tmp_path: Path) -> None:
    photo(tmp_path / "holiday" / "1.jpg")
    with pytest.raises(LabelError, match=r"(?s)none of the layouts.*APTOS 2019.*a folder per grade"):
        read_photos(tmp_path / "holiday")


def test_a_missing_photograph_keeps_its_label(tmp_path: Path) -> None:
    LAYOUTS["EyePACS"](tmp_path / "set")
    (tmp_path / "set" / "train" / "train" / "10_right.jpeg").unlink()
    photos = read_photos(tmp_path / "set")
    assert [p.path.exists() for p in photos] == [True, False, True]
    assert photos[1].path.name == "10_right.jpeg"


@pytest.mark.parametrize("content", [b"", b"file,grade\na.jpg,\xff\xfe\n", b"file,grade\n"])
def test_a_table_that_is_empty_or_no_text_is_named(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_bytes(content)
    with pytest.raises(LabelError, match=str(tmp_path.name)):
        read_photos(tmp_path)


def test_a_damaged_spreadsheet_is_named(tmp_path: Path) -> None:
    LAYOUTS["DeepDRiD"](tmp_path / "set")
    path = tmp_path / "set" / "regular_fundus_images" / "Online-Challenge1&2-Evaluation" / "Challenge1_labels.xlsx"
    path.write_bytes(b"no spreadsheet")
    with pytest.raises(LabelError, match="Challenge1_labels"):
        read_photos(tmp_path / "set")
