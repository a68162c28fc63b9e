"""The register of people: changing whether a person is invited."""

import datetime
import uuid

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from screening.access import Action, require
from screening.labels.register import PROBLEM_FIELDS, problem_text
from screening.models import AuditEvent, Patient, RegisterEntry, User
from screening.policy.register import EntryProblem, RegisterReason, RegisterStatus, entry_problem
from screening.services.audit import record_event
from screening.services.recalls import update_recall


class RegisterEntryRefused(ValueError):
    """A change of the register is not possible. ``field`` is what is wrong; the message is for the user."""

    def __init__(self, problem: EntryProblem) -> None:
        super().__init__(problem_text(problem))
        self.field = PROBLEM_FIELDS[problem]


class RegisterChanged(ValueError):
    """Another person changed the status after the page was opened. The message is for the user."""

    def __init__(self) -> None:
        super().__init__(_("Another person changed the status meanwhile. Check what it is now, then save your entry."))


class MergedRecord(ValueError):
    """The record was merged into another one, whose status counts. The message is for the user."""

    def __init__(self) -> None:
        super().__init__(_("This record was merged into another one. Record it there."))


@transaction.atomic
def change_register_status(
    *,
    patient: Patient,
    status: RegisterStatus,
    reason: RegisterReason,
    note: str = "",
    from_on: datetime.date | None = None,
    until_on: datetime.date | None = None,
    base: str | None = None,
    by: User,
) -> RegisterEntry:
    """Add an entry to the history of a person; it counts from now on. ``from_on`` is today if it is not given.

    ``base``: id of the newest entry when the user saw the status, empty without one; None: it is not compared.
    Raises MergedRecord, RegisterChanged, RegisterEntryRefused, AccessDenied.
    """
    require(by, Action.MANAGE_REGISTER, patient.site)
    locked = lock_patient(patient.pk)
    if locked.merged_into_id is not None:
        raise MergedRecord
    if base is not None and base != newest_entry_id(locked):
        raise RegisterChanged
    today = timezone.localdate(timezone=locked.site.zone)
    entry = RegisterEntry(
        patient=locked,
        status=RegisterStatus(status).value,
        reason=RegisterReason(reason).value,
        note=note.strip(),
        from_on=from_on or today,
        until_on=until_on,
        recorded_by=by,
    )
    problem = entry_problem(
        status=RegisterStatus(status),
        reason=RegisterReason(reason),
        note=entry.note,
        from_on=entry.from_on,
        until_on=until_on,
        today=today,
    )
    if problem is not None:
        raise RegisterEntryRefused(problem)
    return store_entry(entry, by=by)


def newest_entry_id(patient: Patient) -> str:
    """Id of the newest entry of a person, empty without one."""
    return str(patient.register_entries.order_by("-created_at", "pk").values_list("pk", flat=True).first() or "")


def lock_patient(patient_id: uuid.UUID) -> Patient:
    """The row of a patient with the site, locked until the end of the transaction."""
    return Patient.objects.select_for_update(of=("self",)).select_related("site").get(pk=patient_id)


def store_entry(entry: RegisterEntry, *, by: User | None) -> RegisterEntry:
    """Store a checked entry of a locked patient, who has its status then, with the audit event."""
    patient = entry.patient
    before = patient.register_status
    entry.save(force_insert=True)
    patient.register_status, patient.register_until = entry.status, entry.until_on
    patient.save(update_fields=["register_status", "register_until"])
    update_recall(patient.pk)
    data = {"entry": str(entry.pk), "from": before, "to": entry.status, "reason": entry.reason}
    record_event(verb=AuditEvent.Verb.REGISTER_CHANGED, subject=patient, site=patient.site, data=data, by=by)
    return entry
