"""What a data set says of one photograph, and our own plain layout of it, ``labels.csv``."""

from dataclasses import dataclass
from pathlib import Path

from ml.data.tables import CsvRow, has_columns, read_table


@dataclass(frozen=True, slots=True)
class LabelledPhoto:
    """One photograph with its label. ``group`` is shared by photographs that must stay on one side of a split.

    ``grade`` is None where nobody could grade it: such photographs teach quality, never the grade. The rest is for
    figures by subgroup, empty or None where the data set does not say: ``quality`` good, usable or reject; ``eye``
    left or right; ``sex`` female or male; ``age_years``; ``other_disease`` whether another disease is seen.
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


EYES = {"left": "left", "right": "right", "l": "left", "r": "right", "os": "left", "od": "right"}
SEXES = {"female": "female", "male": "male", "f": "female", "m": "male"}
QUALITIES = ("", "good", "usable", "reject")

DEFAULT_SOURCES = ("aptos2019", "eyepacs", "odir5k", "eyepacs_equalized")
"""Training sources of the released models. NB: the cache and the split depend on their order."""
SOURCE_GROUP = {"eyepacs_equalized": "eyepacs", "eyeq": "eyepacs"}
"""Sources that photograph the same people under the same patient numbers."""
EQUALIZED_SOURCE = "eyepacs_equalized"
"""Colours no camera makes, and so no clinic sends: trained on, but neither calibrated nor measured on."""


def group_of(source: str, person: str, file: str) -> str:
    """Name of the group: the person where known, else the file. ``file`` is relative to the folder of the set."""
    return f"{SOURCE_GROUP.get(source, source)}:{person or f'file:{file}'}"


def is_here(folder: Path) -> bool:
    """Whether the folder has a ``labels.csv`` of ours, with grades or only with qualities."""
    table = folder / "labels.csv"
    return has_columns(table, "file", "grade") or has_columns(table, "file", "quality")


def read_labels(folder: Path) -> list[LabelledPhoto]:
    """All photographs of a data set in file order.

    Columns: file (relative to the folder), grade; eye, patient, quality, age, sex, other_disease where known. A table
    without a grade column gives photographs without a grade. Raises LabelError naming the first line that is wrong.
    """
    has_grades = has_columns(folder / "labels.csv", "grade")
    columns = ("file", "grade") if has_grades else ("file", "quality")
    return [_photo(row, folder, has_grades=has_grades) for row in read_table(folder / "labels.csv", columns=columns)]


def _photo(row: CsvRow, folder: Path, *, has_grades: bool) -> LabelledPhoto:
    file, quality = row.text("file"), row.values.get("quality", "").lower()
    if quality not in QUALITIES:
        raise row.error(f"quality {quality!r} is not one of good, usable, reject.")
    return LabelledPhoto(
        folder.name,
        folder / file,
        row.grade("grade") if has_grades else None,
        group_of(folder.name, row.values.get("patient", ""), file),
        quality,
        eye=EYES.get(row.values.get("eye", "").lower(), ""),
        sex=sex_in(row, "sex"),
        age_years=age_in(row, "age"),
        other_disease={"1": True, "0": False}.get(row.values.get("other_disease", "")),
    )


def age_in(row: CsvRow, column: str) -> int | None:
    """Whole years, None where blank. Raises LabelError where the age is no number of 0 to 130."""
    value = row.values.get(column, "")
    if not value:
        return None
    whole = value.removesuffix(".0")
    if not whole.isdecimal() or int(whole) > 130:
        raise row.error(f"age {value!r} is not a number of years.")
    return int(whole)


def sex_in(row: CsvRow, column: str) -> str:
    """Female, male, or empty for anything else."""
    return SEXES.get(row.values.get(column, "").lower(), "")
