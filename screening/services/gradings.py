"""Gradings: queueing, running once, retrying.

A grading is claimed by a conditional UPDATE, so two deliveries of one task
grade once, on SQLite and PostgreSQL alike; ``n_attempts`` fences off a worker that comes back after it was given up.
"""

import logging
import threading
import time
import uuid
from typing import Any

from billiard.exceptions import SoftTimeLimitExceeded
from celery import current_app
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _
from kombu.exceptions import OperationalError

from ml.errors import GradingError
from ml.prediction import Prediction
from screening.access import Action, require
from screening.models import AuditEvent, FundusImage, Grading, User
from screening.services import inference
from screening.services.audit import record_event

logger = logging.getLogger(__name__)

MAX_RETRIES = 3
GRADE_IMAGE_TASK = "screening.tasks.grade_image"
"""Published by name: the task module imports the services."""
_last = threading.local()


class _ModelChanged(Exception):
    """This process grades with another version than the row was queued for."""


class _StorageUnavailable(Exception):
    """The storage of photographs did not answer, which says nothing about this one."""


class GradingNotFailed(ValueError):
    """Only a failed grading can be tried again. The message is a sentence for the person who asked."""


def queue_grading(*, image: FundusImage, by: User | None) -> Grading:
    """Queue a reading of ``image`` by the current model; a reading that exists already is given back as it is.

    Runs in the caller's transaction; the message leaves when that commits.
    """
    with transaction.atomic():
        grading, is_new = Grading.objects.get_or_create(
            image=image, model_version=inference.current_bundle().model_version, defaults={"queued_at": timezone.now()}
        )
        if is_new:
            record_grading_event(AuditEvent.Verb.GRADING_QUEUED, grading, by=by)
            transaction.on_commit(lambda: publish(grading.pk))
    return grading


def publish(grading_id: uuid.UUID) -> None:
    """Send the task. Where the broker is unavailable the grading stays QUEUED and the sweep sends it later."""
    _last.unsent = None
    try:
        current_app.send_task(GRADE_IMAGE_TASK, args=[str(grading_id)], retry=False)
    except OperationalError:
        _last.unsent = grading_id
        logger.warning("The broker is unavailable: grading %s stays queued until the sweep", grading_id)


def broker_was_down(image: FundusImage) -> bool:
    """Whether the broker was unavailable when this thread just now queued ``image``: whoever sent it is told."""
    unsent = getattr(_last, "unsent", None)
    return unsent is not None and image.gradings.filter(pk=unsent).exists()


def run_grading(*, grading_id: uuid.UUID) -> None:
    """Grade once. Leaves unless the row is QUEUED; ends in DONE, FAILED with a reason, or with the process.

    Where the storage does not answer, the row waits again for the sweep, and fails at the third time.
    """
    grading = _claim(grading_id)
    if grading is None:
        logger.info("Grading %s is not waiting: nothing to do", grading_id)
        return
    started = time.perf_counter()
    try:
        prediction = _grade(grading)
    except _ModelChanged:
        _finish(grading, started, failure_fields(Grading.FailureCode.MODEL_CHANGED))
        queue_grading(image=grading.image, by=None)
    except GradingError:
        logger.warning("Grading %s: the photograph could not be read", grading_id)
        _finish(grading, started, failure_fields(Grading.FailureCode.UNREADABLE))
    except FileNotFoundError:
        logger.exception("Grading %s: the stored file is missing", grading_id)
        _finish(grading, started, failure_fields(Grading.FailureCode.FILE_MISSING))
    except _StorageUnavailable:
        logger.exception("Grading %s: the storage does not answer", grading_id)
        if grading.n_attempts >= MAX_RETRIES or not _release(grading):
            _finish(grading, started, failure_fields(Grading.FailureCode.STORAGE_UNAVAILABLE))
    except SoftTimeLimitExceeded:
        logger.warning("Grading %s: time limit", grading_id)
        _finish(grading, started, failure_fields(Grading.FailureCode.TIME_LIMIT))
    except Exception:
        # The boundary of the task: whatever goes wrong must end as a visible failure, never as an endless wait.
        logger.exception("Grading %s failed", grading_id)
        _finish(grading, started, failure_fields(Grading.FailureCode.UNEXPECTED))
    else:
        _finish(grading, started, _result(prediction))


def _claim(grading_id: uuid.UUID) -> Grading | None:
    with transaction.atomic():
        n_claimed = Grading.objects.filter(pk=grading_id, status=Grading.Status.QUEUED).update(
            status=Grading.Status.RUNNING, started_at=timezone.now(), n_attempts=F("n_attempts") + 1
        )
        if not n_claimed:
            return None
        return Grading.objects.select_related("image__exam__site").get(pk=grading_id)


def _grade(grading: Grading) -> Prediction:
    grader = inference.current_grader()
    if grader.bundle.model_version != grading.model_version:
        raise _ModelChanged
    return grader.grade(_read(grading))


def _read(grading: Grading) -> bytes:
    try:
        with grading.image.file.open("rb") as file:
            return bytes(file.read())
    except (FileNotFoundError, SoftTimeLimitExceeded):
        raise
    except Exception as error:  # each storage has its own ways to be away
        raise _StorageUnavailable from error


def _release(grading: Grading) -> bool:
    """Let it wait for the sweep. False if the row was taken from us meanwhile."""
    running = Grading.objects.filter(pk=grading.pk, status=Grading.Status.RUNNING, n_attempts=grading.n_attempts)
    return bool(running.update(status=Grading.Status.QUEUED, queued_at=timezone.now(), started_at=None))


def _result(prediction: Prediction) -> dict[str, Any]:
    has_heatmap = prediction.heatmap is not None
    return {
        "status": Grading.Status.DONE,
        "failure_code": "",
        "failure_text": "",
        "is_gradable": prediction.is_gradable,
        "p_gradable": prediction.p_gradable,
        "quality_reasons": list(prediction.quality_reasons),
        "grade": None if prediction.grade is None else int(prediction.grade),
        "probabilities": None if prediction.probabilities is None else list(prediction.probabilities),
        "p_referable": prediction.p_referable,
        "is_referable": prediction.is_referable,
        "operating_point": inference.current_grader().bundle.operating_point,
        "heatmap": prediction.heatmap.round(4).tolist() if prediction.heatmap is not None else None,
        "heatmap_box": list(prediction.heatmap_box) if has_heatmap and prediction.heatmap_box is not None else None,
    }


def failure_fields(code: Grading.FailureCode) -> dict[str, Any]:
    texts = {
        Grading.FailureCode.UNREADABLE: _("The photograph could not be read. Take it again, or upload another file."),
        Grading.FailureCode.FILE_MISSING: _("The stored photograph is missing. Upload it again and tell your manager."),
        Grading.FailureCode.TIME_LIMIT: _("Grading took too long and was stopped. Try again in a minute."),
        Grading.FailureCode.STORAGE_UNAVAILABLE: _(
            "The stored photograph could not be fetched. Try again; if it fails, tell your manager."
        ),
        Grading.FailureCode.WORKER_LOST: _("Grading was interrupted three times. Try again, or tell your manager."),
        Grading.FailureCode.MODEL_CHANGED: _("The model was replaced while this waited. The new one grades it now."),
        Grading.FailureCode.UNEXPECTED: _("Grading failed unexpectedly. Try again; if it fails, tell your manager."),
    }
    return {"status": Grading.Status.FAILED, "failure_code": code, "failure_text": texts[code]}


def _finish(grading: Grading, started: float, fields: dict[str, Any]) -> None:
    """Store the end, unless the row was taken from us: swept, and perhaps run by another worker."""
    with transaction.atomic():
        n_finished = Grading.objects.filter(
            pk=grading.pk, status=Grading.Status.RUNNING, n_attempts=grading.n_attempts
        ).update(finished_at=timezone.now(), duration_ms=round((time.perf_counter() - started) * 1000), **fields)
        if not n_finished:
            logger.warning("Grading %s was taken over: this result is dropped", grading.pk)
            return
        is_done = fields["status"] == Grading.Status.DONE
        verb = AuditEvent.Verb.GRADING_DONE if is_done else AuditEvent.Verb.GRADING_FAILED
        record_grading_event(verb, grading, code=fields["failure_code"], by=None)


@transaction.atomic
def retry_grading(*, grading: Grading, by: User) -> Grading:
    """Try a failed grading again, with the current model. Raises GradingNotFailed with a sentence, AccessDenied."""
    locked = Grading.objects.select_for_update(of=("self",)).select_related("image__exam__site").get(pk=grading.pk)
    require(by, Action.RETRY_GRADING, locked.image.exam.site)
    if locked.status != Grading.Status.FAILED:
        raise GradingNotFailed(_("This grading has not failed, so there is nothing to try again."))
    record_grading_event(AuditEvent.Verb.GRADING_RETRIED, locked, by=by)
    if locked.model_version != inference.current_bundle().model_version:
        return queue_grading(image=locked.image, by=by)
    requeue(locked, n_attempts=0)
    return locked


def requeue(grading: Grading, **fields: Any) -> None:
    grading.status, grading.queued_at = Grading.Status.QUEUED, timezone.now()
    grading.started_at = grading.finished_at = grading.duration_ms = None
    grading.failure_code = grading.failure_text = ""
    for name, value in fields.items():
        setattr(grading, name, value)
    grading.save()
    transaction.on_commit(lambda: publish(grading.pk))


def record_grading_event(verb: AuditEvent.Verb, grading: Grading, *, code: str = "", by: User | None) -> None:
    data: dict[str, str | float] = {
        "image": str(grading.image_id),
        "model_version": grading.model_version,
        "attempt": grading.n_attempts,
    }
    if code:
        data["code"] = str(code)
    record_event(verb=verb, subject=grading, site=grading.image.exam.site, data=data, by=by)
