"""What every reader of a public layout is made of: how to recognise it, how to read it, where its photographs lie."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from ml.data.labels import LabelledPhoto

SUFFIXES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp")


@dataclass(frozen=True, slots=True)
class Reader:
    """One layout. ``layout`` says in a line what the folder holds; ``read`` raises LabelError naming file and line."""

    name: str
    layout: str
    recognises: Callable[[Path], bool]
    read: Callable[[Path], list[LabelledPhoto]]


@dataclass(slots=True)
class PhotoIndex:
    """Every photograph below some folders by its name without suffix, whatever the case: the sets do not agree with
    their own tables on folders (train, train/train, Images/12), suffixes (.png, .jpeg) and their case (.JPG)."""

    folders: Iterable[Path]
    _paths: dict[str, Path] = field(init=False)

    def __post_init__(self) -> None:
        found = (p for folder in self.folders for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES)
        self._paths = {path.stem.lower(): path for path in sorted(found)}

    def find(self, name: str, *, missing: Path) -> Path:
        """The photograph of that name, with or without suffix; ``missing`` where there is none, for the report."""
        is_named = Path(name).suffix.lower() in SUFFIXES
        return self._paths.get((Path(name).stem if is_named else name).lower(), missing)


def existing(folder: Path, *names: str) -> Path | None:
    """The first of these paths below ``folder`` that exists."""
    return next((folder / name for name in names if (folder / name).exists()), None)


def relative(path: Path, folder: Path) -> str:
    """``path`` as text below ``folder``."""
    return path.relative_to(folder).as_posix()
