"""Names of files: how they are printed, and names for the files written beside them."""

import hashlib
import os
from collections import Counter
from pathlib import Path

MAX_STEM_BYTES = 150
"""File systems allow 255 bytes for a name; an encrypted folder 143 characters."""


def printable(text: object) -> str:
    r"""Text for a terminal: control and direction characters and broken encodings as ``\x1b``; lines are kept."""
    return "".join(char if char.isprintable() or char == "\n" else _escaped(char) for char in str(text))


def printable_name(path: Path) -> str:
    """A path in one line."""
    return printable(path).replace("\n", "\\n")


def _escaped(char: str) -> str:
    return char.encode("unicode_escape", "backslashreplace").decode("ascii")


def overlay_names(photos: list[Path]) -> dict[Path, str]:
    """A different PNG name for each photograph: its own; with folder and hash of the path if others share it."""
    names = {photo: _safe(photo.stem) for photo in photos}
    for longer in (_with_folder, _with_hash):
        # NB: file systems of Windows and macOS do not distinguish case
        counts = Counter(name.casefold() for name in names.values())
        names = {photo: longer(photo) if counts[name.casefold()] > 1 else name for photo, name in names.items()}
    return {photo: f"{name}.png" for photo, name in names.items()}


def _with_folder(photo: Path) -> str:
    return _safe(f"{photo.parent.name}-{photo.name}")


def _with_hash(photo: Path) -> str:
    return f"{_with_folder(photo)}-{hashlib.sha256(os.fsencode(photo.absolute())).hexdigest()[:12]}"


def _safe(stem: str) -> str:
    clean = "".join(char if char.isprintable() else "_" for char in stem)
    return os.fsencode(clean)[:MAX_STEM_BYTES].decode("utf-8", "ignore")
