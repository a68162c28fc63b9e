"""A folder per grade: 0/ to 4/ or names of grades, also below train/, test/ and the like."""

import re
from pathlib import Path

from ml.data.labels import LabelledPhoto, group_of
from ml.data.readers.layout import SUFFIXES, Reader, relative
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


def matches(folder: Path) -> bool:
    """True if at least two folders are named after grades."""
    return len({_grade(path) for path in _folders(folder)} - {None}) > 1


def read(folder: Path) -> list[LabelledPhoto]:
    """Read all photographs, each its own group.

    Raises LabelError for a folder of photographs beside them whose name is not a grade.
    """
    photos = []
    for grade_folder in _folders(folder):
        inside = sorted(p for p in grade_folder.rglob("*") if p.suffix.lower() in SUFFIXES)
        grade = _grade(grade_folder)
        if grade is None and inside:
            raise LabelError(f"{grade_folder}: this folder is not named after a grade (0 to 4, mild, no_dr ...).")
        photos += [LabelledPhoto(folder.name, p, grade, group_of(folder.name, "", relative(p, folder))) for p in inside]
    return photos


def _folders(folder: Path) -> list[Path]:
    below = sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    outer = [path for path in below if path.name.lower() in SPLIT_FOLDERS]
    inner = [path for parent in outer for path in sorted(parent.iterdir()) if path.is_dir()]
    return [path for path in below if path not in outer] + inner


def _grade(folder: Path) -> int | None:
    return NAMES.get(re.sub(r"[ -]+", "_", re.sub(r"^[0-4][ ._-]+(?=[A-Za-z])", "", folder.name)).lower())


READER = Reader("a folder per grade", "folders 0/ to 4/ (or no_dr/, mild/, ...) of photographs", matches, read)
