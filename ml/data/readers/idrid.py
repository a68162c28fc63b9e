"""IDRiD, part B (disease grading): the training and the testing set both count their photographs from IDRiD_001."""

from pathlib import Path

from ml.data.labels import LabelledPhoto, group_of
from ml.data.readers.layout import PhotoIndex, Reader, existing, relative
from ml.data.tables import read_table

PART = "B. Disease Grading"
TABLES = "2. Groundtruths"
PHOTOS = "1. Original Images"
SETS = (
    ("a. IDRiD_Disease Grading_Training Labels.csv", "a. Training Set"),
    ("b. IDRiD_Disease Grading_Testing Labels.csv", "b. Testing Set"),
)


def recognises(folder: Path) -> bool:
    """Whether one of the two tables is where IDRiD has it, with or without the outer folder."""
    return any((_part(folder) / TABLES / table).is_file() for table, _ in SETS)


def read(folder: Path) -> list[LabelledPhoto]:
    """The photographs of both sets, as far as they are there."""
    part, photos = _part(folder), []
    for table, subset in SETS:
        if not (part / TABLES / table).is_file():
            continue
        index = PhotoIndex([part / PHOTOS / subset])
        for row in read_table(part / TABLES / table, columns=("Image name", "Retinopathy grade")):
            name = row.text("Image name")
            path = index.find(name, missing=part / PHOTOS / subset / f"{name}.jpg")
            group = group_of(folder.name, "", relative(path, folder))
            photos.append(LabelledPhoto(folder.name, path, row.grade("Retinopathy grade"), group))
    return photos


def _part(folder: Path) -> Path:
    return existing(folder, PART) or folder


READER = Reader("IDRiD", f"{PART}/{TABLES}/*.csv and {PHOTOS}/", recognises, read)
