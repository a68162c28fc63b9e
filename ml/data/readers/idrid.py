"""IDRiD, disease grading.

NB: the training and the testing set both number their photographs from IDRiD_001.
"""

from collections.abc import Iterator
from pathlib import Path

from ml.data.labels import LabelledPhoto
from ml.data.readers.layout import PhotoIndex, Reader, tables_at
from ml.data.tables import read_table

ROOT = "B. Disease Grading"
TABLES = "2. Groundtruths/[ab]. IDRiD_Disease Grading_*.csv"
PHOTOS = "1. Original Images"
SUBSETS = {"a": "a. Training Set", "b": "b. Testing Set"}


def read(folder: Path, tables: list[Path]) -> Iterator[LabelledPhoto]:
    """Read the photographs of both sets, if they exist."""
    for table in tables:
        photos = table.parents[1] / PHOTOS / SUBSETS[table.name[0]]
        index = PhotoIndex(folder, photos)
        for row in read_table(table, columns=("Image name", "Retinopathy grade")):
            name = row.text("Image name")
            yield index.photo(row, name, row.grade("Retinopathy grade"), missing=photos / f"{name}.jpg")


READER = Reader("IDRiD", f"{ROOT}/2. Groundtruths/*.csv and {PHOTOS}/", tables_at(f"{ROOT}/{TABLES}", TABLES), read)
