"""Gradings: queueing, running once, retrying.

A worker claims the next grading (``grading_queue``) by a conditional UPDATE, so that each is graded once, also without
row locks, as on SQLite. ``n_attempts`` is the fencing token: a worker whose claim was lost cannot store its result.
All times are those of the database: clocks of workers may be wrong.
"""

import logging
import time
import uuid
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Any

from billiard.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from ml.errors import DecoderUnavailable, GradingError
from ml.vocabulary import ServedModel
from screening.access import Action, require
from screening.labels.failures import FailureCode
from screening.models import AuditEvent, FundusImage, Grading, Heatmap, User
from screening.services import grading_queue, inference
from screening.services.active_bundles import ActiveBundleUnavailable, grader_by_id, version_in_use
from screening.services.grading_events import new_grading_event, record_grading_event
from screening.services.grading_results import heatmap_of, result_columns
from screening.services.worklist import (
    lock_with_site,
    locking,
    update_order_of_image,
    update_order_of_locked,
)

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 3


class _ModelChanged(Exception):
    """The grading was queued for a model, or a version of it, that this process does not have."""


class _StorageUnavailable(Exception):
    """The storage of photographs did not respond."""


class GradingNotFailed(ValueError):
    """Only a failed grading can be retried. The message is for the user."""


def queue_grading(
    *, image: FundusImage, model: ServedModel | None = None, is_bulk: bool = False, by: User | None
) -> Grading:
    """Queue a grading of ``image`` by a model, None: that of the site, or return the one that exists.

    ``is_bulk``: no user waits for it. Runs in the caller's transaction; the message is sent after commit.
    """
    site = image.exam.site
    model = model or site.served_model
    version = version_in_use(site, model)
    with transaction.atomic():
        exam = lock_with_site(image.exam)  # NB: before the row, as all code that locks both
        grading, is_new = Grading.objects.get_or_create(
            image=image,
            model_version=version,
            defaults={
                "model": model,
                "queue_site": site,
                "is_bulk": is_bulk,
                "queued_at": Now(),
                "published_at": Now(),
            },
        )
        if is_new:
            grading.refresh_from_db(fields=["queued_at", "published_at"])
            update_order_of_locked(exam)
            record_grading_event(AuditEvent.Verb.GRADING_QUEUED, grading, by=by)
            transaction.on_commit(partial(grading_queue.publish, grading))
    return grading


def queue_first_grading(
    *, image: FundusImage, version: str, at: datetime, is_bulk: bool, by: User
) -> tuple[Grading, AuditEvent]:
    """Queue the grading of a new photograph by the model of its site, whose exam is locked, with its site.

    ``at`` is a time of the database. Returns the grading and its event, which the caller stores.
    """
    site = image.exam.site
    grading = Grading.objects.create(
        image=image, model=site.served_model, model_version=version, queued_at=at, published_at=at, queue_site=site,
        is_bulk=is_bulk,
    )  # fmt: skip
    update_order_of_locked(image.exam)
    transaction.on_commit(partial(grading_queue.publish, grading))
    return grading, new_grading_event(AuditEvent.Verb.GRADING_QUEUED, grading, by=by)


def run_next() -> None:
    """Grade the next photograph, if one waits. Ends as ``run_grading`` does, and raises the same."""
    claimed = _claim_next()
    if claimed is None:
        logger.info("No photograph waits: nothing to do")
    else:
        _grade_claimed(*claimed)


def _claim_next() -> "tuple[Grading, inference.Grader | None] | None":
    """Claim the next grading, with its grader as ``_grade`` takes it; None if none waits."""
    while True:
        with transaction.atomic():
            grading = grading_queue.lock_next()
            if grading is None:
                return None
            grader = _grader_if_available(grading)
            if grading_queue.claim(grading):
                return grading, grader


def run_grading(*, grading_id: uuid.UUID) -> None:
    """Grade a photograph, unless its grading is no longer QUEUED. Ends in DONE or FAILED with a code.

    If the storage does not respond or no decoder is available the grading is QUEUED again; the third attempt fails.
    Raises BundleError if the released model cannot be loaded: the grading is then unchanged. If the bundle that is
    active at the site cannot be, the grading fails.
    """
    grading = grading_queue.gradings_to_run().filter(pk=grading_id).first()
    grader = None if grading is None else _grader_if_available(grading)
    if grading is None or not grading_queue.claim(grading):
        logger.info("Grading %s is not queued: nothing to do", grading_id)
        return
    _grade_claimed(grading, grader)


def _grader_if_available(grading: Grading) -> "inference.Grader | None":
    """Load the grader before the claim. Raises BundleError for the released model."""
    if grading.model in settings.GRADING_MODELS:
        with suppress(ActiveBundleUnavailable):
            return _grader(grading)
    return None


def _grader(grading: Grading) -> "inference.Grader":
    active: uuid.UUID | None = grading.active_bundle  # type: ignore[attr-defined]  # annotated
    return grader_by_id(active, ServedModel(grading.model))


def _grade_claimed(grading: Grading, grader: "inference.Grader | None") -> None:
    grading_id = grading.pk
    started = time.perf_counter()
    try:
        result, heatmap = _grade(grading, grader)
    except _ModelChanged:
        _fail(grading, started, FailureCode.MODEL_CHANGED)
        queue_grading(image=grading.image, model=_installed_model(grading), is_bulk=grading.is_bulk, by=None)
    except ActiveBundleUnavailable:
        logger.exception("Grading %s: the bundle that is active at its site cannot be loaded", grading_id)
        _fail(grading, started, FailureCode.MODEL_UNAVAILABLE)
    except GradingError:
        logger.warning("Grading %s: the photograph could not be read", grading_id)
        _fail(grading, started, FailureCode.UNREADABLE)
    except FileNotFoundError:
        logger.exception("Grading %s: the stored file is missing", grading_id)
        _fail(grading, started, FailureCode.FILE_MISSING)
    except (_StorageUnavailable, DecoderUnavailable) as error:
        logger.exception("Grading %s: the storage does not respond, or no decoder is available", grading_id)
        is_storage = isinstance(error, _StorageUnavailable)
        _postpone(grading, started, FailureCode.STORAGE_UNAVAILABLE if is_storage else FailureCode.UNEXPECTED)
    except SoftTimeLimitExceeded:
        logger.warning("Grading %s: time limit", grading_id)
        _fail(grading, started, FailureCode.TIME_LIMIT)
    except Exception:
        # The boundary of the task: every error must end as a visible failure, never as an endless wait.
        logger.exception("Grading %s failed", grading_id)
        _fail(grading, started, FailureCode.UNEXPECTED)
    else:
        _finish(grading, started, result, heatmap)


def _grade(grading: Grading, grader: "inference.Grader | None") -> tuple[dict[str, Any], Heatmap | None]:
    """The columns of a finished grading, and its heatmaps; ``grader`` is None if that of the site cannot be used."""
    if grading.model not in settings.GRADING_MODELS:
        raise _ModelChanged
    grader = grader or _grader(grading)
    if grader.bundle.model_version != grading.model_version:
        raise _ModelChanged
    has_thresholds: bool = grading.has_thresholds  # type: ignore[attr-defined]  # annotated
    site = grading.image.exam.site if has_thresholds else None
    prediction = grader.grade(_read(grading))
    columns = result_columns(prediction, site, own_point=grader.bundle.operating_point)
    return columns, heatmap_of(prediction, grading)


def _installed_model(grading: Grading) -> ServedModel:
    """The model of a grading; that of the site if this installation does not have it any more."""
    model = ServedModel(grading.model)
    return model if model in settings.GRADING_MODELS else grading.image.exam.site.served_model


def _read(grading: Grading) -> bytes:
    try:
        with grading.image.file.open("rb") as file:
            return bytes(file.read())
    except (FileNotFoundError, SoftTimeLimitExceeded):
        raise
    except Exception as error:  # each storage raises errors of its library
        raise _StorageUnavailable from error


def _postpone(grading: Grading, started: float, code: FailureCode) -> None:
    """Queue a claimed grading again; it fails with ``code`` after the last attempt."""
    if grading.n_attempts >= MAX_ATTEMPTS or not _release(grading):
        _fail(grading, started, code)


def _release(grading: Grading) -> bool:
    """Queue a claimed grading again. False if the claim was lost."""
    fields = {"status": Grading.Status.QUEUED, "queued_at": Now(), "published_at": None}
    return bool(_claimed(grading).update(**fields))


def _claimed(grading: Grading) -> QuerySet[Grading]:
    """The row, while this worker's claim on it holds."""
    return Grading.objects.filter(pk=grading.pk, status=Grading.Status.RUNNING, n_attempts=grading.n_attempts)


def _fail(grading: Grading, started: float, code: FailureCode) -> None:
    _finish(grading, started, {"status": Grading.Status.FAILED, "failure_code": code})


def _finish(grading: Grading, started: float, fields: dict[str, Any], heatmap: Heatmap | None = None) -> None:
    """Store the result with its heatmaps, unless the claim was lost to a requeue."""
    duration_ms = round((time.perf_counter() - started) * 1000)
    with transaction.atomic():
        claimed = _claimed(grading).filter(locking(grading.image.exam_id))
        if not claimed.update(finished_at=Now(), duration_ms=duration_ms, **fields):
            logger.warning("The claim on grading %s was lost: its result is dropped", grading.pk)
            return
        if heatmap is not None:
            heatmap.save(force_insert=True)
        update_order_of_image(grading.image)
        is_done = fields["status"] == Grading.Status.DONE
        verb = AuditEvent.Verb.GRADING_DONE if is_done else AuditEvent.Verb.GRADING_FAILED
        record_grading_event(verb, grading, code=fields["failure_code"], by=None)


@transaction.atomic
def retry_grading(*, grading: Grading, by: User) -> Grading:
    """Queue a failed grading again, for the current version of its model. Raises GradingNotFailed, AccessDenied."""
    rows = Grading.objects.select_for_update(of=("image__exam", "self")).select_related("image__exam__site")
    locked = rows.get(pk=grading.pk)
    require(by, Action.RETRY_GRADING, locked.image.exam.site)
    if locked.status != Grading.Status.FAILED:
        raise GradingNotFailed(_("This grading has not failed, so there is nothing to retry."))
    record_grading_event(AuditEvent.Verb.GRADING_RETRIED, locked, by=by)
    model = _installed_model(locked)
    if locked.model_version != version_in_use(locked.image.exam.site, model):
        return queue_grading(image=locked.image, model=model, by=by)
    requeue(locked, n_attempts=0, is_bulk=False)
    return locked


@transaction.atomic
def grade_image(*, image: FundusImage, model: ServedModel | None, by: User) -> Grading:
    """Grade a photograph by a model, None: that of the site. Gradings by the other model stay.

    Returns the grading that exists, and queues it again if it has failed. Raises AccessDenied.
    """
    require(by, Action.RETRY_GRADING, image.exam.site)
    grading = queue_grading(image=image, model=model, by=by)
    return retry_grading(grading=grading, by=by) if grading.status == Grading.Status.FAILED else grading


def requeue(grading: Grading, **fields: Any) -> None:
    """Queue a grading again in the caller's transaction, with ``fields`` changed; it is locked, and its exam.

    The message is sent after commit.
    """
    grading.status, grading.queue_site = Grading.Status.QUEUED, grading.image.exam.site
    grading.queued_at = grading.published_at = Now()
    grading.finished_at = grading.duration_ms = None
    grading.failure_code = ""
    for name, value in fields.items():
        setattr(grading, name, value)
    grading.save()
    grading.refresh_from_db(fields=["queued_at", "published_at"])
    update_order_of_image(grading.image)
    transaction.on_commit(partial(grading_queue.publish, grading))
