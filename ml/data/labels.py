"""Labels of one photograph, and the project's layout of them, ``labels.csv``."""

import re
from dataclasses import dataclass
from pathlib import Path

from ml.data.photo_files import PhotoFiles, original_of
from ml.data.tables import CsvRow, as_integer, as_number, has_columns, read_table
from ml.eye_names import EYE_NAMES, laterality_in_text
from ml.vocabulary import Laterality


@dataclass(frozen=True, slots=True)
class LabelledPhoto:
    """One photograph with its labels.

    Photographs of one ``group`` must stay in one split. ``grade`` is None if it has none; such photographs may be used
    for quality, not for grading. The rest is empty or None if unknown: ``quality`` good, usable or reject;
    ``has_oedema`` referable macular oedema, also None if ``is_oedema_uncertain``; for metrics by subgroup ``eye`` left
    or right; ``sex`` female or male; ``age_years``; ``other_disease``.
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
    has_oedema: bool | None = None
    is_oedema_uncertain: bool = False


EYE_SIDES = {Laterality.RIGHT: "right", Laterality.LEFT: "left"}
EYES = {name: side for eye, side in EYE_SIDES.items() for name in EYE_NAMES[eye]}
SEXES = {"female": "female", "male": "male", "f": "female", "m": "male", "other": "", "x": "", "diverse": "", "u": ""}
QUALITIES = ("", "good", "usable", "reject")
MAX_AGE_YEARS = 130
DECIMALS = re.compile(r"(\d+)[.,]0+")

#: Referable macular oedema by the code in the column ``dme``, if it is not 0 or 1. IDRiD's risk of macular oedema:
#: 0 no hard exudates, 1 outside of one disc diameter from the fovea, 2 within it (Porwal et al., Data 2018).
OEDEMA_CODES = {"idrid": {"0": False, "1": None, "2": True}}
#: Training sources of the released models. NB: the cache and the splits depend on their order.
DEFAULT_SOURCES = (
    "aptos2019",
    "eyepacs",
    "odir5k",
    "eyepacs_equalized",
    "messidor2",
    "idrid",
    "srahim",
    "eyepacs_test",
)
#: Sources with photographs of the same patients under the same numbers.
SOURCE_GROUP = {"eyepacs_equalized": "eyepacs", "eyeq": "eyepacs", "eyepacs_test": "eyepacs"}
#: Histogram-equalised photographs, whose colours come from no camera: used to train, not to calibrate or evaluate.
EQUALIZED_SOURCE = "eyepacs_equalized"


def group_of(source: str, patient: str, file: str) -> str:
    """Name of the group: the patient if known, else the file (relative to its data set)."""
    return f"{SOURCE_GROUP.get(source, source)}:{patient or f'file:{file}'}"


def group_of_photo(folder: Path, path: Path, patient: str = "", *, patients_of: str = "") -> str:
    """Group of a photograph in the data set ``folder``; a copy (``a_rot90.jpg``) is in the group of its original."""
    file = original_of(path).relative_to(folder).as_posix()
    return group_of(patients_of or folder.name, patient, file)


def find_tables(folder: Path) -> list[Path]:
    """The ``labels.csv`` of a folder, if it has grades or qualities."""
    table = folder / "labels.csv"
    return [table] if any(has_columns(table, "file", column) for column in ("grade", "quality")) else []


def read_labels(folder: Path) -> list[LabelledPhoto]:
    """Read ``labels.csv``: all photographs in its order.

    Columns: file (relative to the folder), grade; eye, patient, quality, age, sex, other_disease, dme if known. A blank
    grade, or no column grade, is a photograph without a grade. Raises LabelError that names the first wrong line.
    """
    table, files = folder / "labels.csv", PhotoFiles(folder)
    columns = ("file", "grade" if has_columns(table, "grade") else "quality")
    return [_photo(row, files) for row in read_table(table, columns=columns)]


def _photo(row: CsvRow, files: PhotoFiles) -> LabelledPhoto:
    quality, folder = row.known("quality"), files.folder
    codes = OEDEMA_CODES.get(folder.name, {"0": False, "1": True})
    has_oedema = _oedema_in(row, codes)
    if quality not in QUALITIES:
        raise row.error(f"quality {row.get('quality')!r} is not one of good, usable, reject.")
    path = files.find_path(row, row.text("file"))
    return LabelledPhoto(
        folder.name,
        path,
        row.grade("grade", ungradable=("",)) if row.has("grade") else None,
        group_of_photo(folder, path, patient_in(row, "patient")),
        quality,
        eye=eye_in(row, "eye"),
        sex=sex_in(row, "sex"),
        age_years=age_in(row, "age"),
        other_disease=row.flag("other_disease"),
        has_oedema=has_oedema,
        is_oedema_uncertain=has_oedema is None and row.known("dme") != "",
    )


def _oedema_in(row: CsvRow, codes: dict[str, bool | None]) -> bool | None:
    """Referable macular oedema, None if blank or uncertain. Raises LabelError for an unknown code."""
    value = as_integer(row.known("dme"))
    if value and value not in codes:
        raise row.error(f"dme {row.get('dme')!r} is not one of {', '.join(codes)}.")
    return codes.get(value)


def age_in(row: CsvRow, column: str) -> int | None:
    """Age in years, None if it is not known. Raises LabelError if it is not an integer from 0 to 130."""
    integer = as_integer(row.known(column))
    if not integer:
        return None
    if not (integer.isascii() and integer.isdigit()) or int(integer) > MAX_AGE_YEARS:
        raise row.error(f"age {row.get(column)!r} is not a number of years.")
    return int(integer)


def eye_in(row: CsvRow, column: str) -> str:
    """Left or right; empty if it is not known. Raises LabelError for a text that does not name one eye."""
    value = row.known(column)
    eye = laterality_in_text(value)
    if value and not eye:
        raise row.error(f"eye {row.get(column)!r} is neither right nor left. Leave it empty if it is not known.")
    return EYE_SIDES[eye] if eye else ""


def sex_in(row: CsvRow, column: str) -> str:
    """Female or male; empty if it is not known or another one. Raises LabelError for other texts."""
    value = row.known(column)
    if value and value not in SEXES:
        raise row.error(f"sex {row.get(column)!r} is neither female nor male. Leave it empty if it is not known.")
    return SEXES.get(value, "")


def patient_in(row: CsvRow, column: str) -> str:
    """Patient number or name as it is; 12 for 12.0. Raises LabelError for 1.2E+10: many patients may share that."""
    value = row.known(column) and row.get(column)
    if as_number(value) is not None and "e" in value.lower():
        raise row.error(f"patient {value!r} was shortened by a spreadsheet. Format the column as text.")
    with_decimals = DECIMALS.fullmatch(value)
    return with_decimals[1] if with_decimals else value
