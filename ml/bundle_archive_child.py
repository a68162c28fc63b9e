"""The child process that unpacks a bundle: ``python -m ml.bundle_archive_child ARCHIVE FOLDER``.

Its last line of output is JSON: nothing, or the problem. Names of the archive are not trusted: a file is written under
one of NAMES alone, and its real size counts, not the one that the archive states.
"""

import json
import resource
import stat
import sys
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from ml.bundle import EVALUATION_FILE
from ml.bundle_check import MAX_FILE_BYTES
from ml.bundle_signature import SIGNATURE_FILE
from ml.errors import BundleError

MAX_ENTRIES = 20
MAX_TEXT_BYTES = 5_000_000
NAMES = {
    **MAX_FILE_BYTES,
    SIGNATURE_FILE: 1_000,
    "model-card.md": MAX_TEXT_BYTES,
    "comparison.md": MAX_TEXT_BYTES,
    EVALUATION_FILE: MAX_TEXT_BYTES,
}
"""Files of a bundle, and how many bytes each may have."""
MAX_MEMORY_BYTES = 1_000_000_000
MAX_CPU_S = 60
_BLOCK_BYTES = 1 << 20
_IS_ENCRYPTED = 0x1
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, KeyError, NotImplementedError, RuntimeError)
"""What zipfile raises for broken archives."""


def unpack(archive: Path, folder: Path) -> None:
    """Unpack the files of a bundle, which may lie in one folder of the archive, into ``folder``. Raises BundleError."""
    try:
        with zipfile.ZipFile(archive) as opened:
            for name, entry in _checked(opened.infolist()).items():
                _write(opened, entry, folder / name, NAMES[name])
    except _BROKEN:
        raise BundleError("The archive is damaged, or no ZIP archive.") from None


def _checked(entries: list[zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
    """The entry of each file, by its name in a bundle."""
    if len(entries) > MAX_ENTRIES:
        raise BundleError(f"The archive has more than {MAX_ENTRIES} files.")
    found: dict[str, zipfile.ZipInfo] = {}
    folders = set()
    for entry in entries:
        path = PurePosixPath(entry.filename)
        if _leads_outside(entry.filename) or stat.S_ISLNK(entry.external_attr >> 16):
            raise BundleError("The archive has links, or paths that lead out of it.")
        if entry.flag_bits & _IS_ENCRYPTED or entry.compress_type not in _METHODS:
            raise BundleError("The archive is encrypted, or compressed by a method that is not usual.")
        if entry.is_dir():
            continue
        if path.name not in NAMES or len(path.parts) > 2:
            raise BundleError("The archive has a file that no bundle has.")
        if path.name in found:
            raise BundleError(f"The archive has {path.name} twice.")
        found[path.name] = entry
        folders.add(path.parent)
    missing = [name for name in (*MAX_FILE_BYTES,) if name not in found]
    if missing or len(folders) != 1:
        raise BundleError(f"The archive is no bundle: {', '.join(missing) or 'its files are in several folders'}.")
    return found


def _leads_outside(name: str) -> bool:
    path = PurePosixPath(name.replace("\\", "/"))
    return path.is_absolute() or ".." in path.parts or ":" in name or "\\" in name or "\x00" in name


def _write(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, file: Path, limit: int) -> None:
    n_bytes = 0
    with archive.open(entry) as source, file.open("xb") as target:
        while block := source.read(_BLOCK_BYTES):
            n_bytes += len(block)
            if n_bytes > limit:
                raise BundleError(f"{file.name} has more than {limit / 1_000_000:g} MB.")
            target.write(block)


def _limit() -> None:
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (MAX_CPU_S, MAX_CPU_S))
    resource.setrlimit(resource.RLIMIT_FSIZE, (max(NAMES.values()), max(NAMES.values())))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main() -> None:
    """Unpack the archive that is named, and print the problem if there is one."""
    _limit()
    result = {}
    try:
        unpack(Path(sys.argv[1]), Path(sys.argv[2]))
    except BundleError as error:
        result = {"problem": str(error)}
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
