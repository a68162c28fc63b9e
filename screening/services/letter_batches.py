"""Letters to the people of a list at once: beginning, claiming, ending, cancelling. ``reports/`` makes them."""

import logging
import uuid
from collections.abc import Iterable
from datetime import timedelta
from functools import partial

from celery import current_app
from django.core.files import File
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _
from kombu.exceptions import OperationalError

from screening.access import Action, require
from screening.models import AuditEvent, BatchLetter, LetterBatch, Site, User
from screening.policy.letters import BatchState, LetterReason, LetterVariant
from screening.policy.recall import KIND_OF_STEP, ContactChannel, ContactResult, NextStep
from screening.services.audit import record_event
from screening.services.contacts import record_contact
from screening.services.exams import ExamError

logger = logging.getLogger(__name__)

MAKE_LETTERS_TASK = "screening.tasks.make_letters"
MAX_LETTERS = 500
MAX_ATTEMPTS = 20
"""A worker makes letters for some minutes, then another one continues; each is an attempt."""
STALE_AFTER = timedelta(minutes=10)
"""Without a letter made in this time its worker has crashed. Far above the time of one letter."""
_WORKING = (BatchState.QUEUED.value, BatchState.RUNNING.value)


class BatchRefused(ExamError):
    """The letters cannot be made, or not be cancelled any more. The message is for the user."""


@transaction.atomic
def begin_batch(
    *, site: Site, letters: Iterable[BatchLetter], variant: LetterVariant, batch_id: uuid.UUID, by: User
) -> LetterBatch:
    """Queue letters, which are not stored yet; a repetition with the same id returns the batch that there is.

    Raises BatchRefused, AccessDenied.
    """
    require(by, Action.MANAGE_REGISTER, site)
    lock_site(site)
    existing = LetterBatch.objects.filter(pk=batch_id).first()
    if existing is not None:
        if existing.site_id != site.pk or existing.created_by_id != by.pk:
            raise BatchRefused(_("This form was used already. Open the preview again."))
        return existing
    require_idle(site)
    rows = list(letters)
    n_letters = sum(not row.reason for row in rows)
    if not n_letters:
        raise BatchRefused(_("No person of this list gets a letter now. Open the preview again."))
    batch = LetterBatch.objects.create(
        id=batch_id, site=site, variant=variant.value, n_letters=n_letters, created_by=by
    )
    for position, row in enumerate(rows, 1):
        row.batch, row.position = batch, position
    BatchLetter.objects.bulk_create(rows, batch_size=500)
    data = {"n_letters": n_letters, "n_left_out": len(rows) - n_letters, "variant": variant.value}
    record_event(verb=AuditEvent.Verb.LETTERS_REQUESTED, subject=batch, site=site, data=data, by=by)
    transaction.on_commit(partial(publish, batch.pk))
    return batch


def lock_site(site: Site) -> None:
    """Of two requests at once, the second waits here and then sees the first. NB: in a transaction."""
    Site.objects.select_for_update(no_key=True).get(pk=site.pk)


def require_idle(site: Site) -> None:
    """Raise BatchRefused while letters of the site are being made."""
    if LetterBatch.objects.filter(site=site, state__in=_WORKING).exists():
        raise BatchRefused(_("Letters of this site are being made. Wait until they are ready, or cancel them."))


def publish(batch_id: uuid.UUID) -> None:
    """Send the task to the workers. Without the broker, ``requeue_stale_batches`` sends it later."""
    try:
        current_app.send_task(MAKE_LETTERS_TASK, args=[str(batch_id)], retry=False)
    except OperationalError:
        logger.warning("The broker is unavailable: letters %s wait for the periodic task", batch_id)


@transaction.atomic
def cancel_batch(*, batch: LetterBatch, by: User) -> None:
    """Cancel letters that are not ready; those that were made stay documents. Raises BatchRefused, AccessDenied."""
    require(by, Action.MANAGE_REGISTER, batch.site)
    values = {"state": BatchState.CANCELLED.value, "finished_at": Now()}
    if not LetterBatch.objects.filter(pk=batch.pk, state__in=_WORKING).update(**values):
        raise BatchRefused(_("These letters are not being made any more. They cannot be cancelled."))
    record_event(verb=AuditEvent.Verb.LETTERS_CANCELLED, subject=batch, site=batch.site, by=by)


def claim_batch(*, batch_id: uuid.UUID) -> LetterBatch | None:
    """Claim queued letters for this worker; None if they are not queued any more."""
    queued = LetterBatch.objects.filter(pk=batch_id, state=BatchState.QUEUED.value)
    values = {"state": BatchState.RUNNING.value, "worked_at": Now(), "n_attempts": F("n_attempts") + 1}
    if not queued.update(**values):
        return None
    return LetterBatch.objects.select_related("site", "created_by").get(pk=batch_id)


def still_claimed(batch: LetterBatch) -> bool:
    """Whether this worker's claim holds: not after a cancellation. Stores that the worker is alive."""
    return bool(_claimed(batch).update(worked_at=Now()))


def release_batch(*, batch: LetterBatch) -> None:
    """Queue a claimed batch again, for the next worker. It does not count as an attempt, which a crash ends."""
    if _claimed(batch).update(state=BatchState.QUEUED.value, n_attempts=F("n_attempts") - 1):
        publish(batch.pk)


def fail_batch(*, batch: LetterBatch) -> None:
    """End a claimed batch as failed."""
    _claimed(batch).update(state=BatchState.FAILED.value, finished_at=Now())


def leave_out(*, letter: BatchLetter, reason: LetterReason) -> None:
    """Store that a letter could not be made."""
    BatchLetter.objects.filter(pk=letter.pk).update(reason=reason.value)


def finish_batch(*, batch: LetterBatch, pdf: "File[bytes] | None", archive: "File[bytes] | None", sha256: str) -> None:
    """Store the files of a claimed batch, and each letter of call and recall as a contact, sent today.

    Files that are made again record no contact. ``sha256`` is that of the PDF, of text files that of the archive.
    Dropped if the claim was lost. Raises the errors of the storage.
    """
    if pdf is not None:
        batch.pdf.save("letters.pdf", pdf, save=False)
    if archive is not None:
        batch.archive.save("letters.zip", archive, save=False)
    values = {"state": BatchState.DONE.value, "finished_at": Now(), "files_deleted_at": None}
    try:
        with transaction.atomic():
            if _claimed(batch).update(**values, pdf=batch.pdf.name, archive=batch.archive.name):
                if batch.files_deleted_at is None:
                    _record_contacts(batch)
                n_made = BatchLetter.objects.filter(batch=batch, document__isnull=False).count()
                data: dict[str, str | float | bool | None] = {"n_made": n_made, "sha256": sha256}
                record_event(verb=AuditEvent.Verb.LETTERS_MADE, subject=batch, site=batch.site, data=data, by=None)
                return
    except BaseException:
        _delete_files(batch)
        raise
    _delete_files(batch)


def _delete_files(batch: LetterBatch) -> None:
    for file in (batch.pdf, batch.archive):
        if file:
            file.delete(save=False)


def _record_contacts(batch: LetterBatch) -> None:
    today = timezone.localdate(timezone=batch.site.zone)
    sent = BatchLetter.objects.filter(batch=batch, document__isnull=False).exclude(step="")
    for letter in sent.select_related("patient__site", "patient__merged_into__site"):
        record_contact(
            patient=letter.patient.merged_into or letter.patient,
            kind=KIND_OF_STEP[NextStep(letter.step)],
            channel=ContactChannel.LETTER,
            result=ContactResult.SENT,
            on=today,
            by=batch.created_by,
        )


def _claimed(batch: LetterBatch) -> QuerySet[LetterBatch]:
    """The row, while this worker's claim on it holds."""
    return LetterBatch.objects.filter(pk=batch.pk, state=BatchState.RUNNING.value, n_attempts=batch.n_attempts)


def requeue_stale_batches() -> int:
    """Queue letters again whose worker crashed or whose message was lost; after MAX_ATTEMPTS they fail."""
    before = Now() - STALE_AFTER
    stale = LetterBatch.objects.filter(Q(state__in=_WORKING), worked_at__lt=before)
    ids = list(stale.values_list("pk", flat=True))
    for batch_id in ids:
        row = stale.filter(pk=batch_id)
        if row.filter(n_attempts__gte=MAX_ATTEMPTS).update(state=BatchState.FAILED.value, finished_at=Now()):
            continue
        if row.update(state=BatchState.QUEUED.value, worked_at=Now()):
            publish(batch_id)
    return len(ids)
