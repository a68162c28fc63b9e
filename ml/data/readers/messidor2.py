"""Messidor-2: photographs and pairs of eyes (ADCIS), adjudicated grades (Krause 2018)."""

from pathlib import Path

from ml.data.labels import LabelledPhoto, group_of
from ml.data.readers.layout import PhotoIndex, Reader, relative
from ml.data.tables import LabelError, has_columns, read_table

TABLE = "messidor_data.csv"
PAIRS = "messidor-2.csv"
#: Columns of the grades as first published, and as in the repackaged set.
NAMES = (("image_id", "adjudicated_dr_grade"), ("id_code", "diagnosis"))
GRADABLE = "adjudicated_gradable"


def matches(folder: Path) -> bool:
    """True if the table of grades exists, with the columns of either version."""
    return any(has_columns(folder / TABLE, *names, GRADABLE) for names in NAMES)


def read(folder: Path) -> list[LabelledPhoto]:
    """Read all photographs; ungradable ones have no grade and the quality ``reject``.

    Raises LabelError without the list of pairs: nothing else names the patient of a photograph.
    """
    photo_column, grade_column = next(n for n in NAMES if has_columns(folder / TABLE, *n))
    pairs, index, photos = _pairs(folder / PAIRS), PhotoIndex([folder]), []
    for row in read_table(folder / TABLE, columns=(photo_column, GRADABLE)):
        name = row.text(photo_column)
        path = index.find(name, missing=folder / "IMAGES" / name)
        is_gradable = row.text(GRADABLE).removesuffix(".0") != "0"
        eye, patient = pairs.get(Path(name).stem.lower(), ("", ""))
        photos.append(
            LabelledPhoto(
                folder.name,
                path,
                row.grade(grade_column) if is_gradable else None,
                group_of(folder.name, patient, relative(path, folder)),
                "" if is_gradable else "reject",
                eye=eye,
            )
        )
    return photos


def _pairs(path: Path) -> dict[str, tuple[str, str]]:
    """Eye and patient by name of the photograph."""
    if not path.is_file():
        raise LabelError(
            f"{path}, line 1: the file is missing; it pairs the eyes of each patient. It comes with the photographs."
        )
    pairs = {}
    for row in read_table(path, columns=("left", "right"), delimiter=";"):
        for eye in ("left", "right"):
            if name := row.values.get(eye, ""):
                pairs[Path(name).stem.lower()] = (eye, f"exam {row.line}")
    return pairs


READER = Reader("Messidor-2", f"{TABLE}, {PAIRS} and IMAGES/", matches, read)
