"""Celery tasks. Each calls one service; arguments are ids only."""

import logging
from uuid import UUID

from billiard.exceptions import SoftTimeLimitExceeded
from celery import Task, current_app, shared_task
from celery.exceptions import Reject
from kombu.exceptions import OperationalError

from ml.errors import BundleError
from screening.reports import letter_batches, making
from screening.services import (
    accounts,
    arbitration_drafts,
    bookings,
    daily_counts,
    documents,
    drafts,
    drift_checks,
    gradings,
    idempotency_keys,
    late_referrals,
    letter_files,
    message_sending,
    orphaned_files,
    recall_runs,
    regradings,
    repeats,
    shadow_gradings,
    stale_gradings,
    uploads,
)
from screening.services.accounts import LOCKOUT_NOTICE_TASK
from screening.services.documents import MAKE_DOCUMENT_TASK
from screening.services.grading_queue import GRADE_NEXT_TASK
from screening.services.imports import cleanup as import_cleanup
from screening.services.imports import work
from screening.services.imports.queue import WORK_TASK
from screening.services.letter_batches import MAKE_LETTERS_TASK, requeue_stale_batches

logger = logging.getLogger(__name__)


@shared_task(name=GRADE_NEXT_TASK, bind=True)
def grade_next(self: "Task[[], None]") -> None:
    """Grade the photograph that is next in the order. A message that is delivered twice grades none twice.

    If the model cannot be loaded, the worker leaves the queue and the message returns to it, for another worker.
    """
    try:
        gradings.run_next()
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


@shared_task(name=MAKE_DOCUMENT_TASK)
def make_document(document_id: str) -> None:
    """Make one document. Idempotent: a broker may deliver a message twice."""
    making.make_document(document_id=UUID(document_id))


@shared_task(name=MAKE_LETTERS_TASK, acks_late=False, soft_time_limit=840, time_limit=900)
def make_letters(batch_id: str) -> None:
    """Make the letters to the people of a list, some minutes of them; another task continues."""
    letter_batches.make_letters(batch_id=UUID(batch_id))


@shared_task(name="screening.tasks.requeue_stale_gradings")
def requeue_stale_gradings() -> None:
    """Requeue gradings, documents and letters whose worker crashed or whose message was lost."""
    stale_gradings.requeue_stale_gradings()
    documents.requeue_stale_documents()
    requeue_stale_batches()


@shared_task(name="screening.tasks.grade_shadows", acks_late=False)
def grade_shadows() -> None:
    """Grade photographs of sites in shadow mode for some seconds, while no photograph waits for the model in use."""
    shadow_gradings.grade_shadows()


@shared_task(name="screening.tasks.work_on_regradings", acks_late=False)
def work_on_regradings() -> None:
    """Grade photographs of re-gradings for some seconds, while no photograph waits."""
    regradings.work_on_regradings()


@shared_task(name="screening.tasks.report_late_referrals", acks_late=False)
def report_late_referrals() -> None:
    """Report referrals whose next step is overdue, each once."""
    late_referrals.report_late_referrals()


@shared_task(name="screening.tasks.run_recall", acks_late=False, soft_time_limit=840, time_limit=900)
def run_recall() -> None:
    """End suspensions and opt-outs that are over, and compute due dates again."""
    recall_runs.run_recall()


@shared_task(name=WORK_TASK, acks_late=False, soft_time_limit=840, time_limit=900)
def work_on_import(import_id: str) -> None:
    """Read, check or write the file of an import."""
    work.work_on_import(import_id=UUID(import_id))


@shared_task(name="screening.tasks.close_past_bookings", acks_late=False, soft_time_limit=840, time_limit=900)
def close_past_bookings() -> None:
    """Record who did not attend on the days that have passed."""
    bookings.close_past_bookings()


@shared_task(name="screening.tasks.clean_up_imports", acks_late=False, soft_time_limit=840, time_limit=900)
def clean_up_imports() -> None:
    """Delete data of imports that have ended, and continue those whose worker crashed."""
    import_cleanup.clean_up_imports()


@shared_task(name="screening.tasks.update_counts", acks_late=False, soft_time_limit=240, time_limit=300)
def update_counts() -> None:
    """Count the days of the dashboard whose exams changed."""
    daily_counts.update_counts()


@shared_task(name="screening.tasks.check_drift", acks_late=False, soft_time_limit=840, time_limit=900)
def check_drift() -> None:
    """Compare the photographs of the last whole week with those before, once for a site and week."""
    drift_checks.check_drift()


@shared_task(name="screening.tasks.delete_old_drafts", acks_late=False)
def delete_old_drafts() -> None:
    """Delete drafts of readings that were not changed for seven days, and drop repeats that are not read any more."""
    drafts.delete_old_drafts()
    arbitration_drafts.delete_old_decision_drafts()
    repeats.drop_ended_repeats()


@shared_task(name="screening.tasks.delete_letter_files", acks_late=False)
def delete_letter_files() -> None:
    """Delete files of letters that were made at once and are kept long enough."""
    letter_files.delete_expired_files()


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


@shared_task(name="screening.tasks.send_messages", acks_late=False, soft_time_limit=840, time_limit=900)
def send_messages() -> None:
    """Send the messages that wait and are due."""
    message_sending.send_messages()
