"""ODIR-5K: a line per person, with the diagnostic keywords of each eye, from which the grade follows."""

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
WITHOUT_GRADE = re.compile(r"diabetic retinopathy|laser|microvascular")
"""Diabetic retinopathy of no stated severity, one of its signs, or treated: not healthy, nobody said how ill."""
NOT_SEEN = ("no fundus image", "anterior segment image", "low image quality")
BADLY_FRAMED = ("image offset", "optic disk photographically invisible")
HARMLESS = ("normal fundus", "lens dust")


def recognises(folder: Path) -> bool:
    """Whether a spreadsheet with the keywords of both eyes is there."""
    return _table(folder) is not None


def read(folder: Path) -> list[LabelledPhoto]:
    """Both eyes of all people. No grade where the keywords give none; quality ``reject`` where no retina is seen."""
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
    words = keywords(row.text(f"{eye.title()}-Diagnostic Keywords"))
    return LabelledPhoto(
        folder.name,
        index.find(name, missing=folder / name),
        grade_of(words),
        group_of(folder.name, row.text("ID"), name),
        "reject" if any(word in NOT_SEEN for word in words) else "",
        eye=eye,
        sex=sex_in(row, "Patient Sex"),
        age_years=age_in(row, "Patient Age"),
        other_disease=any(_is_other_disease(word) for word in words),
    )


def keywords(text: str) -> list[str]:
    """The single diagnoses; the sheet separates them by commas of two kinds."""
    return [word.strip().lower() for word in SEPARATORS.split(text) if word.strip()]


def grade_of(words: list[str]) -> int | None:
    """The highest grade named; 0 where no diabetic retinopathy is; None where the keywords do not allow a grade."""
    if any(word in NOT_SEEN or word in BADLY_FRAMED for word in words):
        return None
    named = [grade for word in words for pattern, grade in GRADES if pattern.fullmatch(word)]
    if named:
        return max(named)
    return None if not words or any(WITHOUT_GRADE.search(word) for word in words) else 0


def _is_other_disease(word: str) -> bool:
    is_diabetic = WITHOUT_GRADE.search(word) or any(pattern.fullmatch(word) for pattern, _ in GRADES)
    return not is_diabetic and word not in (*NOT_SEEN, *BADLY_FRAMED, *HARMLESS)


def _table(folder: Path) -> Path | None:
    return next((path for path in sorted(folder.glob("*.xlsx")) if has_columns(path, *COLUMNS)), None)


READER = Reader("ODIR-5K", "a spreadsheet with Left- and Right-Diagnostic Keywords", recognises, read)
