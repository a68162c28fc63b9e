"""Sending gradings to the workers, and asking how the queue stands."""

import logging
import threading
import uuid
from typing import Any

from celery import current_app
from kombu.exceptions import ChannelError, OperationalError

from screening.models import FundusImage

logger = logging.getLogger(__name__)

GRADE_IMAGE_TASK = "screening.tasks.grade_image"
"""Published by name: the task module imports the services."""
_last = threading.local()


def publish(grading_id: uuid.UUID) -> None:
    """Send the task. Where the broker is away the grading stays QUEUED and the sweep sends it later."""
    _last.unsent = None
    try:
        current_app.send_task(GRADE_IMAGE_TASK, args=[str(grading_id)], retry=False)
    except OperationalError:
        _last.unsent = grading_id
        logger.warning("The broker is away: grading %s stays queued until the sweep", grading_id)


def is_late_from_start(image: FundusImage) -> bool:
    """Whether the broker was away when this thread just now queued ``image``: whoever sent it is told."""
    unsent = getattr(_last, "unsent", None)
    return unsent is not None and image.gradings.filter(pk=unsent).exists()


def are_messages_waiting() -> bool:
    """Whether the queue holds messages: then the workers are behind, and sending all again would bury them."""
    queue = current_app.conf.task_default_queue
    try:
        with current_app.connection_for_write() as connection:
            channel: Any = connection.default_channel
            return bool(channel.queue_declare(queue=queue, passive=True).message_count)
    except ChannelError:  # brokers that forget an empty queue
        return False
    except OperationalError:
        return True  # the broker is away: nothing could be sent now
