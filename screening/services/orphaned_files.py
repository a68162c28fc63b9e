"""Files without a record: a process that is killed between writing a photograph and committing leaves one behind."""

import logging
from collections.abc import Iterator
from datetime import timedelta

from django.core.files.storage import Storage
from django.utils import timezone

from screening.models import FundusImage

logger = logging.getLogger(__name__)

FOLDER = "photos"
MIN_AGE = timedelta(days=1)
"""No upload takes so long: its record will not come any more."""
MAX_DELETED = 50
"""Crashes leave a few. More than that means that the records are missing: an older database was restored, perhaps."""


def delete_orphaned_files() -> int:
    """Delete files older than a day that no record names. Returns how many; deletes none where there are too many."""
    storage = FundusImage._meta.get_field("file").storage
    names = list(_find(storage))
    if len(names) > MAX_DELETED:
        logger.error(
            "%d photographs have no record: none was deleted. Was an older database restored? "
            "Restore the newest one, or move the files away.",
            len(names),
        )
        return 0
    for name in names:
        storage.delete(name)
        logger.warning("Deleted %s: it was written and never recorded", name)
    return len(names)


def _find(storage: Storage) -> Iterator[str]:
    before = timezone.now() - MIN_AGE
    try:
        folders = storage.listdir(FOLDER)[0]
    except FileNotFoundError:  # no photograph was ever stored
        return
    for folder in folders:
        names = {f"{FOLDER}/{folder}/{name}" for name in storage.listdir(f"{FOLDER}/{folder}")[1]}
        recorded = FundusImage.objects.filter(file__startswith=f"{FOLDER}/{folder}/").values_list("file", flat=True)
        for name in sorted(names.difference(recorded)):
            if storage.get_modified_time(name) < before:
                yield name
