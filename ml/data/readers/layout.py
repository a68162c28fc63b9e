"""Building blocks of the readers: the layout of a data set, and its photographs by name."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ml.data.labels import LabelledPhoto, group_of_photo
from ml.data.photo_files import PhotoFiles
from ml.data.tables import CsvRow, has_columns


@dataclass(frozen=True, slots=True)
class Reader:
    """One layout, whose files ``layout`` describes in a line.

    ``find_tables`` returns the tables (or folders of photographs) of this layout in a folder, none if it has another
    one. ``read`` yields their photographs; it raises LabelError that names file and line.
    """

    name: str
    layout: str
    find_tables: Callable[[Path], list[Path]]
    read: Callable[[Path, list[Path]], Iterable[LabelledPhoto]]


def tables_at(*patterns: str, columns: Sequence[str] = ()) -> Callable[[Path], list[Path]]:
    """Function that returns the tables at these glob patterns below a folder, if they have all ``columns``."""

    def find_tables(folder: Path) -> list[Path]:
        found = (path for pattern in patterns for path in sorted(folder.glob(pattern)))
        return [path for path in found if not columns or has_columns(path, *columns)]

    return find_tables


class PhotoIndex:
    """Makes labelled photographs of the data set ``folder`` from names; only those ``below`` a folder in it.

    Patients are numbered as in the source ``patients_of``.
    """

    def __init__(self, folder: Path, below: Path | None = None, *, patients_of: str = "") -> None:
        self.folder, self.patients_of = folder, patients_of
        self.files = PhotoFiles(folder, below)

    def photo(
        self,
        row: CsvRow,
        name: str,
        grade: int | None,
        *,
        missing: Path,
        patient: str = "",
        quality: str = "",
        **labels: Any,
    ) -> LabelledPhoto:
        """The photograph of this name, as ``PhotoFiles`` finds it; its path is ``missing`` if there is no file."""
        path = self.files.find_name(row, name, missing=missing)
        group = group_of_photo(self.folder, path, patient, patients_of=self.patients_of)
        return LabelledPhoto(self.folder.name, path, grade, group, quality, **labels)
