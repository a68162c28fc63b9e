"""A folder per grade: 0/ to 4/ or names of grades, also below train/, test/ and the like."""

import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from ml.data.labels import LabelledPhoto, group_of_photo
from ml.data.photo_files import list_photos
from ml.data.readers.layout import Reader
from ml.data.tables import LabelError

_DISEASE = r"( (dr|npdr|(non ?proliferative )?(diabetic )?retinopathy|non ?proliferative( dr)?))?"
NAMES = (
    (re.compile(r"no( apparent)?( diabetic)? ?(dr|retinopathy)|normal|none|healthy"), 0),
    (re.compile(f"mild{_DISEASE}"), 1),
    (re.compile(f"moderate{_DISEASE}"), 2),
    (re.compile(f"severe{_DISEASE}"), 3),
    (re.compile(r"proliferat(e|ive)( (dr|(diabetic )?retinopathy))?|pdr"), 4),
)
NUMBERED = re.compile(r"(?:(?:grade|class|category|level|stage|label|icdr) ?)?0?([0-4])(?: (.+))?|(.+) ([0-4])")
UNGRADABLE = re.compile(r"un ?grade?able|reject(ed)?|(bad|poor|low) quality")
ENGLISH_SCALE = re.compile(r"r ?[0-3][asm]?( ?m[01])?")
SPLIT_FOLDERS = ("train", "training", "val", "valid", "validation", "test", "testing")


def find_folders(folder: Path) -> list[Path]:
    """Folders below the data set and below its splits, if at least two of them are named after grades."""
    found = _folders_below(folder)
    return found if len({grade for path in found if (grade := _grade(path)) is not None}) > 1 else []


def read(folder: Path, grade_folders: list[Path]) -> Iterator[LabelledPhoto]:
    """Read all photographs, each its own group; those in a folder ``ungradable`` have no grade.

    Raises LabelError for a folder of photographs beside them whose name is not a grade.
    """
    for grade_folder in grade_folders:
        grade, is_ungradable = _grade(grade_folder), UNGRADABLE.fullmatch(_plain_name(grade_folder))
        for path in list_photos(grade_folder):
            if grade is None and not is_ungradable:
                raise LabelError(f"{grade_folder}: {reason_against(grade_folder)}")
            group = group_of_photo(folder, path)
            yield LabelledPhoto(folder.name, path, grade, group, "reject" if is_ungradable else "")


def reasons_against(folder: Path) -> list[str]:
    """Why folders of photographs are no grades; none if there are no such folders."""
    found = [path for path in _folders_below(folder) if _grade(path) is None and list_photos(path)]
    return [f"{path}: {reason_against(path)}" for path in found]


def reason_against(grade_folder: Path) -> str:
    """A sentence on a folder whose name is not a grade."""
    name = _plain_name(grade_folder)
    if ENGLISH_SCALE.fullmatch(name):
        return "this is the English scale (R0 to R3), not the grades 0 to 4. Grade the photographs again."
    if name in {"dr", "diabetic retinopathy", "yes", "positive", "diseased", "sick", "symptoms"}:
        return "yes or no is not a grade. Sort the photographs into folders 0 to 4."
    if NUMBERED.fullmatch(name):
        return "the number and the rest of the name are not the same grade. Rename the folder."
    return "this folder is not named after a grade (0 to 4, mild, no_dr ...) and not ungradable. Rename or remove it."


def _folders_below(folder: Path) -> list[Path]:
    below = [path for path in sorted(folder.iterdir()) if path.is_dir() and path.name != "__MACOSX"]
    splits = [path for path in below if _plain_name(path) in SPLIT_FOLDERS]
    inner = [path for split in splits for path in sorted(split.iterdir()) if path.is_dir()]
    return [path for path in below if path not in splits] + inner


def _plain_name(folder: Path) -> str:
    """Name of a folder in lower case with one blank between words: ``2.Moderate_DR`` becomes ``2 moderate dr``."""
    return re.sub(r"[\W_]+", " ", unicodedata.normalize("NFKC", folder.name)).strip().lower()


def _grade(folder: Path) -> int | None:
    """The grade that a name says in a number, in words, or in both; None if they differ."""
    name = _plain_name(folder)
    numbered = NUMBERED.fullmatch(name)
    digit, rest = (numbered[1] or numbered[4], numbered[2] or numbered[3]) if numbered else ("", name)
    number = int(digit) if digit else None
    named = next((grade for pattern, grade in NAMES if rest and pattern.fullmatch(rest)), None)
    if not rest:
        return number
    return named if number is None or number == named else None


READER = Reader("a folder per grade", "folders 0/ to 4/ (or no_dr/, mild/, ...) of photographs", find_folders, read)
