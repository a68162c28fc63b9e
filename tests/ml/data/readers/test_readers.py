"""Photographs of each public layout have grade, group and the other known labels."""

from pathlib import Path

import pytest

from ml.data.readers import READERS, read_photos, reader_of
from ml.data.readers.odir5k import grade_of, keywords
from ml.data.tables import LabelError, read_table
from tests.ml.data.layouts import EVALUATION, LAYOUTS, REGULAR, write


def test_every_reader_is_tested_here() -> None:
    assert list(LAYOUTS) == [reader.name for reader in READERS]


@pytest.mark.parametrize(
    ("name", "grades", "groups", "eyes", "qualities"),
    [
        ("labels.csv", [2, 0, 4, 1], [0, 0, 1, 2], "left right - -", "good - - -"),
        ("APTOS 2019", [2, 4], [0, 1], "- -", "- -"),
        ("EyePACS", [0, 3, 1], [0, 0, 1], "left right left", "- - -"),
        ("IDRiD", [3, 4], [0, 1], "- -", "- -"),
        ("Messidor-2", [0, 2, None], [0, 0, 1], "right left -", "- - reject"),
        ("DDR", [0, 3, None, 4], [0, 0, 1, 2], "- - - -", "- - reject -"),
        ("DeepDRiD", [3, 4, 1, 2, 0], [0, 0, 1, 2, 2], "left right left left right", "reject good good good reject"),
        ("ODIR-5K", [0, 2, 0, None], [0, 0, 1, 1], "left right left right", "- - - reject"),
        ("a folder per grade", [2, 0, 4], [0, 1, 2], "- - -", "- - -"),
    ],
)
def test_a_layout_is_matched_and_its_photographs_are_read_in_order(
    name: str, grades: list[int | None], groups: list[int], eyes: str, qualities: str, tmp_path: Path
) -> None:
    """Photographs of one patient share a group, numbered here from 0."""
    photos = read_photos(write(tmp_path / "set", LAYOUTS[name]))
    reader = reader_of(tmp_path / "set")
    assert reader is not None
    assert reader.name == name
    assert [p.grade for p in photos] == grades
    names = [p.group for p in photos]
    assert [list(dict.fromkeys(names)).index(n) for n in names] == groups
    assert " ".join(p.eye or "-" for p in photos) == eyes
    assert " ".join(p.quality or "-" for p in photos) == qualities
    assert all(p.path.is_file() for p in photos)
    assert len({p.path for p in photos}) == len(photos)
    assert {p.source for p in photos} == {"set"}


@pytest.mark.parametrize(
    ("name", "age_years", "other"),
    [("labels.csv", 61, [True, False, None, None]), ("ODIR-5K", 69, [True, False, False, False])],
)
def test_sex_age_and_other_disease_are_read_if_known(
    name: str, age_years: int, other: list[bool | None], tmp_path: Path
) -> None:
    photos = read_photos(write(tmp_path, LAYOUTS[name]))
    assert [p.other_disease for p in photos] == other
    assert (photos[0].sex, photos[0].age_years) == ("female", age_years)


def test_extracts_of_one_source_share_their_patients(tmp_path: Path) -> None:
    tables = {
        "eyeq": "file,quality,eye,patient\nx.jpg,usable,left,10",
        "eyepacs_equalized": "file,grade,patient\ny.jpg,3,10",
        "odir5k": "file,grade,patient\nx.jpg,0,10",
    }
    photos = [read_photos(write(tmp_path / name, {"labels.csv": text}))[0] for name, text in tables.items()]
    eyepacs = read_photos(write(tmp_path / "set", LAYOUTS["EyePACS"]))[0]
    assert [photo.group == eyepacs.group for photo in photos] == [True, True, False]
    assert (photos[0].grade, photos[0].quality) == (None, "usable")  # a table with qualities only


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


@pytest.mark.parametrize(
    ("name", "file", "old", "new", "message"),
    [
        ("APTOS 2019", "train.csv", "001639a390f0,4", "001639a390f0,5", r"train\.csv, line 3: grade '5'"),
        ("EyePACS", "trainLabels.csv", "13_left", "13", r"trainLabels\.csv, line 4: '13' is not a patient"),
        ("DDR", "DR_grading/test.txt", "007-1723-000.jpg 4", "007-1723-000.jpg", r"test\.txt, line 1: grade ''"),
        ("Messidor-2", "messidor_data.csv", "PP.png,2.0", "PP.png,", r"messidor_data\.csv, line 3: grade ''"),
        ("DeepDRiD", f"{REGULAR}/regular-fundus-training.csv", ",0,3,,4", ",0,3,3,4", "line 2: not exactly one"),
        ("labels.csv", "labels.csv", ",61,", ",old,", r"labels\.csv, line 2: age 'old'"),
        ("labels.csv", "labels.csv", "good", "fine", r"labels\.csv, line 2: quality 'fine'"),
        ("labels.csv", "labels.csv", "b.jpg,0,", "b.jpg,moderate,", r"labels\.csv, line 3: grade 'moderate'"),
        ("labels.csv", "labels.csv", "b.jpg,0,", "b.jpg,-1,", r"labels\.csv, line 3: grade '-1'"),
    ],
)
def test_a_wrong_line_is_named_with_its_file(
    name: str, file: str, old: str, new: str, message: str, tmp_path: Path
) -> None:
    files = LAYOUTS[name]
    with pytest.raises(LabelError, match=message):
        read_photos(write(tmp_path, files | {file: files[file].replace(old, new)}))


@pytest.mark.parametrize(
    ("name", "file", "content", "message"),
    [
        ("labels.csv", "labels.csv", b"", r"labels\.csv"),
        ("labels.csv", "labels.csv", b"file,grade\na.jpg,\xff\xfe\n", r"labels\.csv"),
        ("labels.csv", "labels.csv", b"file,grade\n", "no photographs are listed"),
        ("DeepDRiD", f"{EVALUATION}/Challenge1_labels.xlsx", b"no spreadsheet", "Challenge1_labels"),
        ("Messidor-2", "messidor-2.csv", None, "pairs the eyes"),
        ("a folder per grade", "train/unsure/1.png", b"", "unsure"),
    ],
)
def test_a_damaged_or_missing_file_is_named(
    name: str, file: str, content: bytes | None, message: str, tmp_path: Path
) -> None:
    path = write(tmp_path / "set", LAYOUTS[name]) / file
    if content is None:
        path.unlink()
    else:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    with pytest.raises(LabelError, match=message):
        read_photos(tmp_path / "set")


def test_the_error_for_an_unknown_layout_lists_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match=r"(?s)none of the layouts.*APTOS 2019.*a folder per grade"):
        read_photos(write(tmp_path, {"holiday": "1.jpg"}))


def test_a_missing_photograph_keeps_its_label(tmp_path: Path) -> None:
    (write(tmp_path, LAYOUTS["EyePACS"]) / "train" / "train" / "10_right.jpeg").unlink()
    photos = read_photos(tmp_path)
    assert [p.path.exists() for p in photos] == [True, False, True]
    assert photos[1].path.name == "10_right.jpeg"


def test_labels_csv_may_have_macular_oedema_and_blank_grades(tmp_path: Path) -> None:
    text = "file,grade,dme\na.jpg,2,0\nb.jpg,,1\nc.jpg,3,2\nd.jpg,3,\n"
    photos = read_photos(write(tmp_path / "idrid", {"labels.csv": text}))
    assert [photo.grade for photo in photos] == [2, None, 3, 3]
    assert [photo.has_oedema for photo in photos] == [False, None, True, None]
    with pytest.raises(LabelError, match=r"labels\.csv, line 4: dme '2' is not one of 0, 1\."):
        read_photos(write(tmp_path / "clinic", {"labels.csv": text}))
