"""Orphaned files, which have no row: a process was killed before its commit."""

import logging
from collections.abc import Iterator
from datetime import timedelta
from pathlib import PurePosixPath
from typing import Any

from django.core.files.storage import Storage
from django.utils import timezone

from screening.models import Document, FundusImage, LetterBatch
from screening.photos import renditions

logger = logging.getLogger(__name__)

FOLDER = "photos"
_MODELS: dict[str, tuple[Any, tuple[str, ...]]] = {
    FOLDER: (FundusImage, ("file",)),
    "documents": (Document, ("file",)),
    "letters": (LetterBatch, ("pdf", "archive")),
}
"""Folders of the storage, with the model and the fields whose rows have the files."""
MIN_AGE = timedelta(days=1)
"""No upload takes so long."""
MAX_DELETED = 50
"""Crashes cause a few. If there are more, rows are missing, for example after an older database was restored."""


PARTIAL_SUFFIX = ".partial"
"""Of a file that is being written. After a day its process was killed: it was never a photograph."""


def delete_orphaned_files() -> int:
    """Delete files older than a day without a row. Returns how many.

    Partial files and renditions, which are made again, are always deleted; photographs only if there are at most
    MAX_DELETED, and so are documents and letters.
    """
    storage = FundusImage._meta.get_field("file").storage
    found = {folder: list(_find(storage, folder)) for folder in _MODELS}
    partial = [name for names in found.values() for name in names if name.endswith(PARTIAL_SUFFIX)]
    partial += _find(storage, renditions.FOLDER)
    for name in partial:
        storage.delete(name)
    return len(partial) + sum(_delete(storage, folder, names) for folder, names in found.items())


def _delete(storage: Storage, folder: str, found: list[str]) -> int:
    names = [name for name in found if not name.endswith(PARTIAL_SUFFIX)]
    if len(names) > MAX_DELETED:
        logger.error(
            "%d files in %s have no row: none was deleted. Was an older database restored? "
            "Restore the newest one, or move the files away.",
            len(names),
            folder,
        )
        return 0
    for name in names:
        storage.delete(name)
        logger.warning("Deleted %s: it has no row", name)
    return len(names)


def _find(storage: Storage, top: str) -> Iterator[str]:
    """Old files in the folders of ``top`` that belong to no row, or are partial; renditions belong to a photograph."""
    before = timezone.now() - MIN_AGE
    of_rows = top if top in _MODELS else FOLDER
    try:
        folders = storage.listdir(top)[0]
    except FileNotFoundError:  # none was ever stored
        return
    for folder in folders:
        known = {_key(name, top) for name in _names(of_rows, f"{of_rows}/{folder}/")}
        for file in sorted(storage.listdir(f"{top}/{folder}")[1]):
            name = f"{top}/{folder}/{file}"
            is_known = _key(name, top) in known and not name.endswith(PARTIAL_SUFFIX)
            if not is_known and storage.get_modified_time(name) < before:
                yield name


def _names(folder: str, start: str) -> Iterator[str]:
    """Names of files in the rows of a folder that begin with ``start``."""
    model, fields = _MODELS[folder]
    for field in fields:
        yield from model.objects.filter(**{f"{field}__startswith": start}).values_list(field, flat=True)


def _key(name: str, top: str) -> str:
    """What a file and its row have in common: the file name, of a rendition the part before its suffixes."""
    file = PurePosixPath(name).name
    return file if top in _MODELS else file.partition(".")[0]
