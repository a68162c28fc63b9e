"""DDR: three lists of ``name grade`` beside three folders.

A repackaged version has one table without the ungradable photographs.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from ml.data.labels import LabelledPhoto
from ml.data.photo_files import stem_of
from ml.data.readers.layout import PhotoIndex, Reader, tables_at
from ml.data.tables import read_table

ROOT = "DR_grading"
LISTS = ("train.txt", "valid.txt", "test.txt")
COLUMNS = ("id_code", "diagnosis")
UNGRADABLE = "5"
#: Site, running number, photograph. What the number counts is not documented: one group is the safe interpretation.
CAMERA_NAME = re.compile(r"(\d{3}-\d{4})-\d{3}")


def find_tables(folder: Path) -> list[Path]:
    """The table, else the lists, with or without the outer folder."""
    lists = tables_at(*(f"{ROOT}/{name}" for name in LISTS))(folder) or tables_at(*LISTS)(folder)
    return tables_at(f"{ROOT}.csv", columns=COLUMNS)(folder) or lists


def read(folder: Path, tables: list[Path]) -> Iterator[LabelledPhoto]:
    """Read all photographs; ungradable ones (5) have no grade and the quality ``reject``."""
    # NB: the lesion masks beside this folder have the names of its photographs
    index = PhotoIndex(folder, folder / ROOT if (folder / ROOT).is_dir() else folder)
    for table in tables:
        rows = read_table(table, columns=COLUMNS)
        if table.suffix == ".txt":
            rows = read_table(table, columns=COLUMNS, header=COLUMNS)
        for row in rows:
            name, grade = row.text("id_code"), row.grade("diagnosis", ungradable=(UNGRADABLE,))
            camera = CAMERA_NAME.fullmatch(stem_of(name))
            patient, quality = camera.group(1) if camera else "", "reject" if grade is None else ""
            yield index.photo(row, name, grade, missing=folder / name, patient=patient, quality=quality)


READER = Reader("DDR", f"{ROOT}/train.txt, valid.txt, test.txt and folders of these names", find_tables, read)
