"""APTOS 2019 Blindness Detection (Kaggle): grades only, no patients."""

from pathlib import Path

from ml.data.labels import LabelledPhoto, group_of
from ml.data.readers.layout import PhotoIndex, Reader, relative
from ml.data.tables import has_columns, read_table


def matches(folder: Path) -> bool:
    """True if train.csv has the two columns of APTOS."""
    return has_columns(folder / "train.csv", "id_code", "diagnosis")


def read(folder: Path) -> list[LabelledPhoto]:
    """Read the training set; the test set was never published with grades."""
    photos, found = folder / "train_images", []
    index = PhotoIndex([photos])
    for row in read_table(folder / "train.csv", columns=("id_code", "diagnosis")):
        name = row.text("id_code")
        path = index.find(name, missing=photos / f"{name}.png")
        group = group_of(folder.name, "", relative(path, folder))
        found.append(LabelledPhoto(folder.name, path, row.grade("diagnosis"), group))
    return found


READER = Reader("APTOS 2019", "train.csv (id_code, diagnosis) and train_images/", matches, read)
