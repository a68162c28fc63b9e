"""Files of letters that were made at once: download, deleting after some days, making them again.

They are copies of documents, which stay.
"""

import logging
import uuid
from functools import partial

from django.core.files import File
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from screening.access import Action, require
from screening.models import AuditEvent, LetterBatch, User
from screening.policy.letters import BatchState
from screening.selectors.documents import batches_with_expired_files
from screening.services.audit import record_event
from screening.services.letter_batches import BatchRefused, lock_site, publish, require_idle

logger = logging.getLogger(__name__)
Verb = AuditEvent.Verb


def open_batch(*, batch: LetterBatch, is_archive: bool, by: User) -> "File[bytes]":
    """One of the files of a batch that ``by`` sees, recorded as a download. Raises BatchRefused."""
    file = batch.archive if is_archive else batch.pdf
    if batch.files_deleted_at is not None:
        raise BatchRefused(_("The files of these letters were deleted. Make the files again."))
    if not file:
        raise BatchRefused(_("This file of the letters does not exist: they are not made yet, or are text files."))
    content = file.open("rb")
    data = {"is_archive": is_archive}
    record_event(verb=Verb.LETTERS_DOWNLOADED, subject=batch, site=batch.site, data=data, by=by)
    return content


def delete_expired_files() -> int:
    """Delete files that are kept for ``LETTER_FILES_DAYS``. Idempotent. Returns of how many batches."""
    ids = list(batches_with_expired_files(timezone.now()).values_list("pk", flat=True))
    return sum(_delete_files(batch_id) for batch_id in ids)


@transaction.atomic
def _delete_files(batch_id: uuid.UUID) -> bool:
    """Delete the files, then what names them: if the process ends in between, the next run completes it."""
    rows = LetterBatch.objects.select_for_update(of=("self",), skip_locked=True).select_related("site")
    batch = rows.filter(pk=batch_id).exclude(archive="").first()
    if batch is None:
        return False
    try:
        for file in (batch.pdf, batch.archive):
            if file.name:
                file.storage.delete(file.name)
    except Exception:  # each storage raises errors of its library; the next run tries again
        logger.exception("The files of letters %s could not be deleted", batch_id)
        return False
    LetterBatch.objects.filter(pk=batch.pk).update(pdf="", archive="", files_deleted_at=Now())
    record_event(verb=Verb.LETTERS_FILES_DELETED, subject=batch, site=batch.site, by=None)
    return True


@transaction.atomic
def make_files_again(*, batch: LetterBatch, by: User) -> None:
    """Queue letters whose files were deleted: a worker makes the files of the same documents.

    Raises BatchRefused, AccessDenied.
    """
    require(by, Action.MANAGE_REGISTER, batch.site)
    lock_site(batch.site)
    require_idle(batch.site)
    deleted = LetterBatch.objects.filter(pk=batch.pk, files_deleted_at__isnull=False)
    values = {"state": BatchState.QUEUED.value, "n_attempts": 0, "worked_at": Now(), "finished_at": None}
    if not deleted.update(**values):
        raise BatchRefused(_("The files of these letters were not deleted. Download them."))
    data = {"n_letters": batch.n_letters, "is_again": True}
    record_event(verb=Verb.LETTERS_REQUESTED, subject=batch, site=batch.site, data=data, by=by)
    transaction.on_commit(partial(publish, batch.pk))
