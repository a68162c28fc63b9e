"""Messidor-2: photographs and pairs of eyes (ADCIS), adjudicated grades (Krause 2018)."""

from collections.abc import Iterator
from pathlib import Path

from ml.data.labels import LabelledPhoto
from ml.data.photo_files import stem_of
from ml.data.readers.layout import PhotoIndex, Reader, tables_at
from ml.data.tables import LabelError, has_columns, read_table

TABLE = "messidor_data.csv"
PAIRS = "messidor-2.csv"
GRADABLE = "adjudicated_gradable"
#: Columns of the grades as first published, and as in the repackaged set.
NAMES = (("image_id", "adjudicated_dr_grade"), ("id_code", "diagnosis"))


def read(folder: Path, tables: list[Path]) -> Iterator[LabelledPhoto]:
    """Read all photographs; ungradable ones have no grade and the quality ``reject``.

    Raises LabelError without the list of pairs: nothing else names the patient of a photograph.
    """
    photo_column, grade_column = next((n for n in NAMES if has_columns(tables[0], *n)), NAMES[0])
    pairs, index = _pairs(folder / PAIRS), PhotoIndex(folder)
    for row in read_table(tables[0], columns=(photo_column, grade_column)):
        name, is_gradable = row.text(photo_column), row.flag(GRADABLE) is not False
        grade, quality = (row.grade(grade_column), "") if is_gradable else (None, "reject")
        eye, patient = pairs.get(stem_of(name).lower(), ("", ""))
        yield index.photo(row, name, grade, missing=folder / "IMAGES" / name, patient=patient, quality=quality, eye=eye)


def _pairs(path: Path) -> dict[str, tuple[str, str]]:
    """Eye and patient by name of the photograph."""
    if not path.is_file():
        raise LabelError(
            f"{path}, line 1: the file is missing; it pairs the eyes of each patient. It comes with the photographs."
        )
    return {
        stem_of(row.get(eye)).lower(): (eye, f"exam {row.line}")
        for row in read_table(path, columns=("left", "right"))
        for eye in ("left", "right")
        if row.get(eye)
    }


READER = Reader("Messidor-2", f"{TABLE}, {PAIRS} and IMAGES/", tables_at(TABLE, columns=[GRADABLE]), read)
