"""Building blocks of the readers: layout, index of photographs, paths."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from ml.data.labels import LabelledPhoto

SUFFIXES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp")


@dataclass(frozen=True, slots=True)
class Reader:
    """One layout.

    ``layout`` describes its files in a line; ``matches`` tests a folder; ``read`` raises LabelError that names file and
    line.
    """

    name: str
    layout: str
    matches: Callable[[Path], bool]
    read: Callable[[Path], list[LabelledPhoto]]


@dataclass(slots=True)
class PhotoIndex:
    """Index of the photographs below some folders, by name without suffix and case.

    Published folders differ from their own tables in folders (train, train/train, Images/12), suffixes (.png, .jpeg)
    and case (.JPG).
    """

    folders: Iterable[Path]
    _paths: dict[str, Path] = field(init=False)

    def __post_init__(self) -> None:
        found = (p for folder in self.folders for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES)
        self._paths = {path.stem.lower(): path for path in sorted(found)}

    def find(self, name: str, *, missing: Path) -> Path:
        """Path of a name, with or without suffix; ``missing``, for the report, if there is none."""
        has_suffix = Path(name).suffix.lower() in SUFFIXES
        return self._paths.get((Path(name).stem if has_suffix else name).lower(), missing)


def existing(folder: Path, *names: str) -> Path | None:
    """The first of these paths below ``folder`` that exists."""
    return next((folder / name for name in names if (folder / name).exists()), None)


def relative(path: Path, folder: Path) -> str:
    """``path`` as text below ``folder``."""
    return path.relative_to(folder).as_posix()
