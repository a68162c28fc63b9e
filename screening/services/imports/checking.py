"""The check of the rows of an import, in short slices, so that photographs are graded between them."""

import time
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from screening.models import AuditEvent, DataImport, Site
from screening.models.imports import COUNT_FIELDS
from screening.policy.imports import DateOrder, ImportState
from screening.services.imports.cells import FileReading
from screening.services.imports.cleanup import refuse
from screening.services.imports.kinds import RowsOfKind, kind_of
from screening.services.imports.queue import publish_work
from screening.services.imports.stored_rows import read_rows, stored_file
from screening.spreadsheets.refusals import FileRefused

SLICE_S = 4.0
BATCH_ROWS = 500


def check_rows(data_import: DataImport) -> None:
    """Check rows for a few seconds, each batch in its transaction; then another message continues.

    A batch is stored only if the rows before it are, so that two workers do not store one twice.
    """
    kind, end = kind_of(data_import), time.monotonic() + SLICE_S
    if data_import.n_checked == 0:
        _remember_register(data_import)
    reading = FileReading(DateOrder(data_import.date_order), bool(data_import.notes.get("is_1904")))
    try:
        with stored_file(data_import.rows_file) as file:
            rows = read_rows(file, data_import.offset_bytes)
            while batch := [row for _n, row in zip(range(BATCH_ROWS), rows, strict=False)]:
                if not _check_batch(data_import, kind, reading, batch):
                    return
                if time.monotonic() > end:
                    break
    except FileRefused as refusal:
        refuse(data_import, refusal)
        return
    _continue(data_import)


def newest_event_id() -> int:
    """The id of the newest audit event."""
    return AuditEvent.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def _remember_register(data_import: DataImport) -> None:
    """Remember the newest event. Registrations hold the lock of the site until their event is visible."""
    with transaction.atomic():
        Site.objects.select_for_update(no_key=True).get(pk=data_import.site_id)
        data_import.basis_event = newest_event_id()
        DataImport.objects.filter(pk=data_import.pk, n_checked=0).update(basis_event=data_import.basis_event)


def _check_batch(data_import: DataImport, kind: RowsOfKind, reading: FileReading, batch: list[Any]) -> bool:
    """Check and store a batch; False if the import was cancelled, or another worker has checked these rows."""
    drafts = kind.stage(data_import, [(line, cells) for line, cells, _offset in batch], reading)
    with transaction.atomic():
        locked = DataImport.objects.select_for_update().get(pk=data_import.pk)
        if locked.state != ImportState.CHECKING or locked.offset_bytes != data_import.offset_bytes:
            return False
        counts = kind.store(locked, drafts)
        changes: dict[str, Any] = {COUNT_FIELDS[state]: F(COUNT_FIELDS[state]) + n for state, n in counts.items()}
        data_import.offset_bytes = batch[-1][2]
        DataImport.objects.filter(pk=data_import.pk).update(
            **changes,
            n_checked=F("n_checked") + len(batch),
            offset_bytes=data_import.offset_bytes,
            worked_at=timezone.now(),
            n_tries=0,
        )
    data_import.n_checked += len(batch)
    return True


def _continue(data_import: DataImport) -> None:
    """End the check if all rows are checked, else have a worker continue it."""
    with transaction.atomic():
        locked = DataImport.objects.select_for_update().get(pk=data_import.pk)
        if locked.state != ImportState.CHECKING:
            return
        if locked.n_checked < locked.n_rows:
            publish_work(locked)
            return
        locked.state = ImportState.CHECKED.value
        locked.save(update_fields=["state"])
