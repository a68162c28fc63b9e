"""Writing a checked import: all of its rows in one transaction, or none."""

from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from screening.access import Action, can
from screening.models import AuditEvent, DataImport, Site
from screening.models.imports import COUNT_FIELDS
from screening.policy.imports import ImportState, RowAction, RowAnswer, RowState
from screening.services.audit import record_event
from screening.services.imports.cleanup import KEPT_AFTER_END, delete_staged
from screening.services.imports.kinds import kind_of, staged_rows
from screening.services.imports.queue import publish_work


def apply_rows(data_import: DataImport) -> None:
    """Write the rows, or check all again if the register has changed in a way that concerns them."""
    try:
        with transaction.atomic():
            _apply(data_import)
    except IntegrityError:  # a change that no event shows
        with transaction.atomic():
            _check_again(data_import)


def written_rows(data_import: DataImport) -> Any:
    """The rows that are written: those without a question, and those whose question was answered so."""
    rows = staged_rows(data_import).exclude(state=RowState.REFUSED)
    return rows.exclude(state=RowState.QUESTION) | rows.filter(answer=RowAnswer.ACCEPT)


def _apply(data_import: DataImport) -> None:
    locked = DataImport.objects.select_for_update().get(pk=data_import.pk)
    if locked.state != ImportState.APPLYING or locked.applied_by is None:
        return
    kind = kind_of(locked)
    kind.lock(locked)
    site = Site.objects.select_for_update(no_key=True).get(pk=locked.site_id)
    if not can(locked.applied_by, Action.MANAGE_REGISTER, site):
        DataImport.objects.filter(pk=locked.pk).update(state=ImportState.CHECKED)
        return
    if kind.is_outdated(locked):
        _check_again(locked)
        return
    rows = written_rows(locked)
    n_new, n_changed = rows.filter(action=RowAction.ADD).count(), rows.filter(action=RowAction.CHANGE).count()
    kind.write(locked, rows, locked.applied_by)
    now = timezone.now()
    locked.n_left_out = locked.n_rows - rows.count()
    locked.state, locked.finished_at, locked.expires_at = ImportState.APPLIED.value, now, now + KEPT_AFTER_END
    locked.save()
    data: dict[str, str | float | bool | None] = {
        "kind": locked.kind,
        "n_new": n_new,
        "n_changed": n_changed,
        "n_rows": locked.n_rows,
        "n_left_out": locked.n_left_out,
    }
    record_event(verb=AuditEvent.Verb.IMPORT_APPLIED, subject=locked, site=site, data=data, by=locked.applied_by)


def _check_again(data_import: DataImport) -> None:
    """Begin the check again, since the preview is out of date."""
    delete_staged(data_import)
    zeros: dict[str, Any] = dict.fromkeys((*COUNT_FIELDS.values(), "n_checked", "offset_bytes", "n_tries"), 0)
    DataImport.objects.filter(pk=data_import.pk).update(
        **zeros,
        state=ImportState.CHECKING,
        is_checked_again=True,
        worked_at=timezone.now(),
        expires_at=timezone.now() + timedelta(days=1),
    )
    publish_work(data_import)
