"""EyePACS (Kaggle Diabetic Retinopathy Detection, 2015).

``10_left`` is the left eye of patient 10.
"""

from pathlib import Path

from ml.data.labels import EYES, LabelledPhoto, group_of
from ml.data.readers.layout import PhotoIndex, Reader, existing
from ml.data.tables import has_columns, read_table

#: For a folder of any name, patient numbers are those of the other extracts of EyePACS.
SOURCE_GROUP = "eyepacs"
TABLES = ("trainLabels.csv", "trainLabels_cropped.csv")


def matches(folder: Path) -> bool:
    """True if one of the tables has the two columns of EyePACS."""
    return any(has_columns(folder / table, "image", "level") for table in TABLES)


def read(folder: Path) -> list[LabelledPhoto]:
    """Read all photographs of the table. Raises LabelError for a name without patient and eye."""
    table = existing(folder, *TABLES) or folder / TABLES[0]
    index, photos = PhotoIndex([folder]), []
    for row in read_table(table, columns=("image", "level")):
        name = row.text("image")
        patient, _, side = Path(name).stem.rpartition("_")
        if not patient or side not in EYES:
            raise row.error(f"{name!r} is not a patient and an eye, as in 10_left.")
        path = index.find(name, missing=folder / "train" / f"{name}.jpeg")
        photos.append(
            LabelledPhoto(folder.name, path, row.grade("level"), group_of(SOURCE_GROUP, patient, name), eye=EYES[side])
        )
    return photos


READER = Reader("EyePACS", "trainLabels.csv (image, level) and photographs such as 10_left.jpeg", matches, read)
