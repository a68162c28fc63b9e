"""DeepDRiD, regular photographs: two of each eye, with grades and quality labels.

The ultra-widefield photographs of the same publication are left out: screening cameras do not take them.
"""

from collections.abc import Iterator
from pathlib import Path

from ml.data.labels import EYES, LabelledPhoto
from ml.data.readers.layout import PhotoIndex, Reader, tables_at
from ml.data.tables import CsvRow, read_table

ROOT = "regular_fundus_images"
#: Training and validation set, and the evaluation set if its labels exist.
TABLES = ("regular-fundus-*/regular-fundus-*.csv", "Online-Challenge1&2-Evaluation/Challenge1_labels.xlsx")
#: 1: good enough for the diagnosis of retinal diseases, 0: not. Both have grades.
QUALITIES = {True: "good", False: "reject", None: ""}


def read(folder: Path, tables: list[Path]) -> Iterator[LabelledPhoto]:
    """Read all sets."""
    for table in tables:
        index = PhotoIndex(folder, table.parent)
        for row, patient, eye, column, quality in _evaluation(table) if table.suffix == ".xlsx" else _labelled(table):
            yield index.photo(
                row,
                name := row.text("image_id"),
                row.grade(column, ungradable=("5",)),
                missing=table.parent / "Images" / patient / f"{name}.jpg",
                patient=patient,
                quality=quality,
                eye=eye,
            )


def _labelled(table: Path) -> Iterator[tuple[CsvRow, str, str, str, str]]:
    """Row, patient, eye, column of the grade, and quality.

    NB: a few files are named after the wrong eye; the column that holds the grade is right.
    """
    for row in read_table(table, columns=("patient_id", "image_id", "left_eye_DR_Level", "right_eye_DR_Level")):
        graded = [eye for eye in ("left", "right") if row.get(f"{eye}_eye_DR_Level")]
        if len(graded) != 1:
            raise row.error("not exactly one of the two eyes has a grade.")
        quality = QUALITIES[row.flag("Overall quality")]
        yield row, row.text("patient_id"), graded[0], f"{graded[0]}_eye_DR_Level", quality


def _evaluation(table: Path) -> Iterator[tuple[CsvRow, str, str, str, str]]:
    """The same for the evaluation set, whose qualities are in another table."""
    qualities, other = {}, table.with_name("Challenge2_labels.xlsx")
    if other.is_file():
        rows = read_table(other, columns=("image_id", "Overall quality"))
        qualities = {row.text("image_id"): QUALITIES[row.flag("Overall quality")] for row in rows}
    for row in read_table(table, columns=("image_id", "DR_Levels")):
        name = row.text("image_id")
        patient, _, view = name.partition("_")
        eye = EYES.get(view[:1].lower(), "")
        if not patient or not eye:
            raise row.error(f"{name!r} is not a patient and an eye, as in 347_l1.")
        yield row, patient, eye, "DR_Levels", qualities.get(name, "")


READER = Reader(
    "DeepDRiD",
    f"{ROOT}/regular-fundus-training/ with its .csv and Images/",
    tables_at(*(f"{root}{table}" for root in ("", f"{ROOT}/") for table in TABLES)),
    read,
)
