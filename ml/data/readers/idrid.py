"""IDRiD, disease grading.

NB: the training and the testing set both number their photographs from IDRiD_001.
"""

from pathlib import Path

from ml.data.labels import LabelledPhoto, group_of
from ml.data.readers.layout import PhotoIndex, Reader, existing, relative
from ml.data.tables import read_table

ROOT = "B. Disease Grading"
TABLES = "2. Groundtruths"
PHOTOS = "1. Original Images"
SETS = (
    ("a. IDRiD_Disease Grading_Training Labels.csv", "a. Training Set"),
    ("b. IDRiD_Disease Grading_Testing Labels.csv", "b. Testing Set"),
)


def matches(folder: Path) -> bool:
    """True if one of the two tables exists, with or without the outer folder."""
    return any((_root(folder) / TABLES / table).is_file() for table, _ in SETS)


def read(folder: Path) -> list[LabelledPhoto]:
    """Read the photographs of both sets, if they exist."""
    root, photos = _root(folder), []
    for table, subset in SETS:
        if not (root / TABLES / table).is_file():
            continue
        index = PhotoIndex([root / PHOTOS / subset])
        for row in read_table(root / TABLES / table, columns=("Image name", "Retinopathy grade")):
            name = row.text("Image name")
            path = index.find(name, missing=root / PHOTOS / subset / f"{name}.jpg")
            group = group_of(folder.name, "", relative(path, folder))
            photos.append(LabelledPhoto(folder.name, path, row.grade("Retinopathy grade"), group))
    return photos


def _root(folder: Path) -> Path:
    return existing(folder, ROOT) or folder


READER = Reader("IDRiD", f"{ROOT}/{TABLES}/*.csv and {PHOTOS}/", matches, read)
