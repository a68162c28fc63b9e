"""Deleting the data of imports: after the end of each, and of those that no person decides about."""

import logging
from contextlib import suppress
from datetime import timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from screening.models import AuditEvent, DataImport, StagedTerm
from screening.policy.imports import (
    ACTIVE_STATES,
    CANCELLABLE_STATES,
    WORKING_STATES,
    ImportKind,
    ImportState,
    RowState,
)
from screening.services.audit import record_event
from screening.services.imports.kinds import KINDS, kind_of, staged_rows
from screening.services.imports.queue import publish
from screening.services.imports.stored_rows import FOLDER, storage
from screening.spreadsheets.refusals import FileProblem, FileRefused

logger = logging.getLogger(__name__)

KEPT_FOR = timedelta(days=1)
"""Data of an import that no person decides about."""
KEPT_AFTER_END = timedelta(hours=1)
"""The list of refused rows, without names and numbers, after the end of an import."""
STALLED_AFTER = timedelta(seconds=90)
"""A worker reports each batch of rows; after this time it has crashed, or the message was lost."""
MAX_TRIES = 3
"""Without progress. A file that kills its worker would do so for a day otherwise."""
_BATCH = 5000


def clean_up_imports() -> int:
    """Delete what is due, and have workers continue imports that are stalled. Returns how many were stalled."""
    now = timezone.now()
    for data_import in DataImport.objects.filter(state__in=CANCELLABLE_STATES, expires_at__lte=now):
        _expire(data_import)
    has_rows = Q()
    for kind in KINDS.values():
        has_rows |= Q(Exists(kind.staged.objects.filter(data_import=OuterRef("pk"))))
    ended = DataImport.objects.exclude(state__in=ACTIVE_STATES)
    for data_import in ended.filter(~Q(file="") | ~Q(rows_file="") | has_rows):
        delete_data(data_import)
    stalled = DataImport.objects.filter(state__in=WORKING_STATES, worked_at__lt=now - STALLED_AFTER)
    for data_import in stalled.filter(n_tries__gte=MAX_TRIES):
        refuse(data_import, FileRefused(FileProblem.NO_RESULT))
        delete_data(data_import)
    ids = list(stalled.values_list("pk", flat=True))
    for import_id in ids:
        DataImport.objects.filter(pk=import_id).update(worked_at=now)
        publish(import_id)
    _delete_orphaned_files()
    return len(ids)


def refuse(data_import: DataImport, refusal: FileRefused) -> None:
    """End an import whose file cannot be used, unless it has gone on meanwhile. Nothing of it is written."""
    now = timezone.now()
    DataImport.objects.filter(pk=data_import.pk, state=data_import.state).update(
        state=ImportState.REFUSED,
        problem=refusal.problem.value,
        problem_values=refusal.values,
        finished_at=now,
        expires_at=now + KEPT_AFTER_END,
    )


def delete_data(data_import: DataImport) -> None:
    """Delete files and rows of an import that has ended, in batches, so that no long transaction is open.

    Of one that was written, the refused rows stay for a time, without names and numbers.
    """
    row = DataImport.objects.get(pk=data_import.pk)
    if row.is_active:
        return
    DataImport.objects.filter(pk=row.pk).update(file="", rows_file="")
    delete_files(row.file, row.rows_file)
    is_kept = row.state == ImportState.APPLIED and row.expires_at > timezone.now()
    deleted = staged_rows(row)
    if is_kept:
        _remove_identities(row)
        deleted = deleted.exclude(state__in=(RowState.REFUSED, RowState.QUESTION))
    while ids := list(deleted.order_by().values_list("pk", flat=True)[:_BATCH]):
        with transaction.atomic():
            if row.kind == ImportKind.PEOPLE:
                StagedTerm.objects.filter(person__in=ids).delete()
            staged_rows(row).filter(pk__in=ids).delete()


def delete_staged(data_import: DataImport) -> None:
    """Delete the staged rows of an import in the caller's transaction."""
    StagedTerm.objects.filter(person__data_import=data_import).delete()
    staged_rows(data_import).delete()


def delete_files(*names: str) -> None:
    """Delete files that may be gone already."""
    for name in filter(None, names):
        try:
            storage().delete(name)
        except Exception:  # the caller's error is the one that is reported; a file without a row is deleted later
            logger.exception("A file of an import is left: it is deleted after a day")


def _remove_identities(data_import: DataImport) -> None:
    with transaction.atomic():
        StagedTerm.objects.filter(person__data_import=data_import).delete()
        blank = dict.fromkeys(kind_of(data_import).identities, "")
        staged_rows(data_import).exclude(mrn="").update(**blank)


def _expire(data_import: DataImport) -> None:
    with transaction.atomic():
        changed = DataImport.objects.filter(pk=data_import.pk, state__in=CANCELLABLE_STATES).update(
            state=ImportState.EXPIRED, finished_at=timezone.now()
        )
        if changed:
            verb = AuditEvent.Verb.IMPORT_ENDED
            record_event(verb=verb, subject=data_import, site=data_import.site, by=None)
    delete_data(data_import)


def _delete_orphaned_files() -> None:
    """Files without a row: a process was killed between the two."""
    try:
        folders = storage().listdir(FOLDER)[0]
    except FileNotFoundError:  # nothing was ever imported
        return
    names = DataImport.objects.exclude(file="", rows_file="").values_list("file", "rows_file")
    known = {name for pair in names for name in pair}
    before = timezone.now() - KEPT_FOR
    for folder in folders:
        for name in (f"{FOLDER}/{folder}/{file}" for file in storage().listdir(f"{FOLDER}/{folder}")[1]):
            with suppress(FileNotFoundError):
                if name not in known and storage().get_modified_time(name) < before:
                    delete_files(name)
        with suppress(OSError):  # it has files
            storage().delete(f"{FOLDER}/{folder}")
