"""Each public layout, as a tiny made-up copy, gives photographs with grade, group and what else is known of them."""

from pathlib import Path

import pytest

from ml.data.labels import LabelledPhoto, read_labels
from ml.data.readers import READERS, read_photos, reader_of
from ml.data.readers.odir5k import grade_of, keywords
from ml.data.tables import LabelError
from tests.ml.data.layouts import LAYOUTS, deepdrid, eyepacs, grade_folders, messidor, photo, table


def read(tmp_path: Path, name: str) -> list[LabelledPhoto]:
    LAYOUTS[name](tmp_path / "set")
    return read_photos(tmp_path / "set")


def test_every_reader_is_tested_here() -> None:
    assert list(LAYOUTS) == [reader.name for reader in READERS]


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_layout_is_recognised_and_all_its_photographs_are_found(name: str, tmp_path: Path) -> None:
    photos = read(tmp_path, name)
    reader = reader_of(tmp_path / "set")
    assert reader is not None
    assert reader.name == name
    assert all(p.path.is_file() for p in photos)
    assert len({p.path for p in photos}) == len(photos)
    assert {p.source for p in photos} == {"set"}


@pytest.mark.parametrize(
    ("name", "grades"),
    [
        ("labels.csv", [2, 0]),
        ("APTOS 2019", [2, 4]),
        ("EyePACS", [0, 3, 1]),
        ("IDRiD", [3, 4]),
        ("Messidor-2", [0, 2, None]),
        ("DDR", [0, 3, None, 4]),
        ("DeepDRiD", [3, 4, 1, 2, 0]),
        ("ODIR-5K", [0, 2, 0, None]),
        ("a folder per grade", [2, 0, 4]),
    ],
)
def test_grades_are_read_in_the_order_of_the_tables(name: str, grades: list[int | None], tmp_path: Path) -> None:
    assert [p.grade for p in read(tmp_path, name)] == grades


@pytest.mark.parametrize(
    ("name", "groups"),
    [
        ("labels.csv", [0, 0]),
        ("APTOS 2019", [0, 1]),
        ("EyePACS", [0, 0, 1]),
        ("IDRiD", [0, 1]),
        ("Messidor-2", [0, 0, 1]),
        ("DDR", [0, 0, 1, 2]),
        ("DeepDRiD", [0, 0, 1, 2, 2]),
        ("ODIR-5K", [0, 0, 1, 1]),
        ("a folder per grade", [0, 1, 2]),
    ],
)
def test_photographs_of_one_person_share_a_group(name: str, groups: list[int], tmp_path: Path) -> None:
    names = [p.group for p in read(tmp_path, name)]
    assert [list(dict.fromkeys(names)).index(n) for n in names] == groups


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
def test_eye_and_quality_are_read_where_known(name: str, eyes: list[str], qualities: list[str], tmp_path: Path) -> None:
    photos = read(tmp_path, name)
    assert [p.eye for p in photos] == eyes
    assert [p.quality for p in photos] == qualities


@pytest.mark.parametrize(("name", "other"), [("labels.csv", [True, False]), ("ODIR-5K", [True, False, False, False])])
def test_sex_age_and_other_disease_are_read_where_known(name: str, other: list[bool], tmp_path: Path) -> None:
    photos = read(tmp_path, name)
    assert [p.other_disease for p in photos] == other
    assert photos[0].sex == "female"
    assert photos[0].age_years in {61, 69}


def test_eyepacs_shares_its_people_with_our_own_extracts_of_it(tmp_path: Path) -> None:
    table(tmp_path / "eyeq" / "labels.csv", "file,quality,eye,patient", "x.jpg,good,left,10")
    assert read_labels(tmp_path / "eyeq")[0].group == read(tmp_path, "EyePACS")[0].group


def test_a_table_of_qualities_alone_gives_photographs_without_a_grade(tmp_path: Path) -> None:
    table(tmp_path / "eyeq" / "labels.csv", "file,quality", "x.jpg,usable")
    assert [(p.grade, p.quality) for p in read_photos(tmp_path / "eyeq")] == [(None, "usable")]


@pytest.mark.parametrize(
    ("words", "grade"),
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
def test_keywords_give_the_highest_grade_or_none_where_they_allow_none(words: str, grade: int | None) -> None:
    assert grade_of(keywords(words)) == grade


@pytest.mark.real_data
def test_the_rule_for_keywords_gives_the_grades_that_came_with_odir(data_dir: Path) -> None:
    from ml.data.tables import read_table

    rows = list(read_table(data_dir / "odir5k" / "labels.csv", columns=("grade", "keywords")))
    wrong = [r.values["keywords"] for r in rows if grade_of(keywords(r.text("keywords"))) != r.grade("grade")]
    assert len(rows) > 2000
    assert wrong == []


@pytest.mark.parametrize(
    ("name", "file", "old", "new", "message"),
    [
        ("APTOS 2019", "train.csv", "001639a390f0,4", "001639a390f0,7", r"train\.csv, line 3: grade '7'"),
        ("EyePACS", "trainLabels.csv", "13_left", "13", r"trainLabels\.csv, line 4: '13' does not say person"),
        ("DDR", "DR_grading/test.txt", "007-1723-000.jpg 4", "007-1723-000.jpg", r"test\.txt, line 1: .* not a name"),
        ("Messidor-2", "messidor_data.csv", "PP.png,2.0", "PP.png,", r"messidor_data\.csv, line 3: grade ''"),
        ("labels.csv", "labels.csv", ",61,", ",old,", r"labels\.csv, line 2: age 'old'"),
        ("labels.csv", "labels.csv", "good", "fine", r"labels\.csv, line 2: quality 'fine'"),
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


def test_an_eye_graded_on_both_sides_or_none_is_named(tmp_path: Path) -> None:
    deepdrid(tmp_path / "set")
    path = tmp_path / "set" / "regular_fundus_images" / "regular-fundus-training" / "regular-fundus-training.csv"
    path.write_text(path.read_text().replace(",0,3,,4", ",0,3,3,4"))
    with pytest.raises(LabelError, match="line 2: not exactly one"):
        read_photos(tmp_path / "set")


def test_messidor_without_its_pairs_is_refused(tmp_path: Path) -> None:
    messidor(tmp_path / "set")
    (tmp_path / "set" / "messidor-2.csv").unlink()
    with pytest.raises(LabelError, match="pairs the eyes"):
        read_photos(tmp_path / "set")


def test_a_folder_that_is_no_grade_is_named(tmp_path: Path) -> None:
    grade_folders(tmp_path / "set")
    photo(tmp_path / "set" / "train" / "unsure" / "1.png")
    with pytest.raises(LabelError, match="unsure"):
        read_photos(tmp_path / "set")


def test_an_unknown_layout_is_told_the_known_ones(tmp_path: Path) -> None:
    photo(tmp_path / "holiday" / "1.jpg")
    with pytest.raises(LabelError, match=r"(?s)none of the layouts.*APTOS 2019.*a folder per grade"):
        read_photos(tmp_path / "holiday")


def test_a_photograph_that_is_missing_keeps_its_label(tmp_path: Path) -> None:
    eyepacs(tmp_path / "set")
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
    deepdrid(tmp_path / "set")
    path = tmp_path / "set" / "regular_fundus_images" / "Online-Challenge1&2-Evaluation" / "Challenge1_labels.xlsx"
    path.write_bytes(b"no spreadsheet")
    with pytest.raises(LabelError, match="Challenge1_labels"):
        read_photos(tmp_path / "set")
