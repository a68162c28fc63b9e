"""Documents: requesting, claiming, storing, failing. ``screening/reports/`` makes their content.

As for gradings, a worker claims a document by a conditional UPDATE, ``n_attempts`` is the fencing token, and all times
are those of the database.
"""

import hashlib
import logging
import uuid
from datetime import datetime, time, timedelta
from typing import Any

from celery import current_app
from django.conf import settings
from django.core.files import File
from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _
from kombu.exceptions import OperationalError

from screening.access import Action, require
from screening.labels.documents import DocumentFailure
from screening.models import AuditEvent, Document, MessageTemplate, Patient, Review, User
from screening.policy.letters import LetterVariant
from screening.selectors.documents import letterhead_of
from screening.services.audit import record_event
from screening.services.exams import ExamError
from screening.services.stale_gradings import has_backlog

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 3
MAKE_DOCUMENT_TASK = "screening.tasks.make_document"
"""Published by name: the module of the tasks imports the services."""
Verb, Status = AuditEvent.Verb, Document.Status


class NotMade(ExamError):
    """The document has no file. The message is for the user."""

    def __init__(self) -> None:
        super().__init__(_("This document is not made yet, or it failed. Request it again if it does not appear."))


@transaction.atomic
def request_report(
    *, review: Review, has_heatmaps: bool, language: str, data_sha256: str, by: User
) -> tuple[Document, bool]:
    """Queue the clinical report of a signed review, and whether it is new.

    The same data need no second report: the one that exists is returned, and queued again if it has failed. The caller
    checks that ``by`` sees the review. Raises AccessDenied.
    """
    require(by, Action.VIEW_PATIENT, review.exam.site)
    Review.objects.select_for_update(of=("self",)).get(pk=review.pk)  # two requests at once make one document
    same = {"kind": Document.Kind.CLINICAL_REPORT, "review": review, "has_heatmaps": has_heatmaps}
    same |= {"language": language, "data_sha256": data_sha256, "patient": review.exam.patient}
    return _find_or_queue(same, by)


@transaction.atomic
def request_letter(
    *,
    kind: Document.Kind,
    patient: Patient,
    review: Review | None,
    variant: LetterVariant,
    language: str,
    text: MessageTemplate | None,
    data_sha256: str,
    is_published: bool = True,
    by: User,
) -> tuple[Document, bool]:
    """Queue a letter, and whether it is new: as for reports, the same data need no second one on the same day.

    Not published, the caller makes it; if it crashes, ``requeue_stale_documents`` publishes it.
    The caller checks that ``by`` sees the patient and the review. Raises AccessDenied.
    """
    require(by, Action.VIEW_PATIENT if review is not None else Action.MANAGE_REGISTER, patient.site)
    Patient.objects.select_for_update(of=("self",)).get(pk=patient.pk)  # two requests at once make one document
    same: dict[str, Any] = {"kind": kind, "patient": patient, "review": review, "variant": variant.value, "text": text}
    same |= {"language": language, "data_sha256": data_sha256}
    return _find_or_queue(same, by, is_dated=True, is_published=is_published)


def _find_or_queue(
    same: dict[str, Any], by: User, *, is_dated: bool = False, is_published: bool = True
) -> tuple[Document, bool]:
    """The document with these values, queued again if it failed, or a new one. ``is_dated``: of the same day only."""
    review, site = same["review"], same["patient"].site
    letterhead = letterhead_of(site)
    rows = Document.objects.filter(**same, letterhead=letterhead)
    if is_dated:
        today = timezone.localdate(timezone=site.zone)
        rows = rows.filter(created_at__gte=datetime.combine(today, time.min, tzinfo=site.zone))
    document = rows.order_by("-created_at").first()
    if document is not None and document.status != Status.FAILED:
        return document, False
    is_new = document is None
    if document is None:
        exam = None if review is None else review.exam
        document = Document.objects.create(
            **same, site=site, exam=exam, letterhead=letterhead, requested_by=by, queued_at=Now()
        )
    _queue(document, n_attempts=0, is_published=is_published)
    facts: dict[str, str | float] = {"kind": document.kind, "has_heatmaps": document.has_heatmaps}
    facts |= {"language": document.language, "variant": document.variant}
    _record(Verb.DOCUMENT_REQUESTED, document, by=by, **facts)
    return document, is_new


def _queue(document: Document, *, n_attempts: int, is_published: bool = True) -> None:
    """Queue a document in the caller's transaction; the task is published after commit."""
    Document.objects.filter(pk=document.pk).update(
        status=Status.QUEUED,
        failure_code="",
        n_attempts=n_attempts,
        queued_at=Now(),
        published_at=None,
        started_at=None,
        finished_at=None,
    )
    document.refresh_from_db()
    if is_published:
        transaction.on_commit(lambda: publish(document.pk))


def publish(document_id: uuid.UUID) -> None:
    """Send the task to the workers and store when. Without the broker, ``requeue_stale_documents`` sends it later."""
    try:
        current_app.send_task(MAKE_DOCUMENT_TASK, args=[str(document_id)], retry=False)
    except OperationalError:
        logger.warning("The broker is unavailable: document %s stays queued until it is sent again", document_id)
    else:
        Document.objects.filter(pk=document_id, status=Status.QUEUED).update(published_at=Now())


def claim_document(*, document_id: uuid.UUID) -> Document | None:
    """Claim a queued document for this worker; None if it is not queued any more."""
    with transaction.atomic():
        claimed = Document.objects.filter(pk=document_id, status=Status.QUEUED)
        if not claimed.update(status=Status.RUNNING, started_at=Now(), n_attempts=F("n_attempts") + 1):
            return None
        related = ("exam__site", "exam__patient", "patient__site", "site", "letterhead", "review", "text")
        return Document.objects.select_related(*related).get(pk=document_id)


def store_document(*, document: Document, pdf: bytes) -> None:
    """Store the file of a claimed document, and its hash in the audit trail. Dropped if the claim was lost.

    Raises the errors of the storage.
    """
    field = Document._meta.get_field("file")
    name = field.storage.save(field.generate_filename(document, "document.pdf"), ContentFile(pdf))
    digest = hashlib.sha256(pdf).hexdigest()
    try:
        with transaction.atomic():
            values = {"status": Status.DONE, "file": name, "sha256": digest, "n_bytes": len(pdf), "finished_at": Now()}
            if _claimed(document).update(**values):
                _record(Verb.DOCUMENT_MADE, document, by=None, sha256=digest, n_bytes=len(pdf))
                return
    except BaseException:
        field.storage.delete(name)
        raise
    logger.warning("The claim on document %s was lost: its file is dropped", document.pk)
    field.storage.delete(name)


def fail_document(*, document: Document, code: DocumentFailure) -> None:
    """End a claimed document as failed, unless the claim was lost."""
    with transaction.atomic():
        values = {"status": Status.FAILED, "failure_code": code, "finished_at": Now()}
        if _claimed(document).update(**values):
            _record(Verb.DOCUMENT_FAILED, document, by=None, code=code)


def _claimed(document: Document) -> QuerySet[Document]:
    """The row, while this worker's claim on it holds."""
    return Document.objects.filter(pk=document.pk, status=Status.RUNNING, n_attempts=document.n_attempts)


def requeue_stale_documents() -> int:
    """Queue documents again whose worker crashed or whose message was lost; after MAX_ATTEMPTS they fail.

    Returns how many were stale.
    """
    before = Now() - timedelta(seconds=settings.GRADING_STALE_AFTER_S)
    stale = Q(status=Status.RUNNING, started_at__lt=before)
    if not has_backlog():
        stale |= Q(status=Status.QUEUED, queued_at__lt=before)
    ids = list(Document.objects.filter(stale).order_by("queued_at").values_list("pk", flat=True))
    for document_id in ids:
        with transaction.atomic():
            rows = Document.objects.select_for_update(of=("self",), skip_locked=True).select_related("site")
            document = rows.filter(stale, pk=document_id).first()
            if document is None:
                continue
            if document.status == Status.RUNNING and document.n_attempts >= MAX_ATTEMPTS:
                fail_document(document=document, code=DocumentFailure.WORKER_LOST)
                continue
            _queue(document, n_attempts=document.n_attempts)
            _record(Verb.DOCUMENT_REQUEUED, document, by=None)
    return len(ids)


def open_document(*, document: Document, by: User) -> "File[bytes]":
    """The file of a document that ``by`` sees, recorded as a download. Raises NotMade."""
    if document.status != Status.DONE:
        raise NotMade
    try:
        content = document.file.open("rb")
    except FileNotFoundError as error:
        logger.exception("The file of document %s is missing", document.pk)
        raise NotMade from error
    _record(Verb.DOCUMENT_DOWNLOADED, document, by=by, sha256=document.sha256)
    return content


def compare_with_file(*, document: Document, sha256: str, by: User | None) -> bool:
    """Whether a file with this hash is the document, for anyone who has its id. Recorded, without a user too."""
    is_same = sha256 == document.sha256
    _record(Verb.DOCUMENT_COMPARED, document, by=by, is_same=is_same)
    return is_same


def _record(verb: AuditEvent.Verb, document: Document, *, by: User | None, **data: str | float) -> None:
    record_event(verb=verb, subject=document, site=document.site, data=data, by=by)
