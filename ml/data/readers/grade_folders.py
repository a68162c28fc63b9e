"""A folder per grade: 0/ to 4/ or names of grades, also below train/, test/ and the like."""

import re
from collections.abc import Iterator
from pathlib import Path

from ml.data.labels import LabelledPhoto, group_of
from ml.data.readers.layout import SUFFIXES, Reader
from ml.data.tables import LabelError

NAMES = {
    **{str(grade): grade for grade in range(5)},
    **dict.fromkeys(("no_dr", "nodr", "normal", "none", "healthy"), 0),
    "mild": 1,
    "moderate": 2,
    **dict.fromkeys(("severe", "severe_npdr"), 3),
    **dict.fromkeys(("proliferative", "proliferate_dr", "proliferative_dr", "pdr"), 4),
}
SPLIT_FOLDERS = ("train", "training", "val", "valid", "validation", "test", "testing")


def find_folders(folder: Path) -> list[Path]:
    """Folders below the data set and below its splits, if at least two of them are named after grades."""
    below = [path for path in sorted(folder.iterdir()) if path.is_dir()]
    splits = [path for path in below if path.name.lower() in SPLIT_FOLDERS]
    inner = [path for split in splits for path in sorted(split.iterdir()) if path.is_dir()]
    found = [path for path in below if path not in splits] + inner
    return found if len({_grade(path) for path in found} - {None}) > 1 else []


def read(folder: Path, grade_folders: list[Path]) -> Iterator[LabelledPhoto]:
    """Read all photographs, each its own group.

    Raises LabelError for a folder of photographs beside them whose name is not a grade.
    """
    for grade_folder in grade_folders:
        grade = _grade(grade_folder)
        for path in sorted(p for p in grade_folder.rglob("*") if p.suffix.lower() in SUFFIXES):
            if grade is None:
                raise LabelError(f"{grade_folder}: this folder is not named after a grade (0 to 4, mild, no_dr ...).")
            group = group_of(folder.name, "", path.relative_to(folder).as_posix())
            yield LabelledPhoto(folder.name, path, grade, group)


def _grade(folder: Path) -> int | None:
    return NAMES.get(re.sub(r"[ -]+", "_", re.sub(r"^[0-4][ ._-]+(?=[A-Za-z])", "", folder.name)).lower())


READER = Reader("a folder per grade", "folders 0/ to 4/ (or no_dr/, mild/, ...) of photographs", find_folders, read)
