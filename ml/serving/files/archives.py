"""ZIP archives of photographs: checked, and unpacked in memory.

Names in an archive are not trusted: no file is ever written by them. They only suggest which eye a photograph shows.
"""

import stat
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import PurePosixPath

from ml.serving.files.formats import sniff_format
from ml.serving.files.rejections import MAX_BYTES, InvalidFile

MAX_FILES = 40
"""A visit has four to twelve photographs."""
MAX_UNPACKED_BYTES = 3 * MAX_BYTES
"""Of all files of an archive: photographs are compressed already, and only TIFF shrinks to a third."""
MAX_NAME_CHARS = 80
_MAX_ENTRIES = 1000
_BLOCK_BYTES = 1 << 20
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_IS_ENCRYPTED = 0x1
_OF_SYSTEM = ("__MACOSX/",)
_NAMES_OF_SYSTEM = frozenset({"thumbs.db", "desktop.ini", "dicomdir"})
"""In lower case. A DICOMDIR lists the DICOM files beside it."""
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, KeyError, NotImplementedError, RuntimeError)
"""What zipfile raises for broken archives."""


@dataclass(frozen=True, slots=True)
class ArchivedFile:
    """A file of an archive: its name without folders, and its content, or the code of an InvalidFile."""

    name: str
    content: bytes
    rejection: str = ""


def unpack_archive(data: bytes) -> list[ArchivedFile]:
    """The files of a ZIP archive, in its order. Files that are no photographs have a code and no content.

    Raises InvalidFile if the archive is damaged, encrypted, has paths out of itself, links, another archive or too many
    files, or if it unpacks to more than MAX_UNPACKED_BYTES: the archive is then refused as a whole.
    """
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            entries = _checked(archive.infolist())
            return list(_unpacked(archive, entries))
    except InvalidFile:
        raise
    except _BROKEN:
        # NB: "from None": the message may quote names of files.
        raise InvalidFile("zip_damaged") from None


def _checked(entries: list[zipfile.ZipInfo]) -> list[zipfile.ZipInfo]:
    if len(entries) > _MAX_ENTRIES:
        raise InvalidFile("zip_too_many")
    for entry in entries:
        if entry.flag_bits & _IS_ENCRYPTED:
            raise InvalidFile("zip_encrypted")
        if _leads_outside(entry.filename) or stat.S_ISLNK(entry.external_attr >> 16):
            raise InvalidFile("zip_paths")
        if entry.compress_type not in _METHODS:
            raise InvalidFile("zip_damaged")
    files = [entry for entry in entries if not entry.is_dir() and not _is_of_system(entry.filename)]
    if not files:
        raise InvalidFile("zip_empty")
    if len(files) > MAX_FILES:
        raise InvalidFile("zip_too_many")
    if sum(entry.file_size for entry in files) > MAX_UNPACKED_BYTES:
        raise InvalidFile("zip_too_large")
    return files


def _leads_outside(name: str) -> bool:
    path = PurePosixPath(name.replace("\\", "/"))
    return path.is_absolute() or ".." in path.parts or ":" in name or "\x00" in name


def _is_of_system(name: str) -> bool:
    """A file that a computer or a camera adds by itself."""
    base = PurePosixPath(name).name
    return name.startswith(_OF_SYSTEM) or base.startswith(".") or base.lower() in _NAMES_OF_SYSTEM


def _unpacked(archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo]) -> Iterator[ArchivedFile]:
    left_bytes = MAX_UNPACKED_BYTES
    for entry in entries:
        content = _read(archive, entry, min(left_bytes, MAX_BYTES + 1))
        left_bytes -= len(content)
        if left_bytes <= 0:
            raise InvalidFile("zip_too_large")
        rejection = _rejection_of(content)
        yield ArchivedFile(_base_name(entry.filename), b"" if rejection else content, rejection)


def _base_name(name: str) -> str:
    """The end of the name without folders and without characters that cannot be printed."""
    base = PurePosixPath(name.replace("\\", "/")).name
    return "".join(c if c.isprintable() else "?" for c in base)[-MAX_NAME_CHARS:]


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, most: int) -> bytes:
    """At most ``most`` bytes: the size that an archive states is not trusted."""
    content = bytearray()
    with archive.open(entry) as file:
        while len(content) < most and (block := file.read(min(_BLOCK_BYTES, most - len(content)))):
            content += block
    return bytes(content)


def _rejection_of(content: bytes) -> str:
    if not content:
        return "empty"
    if len(content) > MAX_BYTES:
        return "too_large"
    try:
        sniff_format(content)
    except InvalidFile as error:
        if error.code == "zip":
            raise InvalidFile("zip_nested") from None
        return error.code
    return ""
