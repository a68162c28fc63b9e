"""Orphaned files, which have no row: a process was killed before its commit."""

import logging
from collections.abc import Iterator
from datetime import timedelta
from pathlib import PurePosixPath

from django.core.files.storage import Storage
from django.utils import timezone

from screening.models import FundusImage
from screening.photos import renditions

logger = logging.getLogger(__name__)

FOLDER = "photos"
MIN_AGE = timedelta(days=1)
"""No upload takes so long."""
MAX_DELETED = 50
"""Crashes cause a few. If there are more, rows are missing, for example after an older database was restored."""


PARTIAL_SUFFIX = ".partial"
"""Of a file that is being written. After a day its process was killed: it was never a photograph."""


def delete_orphaned_files() -> int:
    """Delete files older than a day without a row. Returns how many.

    Partial files and renditions, which are made again, are always deleted; other files only if there are at most
    MAX_DELETED.
    """
    storage = FundusImage._meta.get_field("file").storage
    found = list(_find(storage, FOLDER))
    partial = [name for name in found if name.endswith(PARTIAL_SUFFIX)]
    partial += _find(storage, renditions.FOLDER)
    for name in partial:
        storage.delete(name)
    names = [name for name in found if not name.endswith(PARTIAL_SUFFIX)]
    if len(names) > MAX_DELETED:
        logger.error(
            "%d photographs have no row: none was deleted. Was an older database restored? "
            "Restore the newest one, or move the files away.",
            len(names),
        )
        return len(partial)
    for name in names:
        storage.delete(name)
        logger.warning("Deleted %s: it has no row", name)
    return len(partial) + len(names)


def _find(storage: Storage, top: str) -> Iterator[str]:
    """Old files in the folders of ``top`` that belong to no photograph with a row, or are partial."""
    before = timezone.now() - MIN_AGE
    try:
        folders = storage.listdir(top)[0]
    except FileNotFoundError:  # no photograph was ever stored
        return
    for folder in folders:
        rows = FundusImage.objects.filter(file__startswith=f"{FOLDER}/{folder}/").values_list("file", flat=True)
        known = {_key(photo, top) for photo in rows}
        for file in sorted(storage.listdir(f"{top}/{folder}")[1]):
            name = f"{top}/{folder}/{file}"
            is_known = _key(name, top) in known and not name.endswith(PARTIAL_SUFFIX)
            if not is_known and storage.get_modified_time(name) < before:
                yield name


def _key(name: str, top: str) -> str:
    """What a file and its row have in common: the file name, of a rendition the part before its suffixes."""
    file = PurePosixPath(name).name
    return file if top == FOLDER else file.partition(".")[0]
