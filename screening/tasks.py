"""Celery's doors: each calls one service. Arguments are ids only."""

from uuid import UUID

from celery import shared_task

from screening.services import gradings


@shared_task(name=gradings.GRADE_IMAGE_TASK)
def grade_image(grading_id: str) -> None:
    """Grade one photograph; idempotent, as messages may come twice."""
    gradings.run_grading(grading_id=UUID(grading_id))


@shared_task(name="screening.tasks.sweep_gradings")
def sweep_gradings() -> None:
    """Queue again what a crash left behind."""
    gradings.sweep_gradings()
