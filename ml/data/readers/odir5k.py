"""ODIR-5K: a row per patient; grades follow from the diagnostic keywords of each eye."""

import re
from pathlib import Path

from ml.data.labels import LabelledPhoto, age_in, group_of, sex_in
from ml.data.readers.layout import PhotoIndex, Reader
from ml.data.tables import CsvRow, LabelError, has_columns, read_table

COLUMNS = ("ID", "Left-Fundus", "Right-Fundus", "Left-Diagnostic Keywords", "Right-Diagnostic Keywords")
SEPARATORS = re.compile("[,;\N{FULLWIDTH COMMA}]")
GRADES = (
    (re.compile(r"mild non[ -]?proliferative retinopathy"), 1),
    (re.compile(r"(suspected )?moderate non[ -]?proliferative retinopathy"), 2),
    (re.compile(r"severe non[ -]?proliferative retinopathy"), 3),
    (re.compile(r"(severe )?proliferative diabetic retinopathy"), 4),
)
#: Diabetic retinopathy without a severity, one of its signs, or treated: not healthy, of unknown grade.
WITHOUT_GRADE = re.compile(r"diabetic retinopathy|laser|microvascular")
NOT_VISIBLE = ("no fundus image", "anterior segment image", "low image quality")
BADLY_FRAMED = ("image offset", "optic disk photographically invisible")
HARMLESS = ("normal fundus", "lens dust")


def matches(folder: Path) -> bool:
    """True if there is a spreadsheet with the keywords of both eyes."""
    return _table(folder) is not None


def read(folder: Path) -> list[LabelledPhoto]:
    """Read both eyes of all patients.

    No grade if the keywords give none; quality ``reject`` if no retina is visible.
    """
    table = _table(folder)
    if table is None:
        raise LabelError(f"{folder}: no spreadsheet with diagnostic keywords here.")
    index = PhotoIndex([folder])
    return [
        _photo(row, folder, index, eye=eye)
        for row in read_table(table, columns=COLUMNS)
        for eye in ("left", "right")
        if row.values.get(f"{eye.title()}-Fundus")
    ]


def _photo(row: CsvRow, folder: Path, index: PhotoIndex, *, eye: str) -> LabelledPhoto:
    name = row.text(f"{eye.title()}-Fundus")
    diagnoses = keywords(row.text(f"{eye.title()}-Diagnostic Keywords"))
    return LabelledPhoto(
        folder.name,
        index.find(name, missing=folder / name),
        grade_of(diagnoses),
        group_of(folder.name, row.text("ID"), name),
        "reject" if any(diagnosis in NOT_VISIBLE for diagnosis in diagnoses) else "",
        eye=eye,
        sex=sex_in(row, "Patient Sex"),
        age_years=age_in(row, "Patient Age"),
        other_disease=any(_is_other_disease(diagnosis) for diagnosis in diagnoses),
    )


def keywords(text: str) -> list[str]:
    """Split a cell into diagnoses; the sheet separates them by two kinds of commas."""
    return [keyword.strip().lower() for keyword in SEPARATORS.split(text) if keyword.strip()]


def grade_of(diagnoses: list[str]) -> int | None:
    """Highest grade of the diagnoses; 0 without retinopathy; None if they allow no grade."""
    if any(diagnosis in NOT_VISIBLE or diagnosis in BADLY_FRAMED for diagnosis in diagnoses):
        return None
    named = [grade for diagnosis in diagnoses for pattern, grade in GRADES if pattern.fullmatch(diagnosis)]
    if named:
        return max(named)
    return None if not diagnoses or any(WITHOUT_GRADE.search(diagnosis) for diagnosis in diagnoses) else 0


def _is_other_disease(diagnosis: str) -> bool:
    is_diabetic = WITHOUT_GRADE.search(diagnosis) or any(pattern.fullmatch(diagnosis) for pattern, _ in GRADES)
    return not is_diabetic and diagnosis not in (*NOT_VISIBLE, *BADLY_FRAMED, *HARMLESS)


def _table(folder: Path) -> Path | None:
    return next((path for path in sorted(folder.glob("*.xlsx")) if has_columns(path, *COLUMNS)), None)


READER = Reader("ODIR-5K", "a spreadsheet with Left- and Right-Diagnostic Keywords", matches, read)
