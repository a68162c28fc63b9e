"""Celery tasks. Each calls one service; arguments are ids only."""

from uuid import UUID

from celery import shared_task

from screening.services import drafts, gradings, idempotency_keys, orphaned_files, stale_gradings
from screening.services.gradings import GRADE_IMAGE_TASK


@shared_task(name=GRADE_IMAGE_TASK)
def grade_image(grading_id: str) -> None:
    """Grade one photograph. Idempotent: a broker may deliver a message twice."""
    gradings.run_grading(grading_id=UUID(grading_id))


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
