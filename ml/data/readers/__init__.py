"""Readers of the layouts of public data sets. A new one is a file here and its line in READERS."""

from pathlib import Path

from ml.data import labels
from ml.data.labels import LabelledPhoto
from ml.data.readers import aptos2019, ddr, deepdrid, eyepacs2015, grade_folders, idrid, messidor2, odir5k
from ml.data.readers.layout import Reader
from ml.data.tables import LabelError, header_of

TABLE_SUFFIXES = (".csv", ".tsv", ".txt", ".xlsx")
MAX_REASONS = 8
LABELS_CSV = Reader(
    "labels.csv",
    "labels.csv (file, grade; eye, patient, quality ...)",
    labels.find_tables,
    lambda folder, _: labels.read_labels(folder),
)
READERS = (
    LABELS_CSV,  # first: a labels.csv beside the original tables overrides them
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
    """The first reader that matches the layout of a folder."""
    return next((reader for reader in READERS if reader.find_tables(folder)), None)


def read_photos(folder: Path) -> list[LabelledPhoto]:
    """Read all photographs of a data set of any known layout, in the order of its tables.

    Raises LabelError that names file and line, or all known layouts if the folder has none of them.
    """
    if not folder.is_dir():
        raise LabelError(f"{folder} is not a folder.")
    reader = reader_of(folder)
    if reader is None:
        known = "\n".join(f"  {r.name}: {r.layout}" for r in READERS)
        seen = "".join(f"{reason}\n" for reason in _seen_in(folder))
        raise LabelError(f"{folder} has none of the layouts known here.\n{seen}Known are:\n{known}")
    photos = list(reader.read(folder, reader.find_tables(folder)))
    if not photos:
        raise LabelError(f"{folder}: no photographs are listed there ({reader.name}).")
    return photos


def _seen_in(folder: Path) -> list[str]:
    """What a folder of an unknown layout has: the columns of its tables, and folders that are no grades."""
    tables = [path for path in sorted(folder.iterdir()) if path.suffix.lower() in TABLE_SUFFIXES and path.is_file()]
    columns = [
        f"{path}, line 1: the columns are {', '.join(filter(None, header_of(path))) or 'none'}." for path in tables
    ]
    return (columns + grade_folders.reasons_against(folder))[:MAX_REASONS]
