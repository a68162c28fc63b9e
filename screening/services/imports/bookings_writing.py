"""Writing rows of bookings: copied within the database, with contacts for missed appointments and audit events."""

from typing import Any

from django.db import IntegrityError
from django.db.models import F, Q
from django.utils import timezone

from screening.models import AuditEvent, Booking, ContactAttempt, DataImport, Patient, StagedBooking, User
from screening.policy.imports import RowAction, RowState
from screening.policy.recall import ContactChannel, ContactKind, ContactResult
from screening.services.imports.statements import insert_from, update_from
from screening.services.recalls import BATCH, update_recall

_MERGES = (AuditEvent.Verb.PATIENTS_MERGED, AuditEvent.Verb.PATIENTS_UNMERGED)


def lock_bookings(data_import: DataImport) -> None:
    """Lock people and bookings of the rows, in the order in which the pages lock them."""
    rows = StagedBooking.objects.filter(data_import=data_import).exclude(state=RowState.REFUSED)
    people = Patient.objects.filter(pk__in=rows.values("person")).select_for_update().order_by("pk")
    bookings = Booking.objects.filter(pk__in=rows.values("target")).select_for_update().order_by("pk")
    for found in (people, bookings):
        for _pk in found.values_list("pk").iterator():
            pass


def is_outdated(data_import: DataImport) -> bool:
    """Whether a booking or a person of a row was changed since the check began. The caller has their locks."""
    events = AuditEvent.objects.filter(pk__gt=data_import.basis_event, site=data_import.site).order_by()
    changed = set(events.filter(object_type="booking").values_list("object_id", flat=True))
    merged = set(events.filter(object_type="patient", verb__in=_MERGES).values_list("object_id", flat=True))
    people = Booking.objects.filter(pk__in=changed).values("patient")
    rows = StagedBooking.objects.filter(data_import=data_import)
    return rows.filter(Q(person__in=people) | Q(person__in=merged)).exists()


def write_bookings(data_import: DataImport, rows: Any, by: User) -> None:
    """Add and change bookings. Raises IntegrityError if another number was written than there are rows."""
    added, changed = rows.filter(action=RowAction.ADD), rows.filter(action=RowAction.CHANGE)
    now = timezone.now()
    values = {name: F(name) for name in ("day", "time", "location", "status")}
    values |= {"id": F("target"), "patient": F("person")}
    n_added = insert_from(Booking, added, {**values, "created_at": now, "site": data_import.site, "recorded_by": by})
    n_changed = update_from(Booking, changed, ("time", "location", "status"), key="target")
    if (n_added, n_changed) != (added.count(), changed.count()):
        raise IntegrityError("Another number of bookings was written than rows were checked.")
    written = rows.exclude(action=RowAction.NONE)
    _write_events(data_import, written, by)
    _write_missed(written.filter(is_missed=True), by)


def _write_events(data_import: DataImport, written: Any, by: User) -> None:
    values = {
        "at": timezone.now(),
        "actor": by,
        "object_type": "booking",
        "object_id": F("subject"),
        "site": data_import.site,
        "verb": AuditEvent.Verb.BOOKING_CHANGED.value,
        "data": {"import": str(data_import.pk)},
    }
    insert_from(AuditEvent, written, values)


def _write_missed(missed: Any, by: User) -> None:
    """A contact for each missed appointment, and the next step of the person."""
    contacts = [
        ContactAttempt(
            patient_id=person,
            kind=ContactKind.NO_SHOW.value,
            channel=ContactChannel.VISIT.value,
            result=ContactResult.NOT_REACHED.value,
            on=day,
            recorded_by=by,
        )
        for person, day in missed.order_by("line").values_list("person", "day").iterator()
    ]
    ContactAttempt.objects.bulk_create(contacts, batch_size=BATCH)
    people = sorted({contact.patient_id for contact in contacts})
    for start in range(0, len(people), BATCH):
        update_recall(*people[start : start + BATCH])
