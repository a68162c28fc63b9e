"""Readers of the layouts in which public data sets come. A new one is one short file and its line in READERS."""

from pathlib import Path

from ml.data import labels
from ml.data.labels import LabelledPhoto
from ml.data.readers import aptos2019, ddr, deepdrid, eyepacs2015, grade_folders, idrid, messidor2, odir5k
from ml.data.readers.layout import Reader
from ml.data.tables import LabelError

OWN = Reader("labels.csv", "labels.csv (file, grade; eye, patient, quality ...)", labels.is_here, labels.read_labels)
READERS = (
    OWN,  # first: somebody who wrote a labels.csv beside the original tables means it
    aptos2019.READER,
    eyepacs2015.READER,
    idrid.READER,
    messidor2.READER,
    ddr.READER,
    deepdrid.READER,
    odir5k.READER,
    grade_folders.READER,  # last: the other layouts have folders too
)


def reader_of(folder: Path) -> Reader | None:
    """The first reader that recognises the layout of a folder."""
    return next((reader for reader in READERS if reader.recognises(folder)), None)


def read_photos(folder: Path) -> list[LabelledPhoto]:
    """All photographs of a data set, whatever its layout, in the order of its tables.

    Raises LabelError naming file and line, or all known layouts where the folder has none of them.
    """
    if not folder.is_dir():
        raise LabelError(f"{folder} is not a folder.")
    reader = reader_of(folder)
    if reader is None:
        known = "\n".join(f"  {r.name}: {r.layout}" for r in READERS)
        raise LabelError(f"{folder} has none of the layouts known here:\n{known}")
    photos = reader.read(folder)
    if not photos:
        raise LabelError(f"{folder}: no photographs are listed there ({reader.name}).")
    return photos
