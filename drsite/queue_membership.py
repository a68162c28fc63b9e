"""A worker that cannot load its model leaves the grading queue, so that other workers grade what waits.

It joins the queue again when the files of the bundle are restored, and tries again every RETRY_AFTER_S while they look
intact: the reason may have been a lack of memory. It keeps running meanwhile: health checks, metrics
and ``manage.py doctor`` report it by its heartbeat.
"""

import logging
import time
from typing import Any

from django.conf import settings

from ml.errors import BundleError
from screening.services import inference

logger = logging.getLogger(__name__)
RETRY_AFTER_S = 60


class QueueMembership:
    """Whether the main process of a worker takes tasks. Not for threads.

    A child process whose model cannot be loaded takes its worker out of the queue by ``cancel_consumer``
    (``screening.tasks``).
    """

    def __init__(self) -> None:
        self._app: Any = None
        self._consumer: Any = None
        self._left_at: float | None = None
        self._files: list[inference.FilesState] = []

    def begin(self, app: Any) -> None:
        """Verify the bundle before the first task is taken."""
        self._app, self._files = app, _state_of_files()
        if not _is_intact():
            app.amqp.queues.deselect(self._queue)

    def connect(self, consumer: Any) -> None:
        """Store the consumer, which starts and stops taking tasks."""
        self._consumer = consumer

    def update(self) -> bool:
        """Verify the bundle again if its files have changed. Returns whether the worker takes tasks."""
        if self.is_member():
            self._left_at = None
        elif self._left_at is None:
            self._left_at = time.monotonic()
        files = _state_of_files()
        is_due = self._left_at is not None and time.monotonic() - self._left_at >= RETRY_AFTER_S
        if self._consumer is not None and (files != self._files or is_due):
            self._files, self._left_at = files, None
            is_intact = _is_intact()
            if is_intact and not self.is_member():
                logger.warning("The model bundle is intact: this worker takes photographs again")
                self._consumer.add_task_queue(self._queue)
            elif not is_intact and self.is_member():
                self._consumer.cancel_task_queue(self._queue)
        return self.is_member()

    def is_member(self) -> bool:
        return self._app is None or self._queue in self._app.amqp.queues.consume_from

    @property
    def _queue(self) -> str:
        return str(self._app.conf.task_default_queue)


def _state_of_files() -> list[inference.FilesState]:
    """Of all models of this installation: any of them may be asked for."""
    try:
        return [inference.state_of_files(model) for model in settings.GRADING_MODELS]
    except (BundleError, OSError):
        return []


def _is_intact() -> bool:
    try:
        for model in settings.GRADING_MODELS:
            inference.read_own_bundle(model, verify=True)
    except (BundleError, OSError) as error:
        logger.critical("This worker cannot grade, and takes no photographs until its model is restored: %s", error)
        return False
    return True
