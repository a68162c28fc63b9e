"""DDR: three lists of ``name grade`` beside three folders.

A repackaged version has one table without the ungradable photographs.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from ml.data.labels import LabelledPhoto, group_of
from ml.data.readers.layout import PhotoIndex, Reader, existing
from ml.data.tables import CsvRow, LabelError, has_columns, read_table

LISTS = ("train.txt", "valid.txt", "test.txt")
TABLE = "DR_grading.csv"
UNGRADABLE = "5"
#: Site, running number, photograph. What the number counts is not documented: one group is the safe interpretation.
CAMERA_NAME = re.compile(r"(\d{3}-\d{4})-\d{3}")


def matches(folder: Path) -> bool:
    """True if the lists or the table of DDR exist, with or without the outer folder."""
    has_list = any((_root(folder) / name).is_file() for name in LISTS)
    return has_list or has_columns(folder / TABLE, "id_code", "diagnosis")


def read(folder: Path) -> list[LabelledPhoto]:
    """Read all photographs; ungradable ones (5) have no grade and the quality ``reject``."""
    # NB: the lesion masks beside this folder have the names of its photographs
    index, photos = PhotoIndex([_root(folder)]), []
    for row in _rows(folder):
        name, grade = row.text("id_code"), row.grade("diagnosis", ungradable=(UNGRADABLE,))
        path = index.find(name, missing=folder / name)
        taken = CAMERA_NAME.fullmatch(Path(name).stem)
        group = group_of(folder.name, taken.group(1) if taken else "", name)
        photos.append(LabelledPhoto(folder.name, path, grade, group, "reject" if grade is None else ""))
    return photos


def _rows(folder: Path) -> Iterator[CsvRow]:
    if (folder / TABLE).is_file():
        yield from read_table(folder / TABLE, columns=("id_code", "diagnosis"))
        return
    for path in (_root(folder) / name for name in LISTS):
        if not path.is_file():
            continue
        for line, text in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if text.strip():
                name, _, grade = text.strip().rpartition(" ")
                if not name:
                    raise LabelError(f"{path}, line {line}: {text.strip()!r} is not a name and a grade.")
                yield CsvRow(path, line, {"id_code": name.strip(), "diagnosis": grade})


def _root(folder: Path) -> Path:
    return existing(folder, "DR_grading") or folder


READER = Reader("DDR", "DR_grading/train.txt, valid.txt, test.txt and folders of these names", matches, read)
