"""EyePACS (Kaggle Diabetic Retinopathy Detection, 2015).

``10_left`` is the left eye of patient 10.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from ml.data.labels import EYES, LabelledPhoto
from ml.data.photo_files import stem_of
from ml.data.readers.layout import PhotoIndex, Reader, tables_at
from ml.data.tables import read_table

COLUMNS = ("image", "level")
NAME = re.compile(r"(?P<patient>.+?)[ _-]+(?P<eye>[^\W\d_]+)")


def read(folder: Path, tables: list[Path]) -> Iterator[LabelledPhoto]:
    """Read all photographs of the table. Raises LabelError for a name without patient and eye."""
    index = PhotoIndex(folder, patients_of="eyepacs")  # as in the other extracts of EyePACS, for a folder of any name
    for row in read_table(tables[0], columns=COLUMNS):
        name = row.text("image")
        patient_and_eye = NAME.fullmatch(stem_of(name))
        eye = EYES.get(patient_and_eye["eye"].lower()) if patient_and_eye else None
        if patient_and_eye is None or eye is None:
            raise row.error(f"{name!r} is not a patient and an eye, as in 10_left.")
        missing = folder / "train" / f"{name}.jpeg"
        yield index.photo(row, name, row.grade("level"), missing=missing, patient=patient_and_eye["patient"], eye=eye)


READER = Reader(
    "EyePACS",
    "trainLabels.csv (image, level) and photographs such as 10_left.jpeg",
    tables_at("trainLabels.csv", "trainLabels_cropped.csv", columns=COLUMNS),
    read,
)
