"""EyePACS (Kaggle Diabetic Retinopathy Detection, 2015): ``10_left`` is the left eye of person 10."""

from pathlib import Path

from ml.data.labels import EYES, LabelledPhoto, group_of
from ml.data.readers.layout import PhotoIndex, Reader, existing
from ml.data.tables import has_columns, read_table

SOURCE_GROUP = "eyepacs"
"""Whatever the folder's name, the patient numbers are those of our own extracts of EyePACS."""
TABLES = ("trainLabels.csv", "trainLabels_cropped.csv")


def recognises(folder: Path) -> bool:
    """Whether one of the tables has EyePACS's two columns."""
    return any(has_columns(folder / table, "image", "level") for table in TABLES)


def read(folder: Path) -> list[LabelledPhoto]:
    """All photographs of the table. Raises LabelError for a name that does not say person and eye."""
    table = existing(folder, *TABLES) or folder / TABLES[0]
    index, photos = PhotoIndex([folder]), []
    for row in read_table(table, columns=("image", "level")):
        name = row.text("image")
        person, _, side = Path(name).stem.rpartition("_")
        if not person or side not in EYES:
            raise row.error(f"{name!r} does not say person and eye, as 10_left does.")
        path = index.find(name, missing=folder / "train" / f"{name}.jpeg")
        photos.append(
            LabelledPhoto(folder.name, path, row.grade("level"), group_of(SOURCE_GROUP, person, name), eye=EYES[side])
        )
    return photos


READER = Reader("EyePACS", "trainLabels.csv (image, level) and photographs such as 10_left.jpeg", recognises, read)
