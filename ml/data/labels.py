"""Labels of one photograph, and the project's layout of them, ``labels.csv``."""

from dataclasses import dataclass
from pathlib import Path

from ml.data.tables import CsvRow, has_columns, read_table
from ml.eye_words import EYE_WORDS, laterality_in_words
from ml.vocabulary import Laterality


@dataclass(frozen=True, slots=True)
class LabelledPhoto:
    """One photograph with its labels.

    Photographs of one ``group`` must stay in one split. ``grade`` is None if it has none; such photographs may be used
    for quality, not for grading. The rest is for metrics by subgroup, empty or None if unknown: ``quality`` good,
    usable or reject; ``eye`` left or right; ``sex`` female or male; ``age_years``; ``other_disease``.
    """

    source: str
    path: Path
    grade: int | None
    group: str
    quality: str = ""
    eye: str = ""
    sex: str = ""
    age_years: int | None = None
    other_disease: bool | None = None


EYE_SIDES = {Laterality.RIGHT: "right", Laterality.LEFT: "left"}
EYES = {word: side for eye, side in EYE_SIDES.items() for word in EYE_WORDS[eye]}
SEXES = {"female": "female", "male": "male", "f": "female", "m": "male"}
QUALITIES = ("", "good", "usable", "reject")

#: Training sources of the released models. NB: the cache and the splits depend on their order.
DEFAULT_SOURCES = ("aptos2019", "eyepacs", "odir5k", "eyepacs_equalized")
#: Sources with photographs of the same patients under the same numbers.
SOURCE_GROUP = {"eyepacs_equalized": "eyepacs", "eyeq": "eyepacs"}
#: Histogram-equalised photographs, whose colours come from no camera: used to train, not to calibrate or evaluate.
EQUALIZED_SOURCE = "eyepacs_equalized"


def group_of(source: str, patient: str, file: str) -> str:
    """Name of the group: the patient if known, else the file (relative to its data set)."""
    return f"{SOURCE_GROUP.get(source, source)}:{patient or f'file:{file}'}"


def find_tables(folder: Path) -> list[Path]:
    """The ``labels.csv`` of a folder, if it has grades or qualities."""
    table = folder / "labels.csv"
    return [table] if any(has_columns(table, "file", column) for column in ("grade", "quality")) else []


def read_labels(folder: Path) -> list[LabelledPhoto]:
    """Read ``labels.csv``: all photographs in its order.

    Columns: file (relative to the folder), grade; eye, patient, quality, age, sex, other_disease if known. Without a
    column grade, photographs have no grade. Raises LabelError that names the first wrong line.
    """
    table = folder / "labels.csv"
    columns = ("file", "grade" if has_columns(table, "grade") else "quality")
    return [_photo(row, folder) for row in read_table(table, columns=columns)]


def _photo(row: CsvRow, folder: Path) -> LabelledPhoto:
    file, quality = row.text("file"), row.values.get("quality", "").lower()
    if quality not in QUALITIES:
        raise row.error(f"quality {quality!r} is not one of good, usable, reject.")
    return LabelledPhoto(
        folder.name,
        folder / file,
        row.grade("grade") if "grade" in row.values else None,
        group_of(folder.name, row.values.get("patient", ""), file),
        quality,
        eye=eye_in(row, "eye"),
        sex=sex_in(row, "sex"),
        age_years=age_in(row, "age"),
        other_disease={"1": True, "0": False}.get(row.values.get("other_disease", "")),
    )


def age_in(row: CsvRow, column: str) -> int | None:
    """Age in years, None if blank. Raises LabelError if it is not an integer from 0 to 130."""
    value = row.values.get(column, "")
    if not value:
        return None
    integer = value.removesuffix(".0")
    if not integer.isdecimal() or int(integer) > 130:
        raise row.error(f"age {value!r} is not a number of years.")
    return int(integer)


def eye_in(row: CsvRow, column: str) -> str:
    """Left or right; empty for anything else."""
    eye = laterality_in_words(row.values.get(column, ""))
    return EYE_SIDES[eye] if eye else ""


def sex_in(row: CsvRow, column: str) -> str:
    """Female or male; empty for anything else."""
    return SEXES.get(row.values.get(column, "").lower(), "")
