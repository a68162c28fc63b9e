"""Messages to the workers about imports: ids only. A lost one is sent again by a periodic task."""

import logging
import uuid
from functools import partial

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

from screening.models import DataImport

logger = logging.getLogger(__name__)

WORK_TASK = "screening.tasks.work_on_import"


def publish_work(data_import: DataImport) -> None:
    """Have a worker continue the import, once the transaction is committed."""
    transaction.on_commit(partial(publish, data_import.pk))


def publish(import_id: uuid.UUID) -> None:
    """Send the message now."""
    try:
        current_app.send_task(WORK_TASK, args=[str(import_id)], retry=False)
    except OperationalError:
        logger.warning("The broker is unavailable: import %s waits for the periodic task", import_id)
