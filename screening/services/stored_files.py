"""Files of photographs: one exists with its row, or not at all."""

import logging

from django.db import connection

from screening.models import FundusImage

logger = logging.getLogger(__name__)


def delete_unless_committed(image: FundusImage) -> None:
    """Delete the file after an error. If the connection was lost at the commit, the row may be stored nevertheless."""
    name = image.file.name or ""
    try:
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()  # the next query opens another one
        if not FundusImage.objects.filter(pk=image.pk).exists():
            image.file.storage.delete(name)
    except Exception:  # the error of the upload is the one that is reported
        logger.exception("The file %s is left: orphaned files are deleted after a day", name)
