"""ODIR-5K: a row per patient; grades follow from the diagnostic keywords of each eye."""

import re
from collections.abc import Iterator
from pathlib import Path

from ml.data.labels import LabelledPhoto, age_in, sex_in
from ml.data.readers.layout import PhotoIndex, Reader, tables_at
from ml.data.tables import read_table

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


def read(folder: Path, tables: list[Path]) -> Iterator[LabelledPhoto]:
    """Read both eyes of all patients.

    No grade if the keywords give none; quality ``reject`` if no retina is visible.
    """
    index = PhotoIndex(folder)
    for row in read_table(tables[0], columns=COLUMNS):
        for eye in ("left", "right"):
            name = row.get(f"{eye.title()}-Fundus")
            if not name:
                continue
            diagnoses = keywords(row.text(f"{eye.title()}-Diagnostic Keywords"))
            yield index.photo(
                row,
                name,
                grade_of(diagnoses),
                missing=folder / name,
                patient=row.text("ID"),
                quality="reject" if set(diagnoses) & set(NOT_VISIBLE) else "",
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


READER = Reader(
    "ODIR-5K", "a spreadsheet with Left- and Right-Diagnostic Keywords", tables_at("*.xlsx", columns=COLUMNS), read
)
