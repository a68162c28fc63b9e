"""APTOS 2019 Blindness Detection (Kaggle): grades only, no patients."""

from collections.abc import Iterator
from pathlib import Path

from ml.data.labels import LabelledPhoto
from ml.data.readers.layout import PhotoIndex, Reader, tables_at
from ml.data.tables import read_table

PHOTOS = "train_images"
COLUMNS = ("id_code", "diagnosis")


def read(folder: Path, tables: list[Path]) -> Iterator[LabelledPhoto]:
    """Read the training set; the test set was never published with grades."""
    index = PhotoIndex(folder, folder / PHOTOS)
    for row in read_table(tables[0], columns=COLUMNS):
        name = row.text("id_code")
        yield index.photo(row, name, row.grade("diagnosis"), missing=folder / PHOTOS / f"{name}.png")


READER = Reader(
    "APTOS 2019", f"train.csv (id_code, diagnosis) and {PHOTOS}/", tables_at("train.csv", columns=COLUMNS), read
)
