"""Photographs in the folder of a data set, by name or by path."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal
from functools import cached_property
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath
from typing import TypeVar

from ml.data.tables import CsvRow, as_number

K = TypeVar("K")
SUFFIXES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp")
#: Pictures that are not read.
OTHER_SUFFIXES = (".avif", ".bmp", ".dcm", ".gif", ".heic", ".jp2", ".ppm")
#: What programs that multiply photographs add to their names.
COPY_ENDING = re.compile(
    r"([ _-]+(rot|flip|[hv]flip|mirror|aug)[a-z]*[ _-]*[a-z]{0,10}[ _-]*\d*)+$", re.ASCII | re.IGNORECASE
)
#: First cell of the last line of a spreadsheet.
SUM_LABEL = re.compile(r"(grand |sub)?(total|totale|sum|summe|suma|gesamt|average|mean|count)\b.*", re.IGNORECASE)
#: What spreadsheets make of names: numbers of another form (as_number), dates such as 01-Mar, and errors such as #NAME?
_MONTH = r"(jan|feb|m[aä]r|mrz|apr|ma[iy]|jun|jul|aug|sep|o[ck]t|nov|de[cz])[a-zäé]*\.?"
DATE_OR_ERROR = re.compile(
    rf"\d{{1,4}}[-. /]{_MONTH}([-. /]\d{{1,4}})?|{_MONTH}[-. /]\d{{1,4}}|\d{{4}}-\d\d-\d\d 00:00:00|#.*[?!/#].*",
    re.IGNORECASE,
)


def is_resource_file(path: Path) -> bool:
    """True for a file in which macOS keeps attributes of another: ``._eye.jpg`` is no photograph."""
    return path.name.startswith("._") or "__MACOSX" in path.parts


def original_of(path: Path) -> Path:
    """The photograph of which a file is a copy by its name, such as ``a.jpg`` of ``a_rot90.png``; else the file.

    Duplicates by content do not find turned and mirrored copies, which must stay in the split of the original.
    """
    stem = COPY_ENDING.sub("", path.stem)
    if stem in {"", path.stem}:
        return path
    others = (path.with_name(stem + suffix) for suffix in (path.suffix, *SUFFIXES))
    return next((other for other in others if other.is_file()), path)


def stem_of(name: str) -> str:
    """Name of a photograph in a table without its folder and its suffix."""
    path = PurePosixPath(name.replace("\\", "/"))
    return path.stem if path.suffix.lower() in SUFFIXES else path.name


def list_photos(folder: Path, suffixes: tuple[str, ...] = SUFFIXES) -> list[Path]:
    """All photographs below a folder, sorted, without resource files of macOS."""
    found = (path for path in folder.rglob("*") if path.suffix.lower() in suffixes)
    return sorted(path for path in found if not is_resource_file(path.relative_to(folder)))


class PhotoFiles:
    """Photographs of a data set; only those ``below`` a folder in it. Each may be in one row of the tables only.

    Published folders differ from their own tables in folders (train, train/train, Images/12), suffixes (.png, .jpeg)
    and case (.JPG).
    """

    def __init__(self, folder: Path, below: Path | None = None) -> None:
        self.folder, self.below = folder, below or folder
        self._rows: dict[Path, CsvRow] = {}

    def find_name(self, row: CsvRow, name: str, *, missing: Path) -> Path:
        """The photograph of this name, with or without folder, suffix and case; ``missing`` if there is none.

        Raises LabelError if the name may be that of several photographs, if a spreadsheet may have changed it, and if
        the photograph is in another row too.
        """
        wanted = _inside(row, name)
        stem = stem_of(name)
        found = _nearest(self._by_stem.get(_folded(stem), []), wanted)
        if not found:
            self._check_missing(row, stem)
        return self._claim(row, self._only(row, name, found) if found else missing)

    def find_path(self, row: CsvRow, file: str) -> Path:
        """The photograph at a path relative to the data set, in any case; the path itself if there is none.

        Raises LabelError for a path outside the data set, for several photographs whose paths differ in case, and if
        the photograph is in another row too.
        """
        wanted = _inside(row, file)
        path = self.folder / wanted
        if not path.is_file():
            same = self._by_stem.get(_folded(wanted.stem), [])
            found = [one for one in same if _folded(one.relative_to(self.folder)) == _folded(wanted)]
            if not found:
                self._check_missing(row, wanted.name)
            path = self._only(row, file, found) if found else path
        return self._claim(row, path)

    @cached_property
    def _by_stem(self) -> dict[str, list[Path]]:
        return _grouped(list_photos(self.below), lambda path: _folded(path.stem))

    @cached_property
    def _by_number(self) -> dict[Decimal | None, list[Path]]:
        return _grouped(list_photos(self.below), lambda path: as_number(path.stem))

    @cached_property
    def _others(self) -> dict[str, list[Path]]:
        return _grouped(list_photos(self.below, OTHER_SUFFIXES), lambda path: _folded(path.stem))

    def _only(self, row: CsvRow, name: str, found: list[Path]) -> Path:
        if len(found) > 1:
            names = ", ".join(path.relative_to(self.folder).as_posix() for path in found[:3])
            raise row.error(f"{name!r} may be one of several photographs: {names}. Keep one of them.")
        return found[0]

    def _claim(self, row: CsvRow, path: Path) -> Path:
        other = self._rows.setdefault(path, row)
        if other is not row:
            raise row.error(f"{path.name} is in {other.file.name}, line {other.line} too. Delete one of the two lines.")
        return path

    def _check_missing(self, row: CsvRow, name: str) -> None:
        """Raises LabelError for a name without a photograph that cannot be meant as it is."""
        if SUM_LABEL.fullmatch(name):
            raise row.error(f"{name!r} is no photograph: this looks like a line of sums. Delete it.")
        number = as_number(name)
        meant = [] if number is None else self._by_number.get(number, [])
        if meant or (number is not None and "e" in name.lower()) or DATE_OR_ERROR.fullmatch(name):
            file = f": {meant[0].name} may be meant" if meant else ""
            raise row.error(
                f"no photograph is named {name!r}{file}. A spreadsheet may have changed the name: format the column as "
                "text before typing or importing it."
            )
        if others := self._others.get(_folded(name), self._others.get(_folded(Path(name).stem))):
            raise row.error(f"{others[0].name} is of a kind that is not read. Convert it to PNG.")


def _inside(row: CsvRow, name: str) -> PurePosixPath:
    """A path as the table has it, also with the backslashes of Windows. Raises LabelError if it leaves the data set."""
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or PureWindowsPath(name).drive or ".." in path.parts or not path.name:
        raise row.error(f"{name!r} is not below the folder of the data set. Write the path relative to it.")
    return path


def _nearest(paths: list[Path], wanted: PurePosixPath) -> list[Path]:
    """Of the photographs with one stem those whose path ends as wanted, with the suffix or without, if any does."""
    end = f"/{_folded(wanted)}"
    with_suffix = [path for path in paths if _folded(path).endswith(end)]
    return with_suffix or [path for path in paths if _folded(path.with_suffix("")).endswith(end)] or paths


def _folded(path: PurePath | str) -> str:
    """A path in one form: without case, and with composed letters (macOS decomposes those of file names)."""
    return unicodedata.normalize("NFC", path.as_posix() if isinstance(path, PurePath) else path).casefold()


def _grouped(paths: list[Path], key: Callable[[Path], K]) -> dict[K, list[Path]]:
    groups: defaultdict[K, list[Path]] = defaultdict(list)
    for path in paths:
        groups[key(path)].append(path)
    return dict(groups)
