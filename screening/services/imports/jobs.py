"""Imports as a person begins, answers, cancels and applies them."""

from collections.abc import Iterable
from typing import Any

from django.core.files.base import File
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from screening.access import Action, require
from screening.models import AuditEvent, DataImport, Site, User
from screening.policy.imports import (
    ACTIVE_STATES,
    CANCELLABLE_STATES,
    DateOrder,
    ImportKind,
    ImportState,
    RowAnswer,
    RowState,
)
from screening.services.audit import record_event
from screening.services.imports.cleanup import KEPT_FOR, delete_data, delete_files
from screening.services.imports.kinds import staged_rows
from screening.services.imports.queue import publish_work
from screening.services.imports.stored_rows import new_name, storage
from screening.spreadsheets.refusals import FileProblem, FileRefused

MAX_FILE_BYTES = 32 * 1024 * 1024


class ImportNotPossible(ValueError):
    """The import does not allow this. The message is for the user."""


class ImportActive(ImportNotPossible):
    """Another import of the site is not at its end. ``active`` is it."""

    def __init__(self, active: DataImport) -> None:
        super().__init__(_("An import of this site is not finished. Finish or cancel it, then send this file again."))
        self.active = active


class ImportChanged(ImportNotPossible):
    """The import is in another state by now."""

    def __init__(self) -> None:
        super().__init__(_("The import has changed meanwhile. Look at its present state."))


class RowsLeftOut(ImportNotPossible):
    """Rows would be left out, and the user has not agreed."""

    def __init__(self) -> None:
        super().__init__(_("Some rows would be left out. Correct them and import the file again, or agree to it."))


def begin_import(*, site: Site, kind: ImportKind, file: "File[Any]", by: User) -> DataImport:
    """Store a file, and have a worker read it. Raises FileRefused, ImportActive, AccessDenied."""
    require(by, Action.MANAGE_REGISTER, site)
    if not file.size:
        raise FileRefused(FileProblem.EMPTY)
    if file.size > MAX_FILE_BYTES:
        raise FileRefused(FileProblem.TOO_LARGE, limit=MAX_FILE_BYTES // 1024 // 1024)
    _require_none_active(site)
    row = DataImport(
        site=site,
        kind=kind.value,
        owner=by,
        n_bytes=file.size,
        expires_at=timezone.now() + KEPT_FOR,
    )
    row.file = storage().save(new_name(row), file)
    try:
        with transaction.atomic():
            row.save(force_insert=True)
            data = {"kind": kind.value, "n_bytes": file.size}
            record_event(verb=AuditEvent.Verb.IMPORT_BEGUN, subject=row, site=site, data=data, by=by)
            publish_work(row)
    except IntegrityError:  # two requests at the same moment
        delete_files(row.file)
        _require_none_active(site)
        raise
    except BaseException:
        delete_files(row.file)
        raise
    return row


def _require_none_active(site: Site) -> None:
    active = DataImport.objects.filter(site=site, state__in=ACTIVE_STATES).first()
    if active is not None:
        raise ImportActive(active)


@transaction.atomic
def answer_date_order(*, data_import: DataImport, order: DateOrder, by: User) -> None:
    """What comes first in the dates of the file. Raises ImportChanged, AccessDenied."""
    locked = _locked(data_import, by, ImportState.ASKING)
    locked.date_order, locked.state, locked.worked_at = order.value, ImportState.CHECKING.value, timezone.now()
    locked.n_tries = 0
    locked.save(update_fields=["date_order", "state", "worked_at", "n_tries"])
    _record_answer(locked, {"date_order": order.value}, by)
    publish_work(locked)


@transaction.atomic
def answer_rows(*, data_import: DataImport, lines: Iterable[int], answer: RowAnswer, by: User) -> int:
    """The decision about rows with a question; returns how many. Raises ImportChanged, AccessDenied."""
    locked = _locked(data_import, by, ImportState.CHECKED)
    rows = staged_rows(locked).filter(state=RowState.QUESTION, line__in=list(lines))
    n_answered: int = rows.update(answer=answer.value)
    if n_answered:
        _record_answer(locked, {"answer": answer.value, "n_rows": n_answered}, by)
    return n_answered


@transaction.atomic
def apply_import(*, data_import: DataImport, leaves_out: bool = False, by: User) -> None:
    """Have a worker write the rows. ``leaves_out``: without those that are refused or have an open question.

    Raises RowsLeftOut, ImportChanged, AccessDenied.
    """
    locked = _locked(data_import, by, ImportState.CHECKED)
    if count_left_out(locked) and not leaves_out:
        raise RowsLeftOut
    locked.state, locked.applied_by, locked.worked_at = ImportState.APPLYING.value, by, timezone.now()
    locked.n_tries = 0
    locked.save(update_fields=["state", "applied_by", "worked_at", "n_tries"])
    publish_work(locked)


def count_left_out(data_import: DataImport) -> int:
    """Rows that are refused, or whose question is not answered with "accept"."""
    questions = staged_rows(data_import).filter(state=RowState.QUESTION)
    n_left: int = questions.exclude(answer=RowAnswer.ACCEPT).count()
    return data_import.n_refused + n_left


def cancel_import(*, data_import: DataImport, by: User) -> None:
    """End an import before it is written, and delete its data. Raises ImportChanged, AccessDenied."""
    with transaction.atomic():
        locked = _locked(data_import, by, *CANCELLABLE_STATES)
        locked.state, locked.finished_at = ImportState.CANCELLED.value, timezone.now()
        locked.save(update_fields=["state", "finished_at"])
        record_event(verb=AuditEvent.Verb.IMPORT_CANCELLED, subject=locked, site=locked.site, by=by)
    delete_data(locked)


def _locked(data_import: DataImport, by: User, *states: ImportState) -> DataImport:
    locked = DataImport.objects.select_for_update(of=("self",)).select_related("site").get(pk=data_import.pk)
    require(by, Action.MANAGE_REGISTER, locked.site)
    if locked.state not in states:
        raise ImportChanged
    return locked


def _record_answer(data_import: DataImport, data: dict[str, str | float | bool | None], by: User) -> None:
    verb = AuditEvent.Verb.IMPORT_ANSWERED
    record_event(verb=verb, subject=data_import, site=data_import.site, data=data, by=by)
