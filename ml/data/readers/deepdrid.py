"""DeepDRiD, regular photographs: two of each eye, with grades and quality labels.

The ultra-widefield photographs of the same publication are left out: screening cameras do not take them.
"""

from collections.abc import Iterator
from pathlib import Path

from ml.data.labels import EYES, LabelledPhoto, group_of
from ml.data.readers.layout import PhotoIndex, Reader, existing
from ml.data.tables import CsvRow, read_table

ROOT = "regular_fundus_images"
LABELLED = ("regular-fundus-training", "regular-fundus-validation")
EVALUATION = "Online-Challenge1&2-Evaluation"
UNGRADABLE = "5"
#: 1: good enough for the diagnosis of retinal diseases, 0: not. Both have grades.
QUALITIES = {"1": "good", "0": "reject"}


def matches(folder: Path) -> bool:
    """True if a labelled set exists, with or without the outer folder."""
    return any((_root(folder) / name / f"{name}.csv").is_file() for name in LABELLED)


def read(folder: Path) -> list[LabelledPhoto]:
    """Read training and validation set, and the evaluation set if its labels exist."""
    root = _root(folder)
    photos: list[LabelledPhoto] = []
    for name in LABELLED:
        if (root / name / f"{name}.csv").is_file():
            photos += _labelled(folder, root / name, root / name / f"{name}.csv")
    if (root / EVALUATION / "Challenge1_labels.xlsx").is_file():
        photos += _evaluation(folder, root / EVALUATION)
    return photos


def _labelled(folder: Path, photos: Path, table: Path) -> Iterator[LabelledPhoto]:
    """NB: a few files are named after the wrong eye; the column that holds the grade is right."""
    index = PhotoIndex([photos])
    for row in read_table(table, columns=("patient_id", "image_id", "left_eye_DR_Level", "right_eye_DR_Level")):
        graded = [eye for eye in ("left", "right") if row.values.get(f"{eye}_eye_DR_Level")]
        if len(graded) != 1:
            raise row.error("not exactly one of the two eyes has a grade.")
        grade = row.grade(f"{graded[0]}_eye_DR_Level", ungradable=(UNGRADABLE,))
        quality = QUALITIES.get(row.values.get("Overall quality", ""), "")
        yield _photo(folder, index, row, patient=row.text("patient_id"), eye=graded[0], grade=grade, quality=quality)


def _evaluation(folder: Path, root: Path) -> Iterator[LabelledPhoto]:
    qualities = {}
    if (root / "Challenge2_labels.xlsx").is_file():
        rows = read_table(root / "Challenge2_labels.xlsx", columns=("image_id", "Overall quality"))
        qualities = {r.text("image_id"): QUALITIES.get(r.values.get("Overall quality", ""), "") for r in rows}
    index = PhotoIndex([root])
    for row in read_table(root / "Challenge1_labels.xlsx", columns=("image_id", "DR_Levels")):
        patient, _, view = row.text("image_id").partition("_")
        grade = row.grade("DR_Levels", ungradable=(UNGRADABLE,))
        quality = qualities.get(row.text("image_id"), "")
        yield _photo(folder, index, row, patient=patient, eye=EYES.get(view[:1], ""), grade=grade, quality=quality)


def _photo(
    folder: Path, index: PhotoIndex, row: CsvRow, *, patient: str, eye: str, grade: int | None, quality: str
) -> LabelledPhoto:
    name = row.text("image_id")
    path = index.find(name, missing=row.file.parent / "Images" / patient / f"{name}.jpg")
    return LabelledPhoto(folder.name, path, grade, group_of(folder.name, patient, name), quality, eye=eye)


def _root(folder: Path) -> Path:
    return existing(folder, ROOT) or folder


READER = Reader("DeepDRiD", f"{ROOT}/regular-fundus-training/ with its .csv and Images/", matches, read)
