"""Celery tasks. Each calls one service; arguments are ids only."""

import logging
from uuid import UUID

from billiard.exceptions import SoftTimeLimitExceeded
from celery import Task, current_app, shared_task
from celery.exceptions import Reject
from kombu.exceptions import OperationalError

from ml.errors import BundleError
from screening.services import accounts, drafts, gradings, idempotency_keys, orphaned_files, stale_gradings, uploads
from screening.services.accounts import LOCKOUT_NOTICE_TASK
from screening.services.gradings import GRADE_IMAGE_TASK

logger = logging.getLogger(__name__)


@shared_task(name=GRADE_IMAGE_TASK, bind=True)
def grade_image(self: "Task[[str], None]", grading_id: str) -> None:
    """Grade one photograph. Idempotent: a broker may deliver a message twice.

    If the model cannot be loaded, the worker leaves the queue and the message returns to it, for another worker.
    """
    try:
        gradings.run_grading(grading_id=UUID(grading_id))
    except SoftTimeLimitExceeded as error:  # before the claim: a claimed grading fails with a code
        logger.warning("Loading the model took too long; the next try is faster, as its files are in memory")
        raise Reject(error, requeue=True) from error
    except BundleError as error:
        logger.critical("The model cannot be loaded: this worker takes no photographs (%s)", error)
        _leave_queue(self.request.hostname)
        raise Reject(error, requeue=True) from error


def _leave_queue(worker: str | None) -> None:
    """Stop ``worker`` from taking tasks, and wait until it has."""
    if worker is None:  # called in this process, without a worker
        return
    try:
        current_app.control.cancel_consumer(
            current_app.conf.task_default_queue, destination=[worker], reply=True, timeout=5
        )
    except OperationalError:
        logger.warning("The broker is unavailable: this worker has not left the queue")


@shared_task(name=LOCKOUT_NOTICE_TASK)
def send_lockout_notice(user_id: str) -> None:
    """Tell a person by e-mail that wrong passwords were entered for the account."""
    accounts.send_lockout_notice(user_id=UUID(user_id))


@shared_task(name="screening.tasks.requeue_stale_gradings")
def requeue_stale_gradings() -> None:
    """Requeue gradings whose worker crashed or whose message was lost."""
    stale_gradings.requeue_stale_gradings()


@shared_task(name="screening.tasks.delete_old_drafts", acks_late=False)
def delete_old_drafts() -> None:
    """Delete drafts of readings that were not changed for seven days."""
    drafts.delete_old_drafts()


@shared_task(name="screening.tasks.delete_orphaned_files", acks_late=False, soft_time_limit=840, time_limit=900)
def delete_orphaned_files() -> None:
    """Delete stored files without a database row."""
    orphaned_files.delete_orphaned_files()


@shared_task(name="screening.tasks.delete_expired_idempotency_keys")
def delete_expired_idempotency_keys() -> None:
    """Delete idempotency keys older than a day."""
    idempotency_keys.delete_expired_keys()


@shared_task(name="screening.tasks.delete_expired_uploads", acks_late=False, soft_time_limit=840, time_limit=900)
def delete_expired_uploads() -> None:
    """Delete uploads that were not added to their exam within a day."""
    uploads.delete_expired_uploads()
