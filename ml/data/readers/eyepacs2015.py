"""EyePACS (Kaggle Diabetic Retinopathy Detection, 2015).

``10_left`` is the left eye of patient 10.
"""

from collections.abc import Iterator
from pathlib import Path

from ml.data.labels import EYES, LabelledPhoto
from ml.data.readers.layout import PhotoIndex, Reader, tables_at
from ml.data.tables import read_table

COLUMNS = ("image", "level")


def read(folder: Path, tables: list[Path]) -> Iterator[LabelledPhoto]:
    """Read all photographs of the table. Raises LabelError for a name without patient and eye."""
    index = PhotoIndex(folder, patients_of="eyepacs")  # as in the other extracts of EyePACS, for a folder of any name
    for row in read_table(tables[0], columns=COLUMNS):
        name = row.text("image")
        patient, _, side = Path(name).stem.rpartition("_")
        if not patient or side not in EYES:
            raise row.error(f"{name!r} is not a patient and an eye, as in 10_left.")
        missing = folder / "train" / f"{name}.jpeg"
        yield index.photo(name, row.grade("level"), missing=missing, patient=patient, eye=EYES[side])


READER = Reader(
    "EyePACS",
    "trainLabels.csv (image, level) and photographs such as 10_left.jpeg",
    tables_at("trainLabels.csv", "trainLabels_cropped.csv", columns=COLUMNS),
    read,
)
