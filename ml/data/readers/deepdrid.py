"""DeepDRiD, regular photographs: two of each eye, graded by eye and judged for quality.

The ultra-widefield photographs of the same publication are left out: no screening camera takes them.
"""

from collections.abc import Iterator
from pathlib import Path

from ml.data.labels import EYES, LabelledPhoto, group_of
from ml.data.readers.layout import PhotoIndex, Reader, existing
from ml.data.tables import CsvRow, read_table

PART = "regular_fundus_images"
LABELLED = ("regular-fundus-training", "regular-fundus-validation")
EVALUATION = "Online-Challenge1&2-Evaluation"
UNGRADABLE = "5"
QUALITIES = {"1": "good", "0": "reject"}
"""1: good enough for the diagnosis of retinal diseases, 0: not. Grades were given to both."""


def recognises(folder: Path) -> bool:
    """Whether a labelled part is there, with or without the outer folder."""
    return any((_part(folder) / part / f"{part}.csv").is_file() for part in LABELLED)


def read(folder: Path) -> list[LabelledPhoto]:
    """Training and validation part, and the evaluation part where its labels, published later, are there."""
    part = _part(folder)
    photos: list[LabelledPhoto] = []
    for name in LABELLED:
        if (part / name / f"{name}.csv").is_file():
            photos += _labelled(folder, part / name, part / name / f"{name}.csv")
    if (part / EVALUATION / "Challenge1_labels.xlsx").is_file():
        photos += _evaluation(folder, part / EVALUATION)
    return photos


def _labelled(folder: Path, part: Path, table: Path) -> Iterator[LabelledPhoto]:
    """NB: a few files are named after the wrong eye; the column that holds the grade is right."""
    index = PhotoIndex([part])
    for row in read_table(table, columns=("patient_id", "image_id", "left_eye_DR_Level", "right_eye_DR_Level")):
        graded = [eye for eye in ("left", "right") if row.values.get(f"{eye}_eye_DR_Level")]
        if len(graded) != 1:
            raise row.error("not exactly one of the two eyes has a grade.")
        grade = row.grade(f"{graded[0]}_eye_DR_Level", ungradable=(UNGRADABLE,))
        quality = QUALITIES.get(row.values.get("Overall quality", ""), "")
        yield _photo(folder, index, row, person=row.text("patient_id"), eye=graded[0], grade=grade, quality=quality)


def _evaluation(folder: Path, part: Path) -> Iterator[LabelledPhoto]:
    qualities = {}
    if (part / "Challenge2_labels.xlsx").is_file():
        judged = read_table(part / "Challenge2_labels.xlsx", columns=("image_id", "Overall quality"))
        qualities = {r.text("image_id"): QUALITIES.get(r.values.get("Overall quality", ""), "") for r in judged}
    index = PhotoIndex([part])
    for row in read_table(part / "Challenge1_labels.xlsx", columns=("image_id", "DR_Levels")):
        person, _, view = row.text("image_id").partition("_")
        grade = row.grade("DR_Levels", ungradable=(UNGRADABLE,))
        quality = qualities.get(row.text("image_id"), "")
        yield _photo(folder, index, row, person=person, eye=EYES.get(view[:1], ""), grade=grade, quality=quality)


def _photo(
    folder: Path, index: PhotoIndex, row: CsvRow, *, person: str, eye: str, grade: int | None, quality: str
) -> LabelledPhoto:
    name = row.text("image_id")
    path = index.find(name, missing=row.file.parent / "Images" / person / f"{name}.jpg")
    return LabelledPhoto(folder.name, path, grade, group_of(folder.name, person, name), quality, eye=eye)


def _part(folder: Path) -> Path:
    return existing(folder, PART) or folder


READER = Reader("DeepDRiD", f"{PART}/regular-fundus-training/ with its .csv and Images/", recognises, read)
