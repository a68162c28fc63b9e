"""Stale gradings: those whose worker crashed or whose message was lost."""

from datetime import timedelta
from typing import Any

from celery import current_app
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from kombu.exceptions import ChannelError, OperationalError

from screening.models import AuditEvent, Grading
from screening.services.grading_events import record_grading_event
from screening.services.gradings import MAX_ATTEMPTS, requeue
from screening.services.worklist import update_order_of_image


def requeue_stale_gradings(*, older_than_s: float | None = None) -> int:
    """Requeue stale gradings; after MAX_ATTEMPTS attempts they fail. Returns how many were stale.

    ``older_than_s`` replaces GRADING_STALE_AFTER_S; 0 is safe only if no other process grades.
    """
    age_s = settings.GRADING_STALE_AFTER_S if older_than_s is None else older_than_s
    stale = Q(status=Grading.Status.RUNNING) & _is_old("started_at", age_s)
    if not has_backlog():
        stale |= Q(status=Grading.Status.QUEUED) & _is_old("queued_at", age_s)
    ids = list(Grading.objects.filter(stale).order_by("queued_at").values_list("pk", flat=True))
    for grading_id in ids:
        with transaction.atomic():
            grading = (
                Grading.objects.select_for_update(of=("image__exam", "self"), skip_locked=True)
                .select_related("image__exam__site")
                .filter(stale, pk=grading_id)
                .first()
            )
            if grading is not None:
                _requeue_or_fail(grading)
    return len(ids)


def _is_old(field: str, age_s: float) -> Q:
    """Older than ``age_s``, or so far in the future: then the clock of the database was set back since."""
    age = timedelta(seconds=age_s)
    return Q(**{f"{field}__lt": Now() - age}) | Q(**{f"{field}__gt": Now() + age})


def _requeue_or_fail(grading: Grading) -> None:
    was_running = grading.status == Grading.Status.RUNNING
    if was_running and grading.n_attempts >= MAX_ATTEMPTS:
        grading.status, grading.failure_code = Grading.Status.FAILED, Grading.FailureCode.WORKER_LOST
        grading.finished_at = Now()
        grading.save()
        update_order_of_image(grading.image)
        record_grading_event(AuditEvent.Verb.GRADING_FAILED, grading, code=grading.failure_code, by=None)
        return
    requeue(grading)
    record_grading_event(AuditEvent.Verb.GRADING_REQUEUED, grading, by=None)


def has_backlog() -> bool:
    """Whether the queue holds more messages than one of each periodic task.

    If so, the workers are busy, and another message would only make it longer.
    """
    queue = current_app.conf.task_default_queue
    try:
        with current_app.connection_for_write() as connection:
            channel: Any = connection.default_channel
            n_messages: int = channel.queue_declare(queue=queue, passive=True).message_count
            return n_messages > len(current_app.conf.beat_schedule)
    except ChannelError:  # brokers that delete an empty queue
        return False
    except OperationalError:
        return True  # the broker is unavailable: nothing can be sent
