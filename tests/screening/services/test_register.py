"""Changing the status of a person in the register."""

import datetime
from functools import partial

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from screening.access import AccessDenied
from screening.models import AuditEvent, Patient, RegisterEntry, Site, User
from screening.policy.register import RegisterReason, RegisterStatus
from screening.services.register import RegisterEntryRefused, change_register_status
from tests.screening.factories import PatientFactory

S, R = RegisterStatus, RegisterReason


@pytest.fixture
def patient(site: Site) -> Patient:
    return PatientFactory(site=site)


def days(n: int) -> datetime.date:
    return timezone.localdate() + datetime.timedelta(days=n)


def test_a_change_is_stored_with_reason_day_and_person(patient: Patient, photographer: User) -> None:
    assert patient.register_status_on(days(0)) is S.ELIGIBLE
    change_register_status(
        patient=patient, status=S.OPTED_OUT, reason=R.OWN_DECISION, until_on=days(90), by=photographer
    )
    patient.refresh_from_db()
    assert (patient.register_status, patient.register_until) == ("opted_out", days(90))
    assert patient.register_status_on(days(91)) is S.ELIGIBLE
    entry = patient.register_entries.get()
    assert (entry.reason, entry.from_on, entry.until_on, entry.recorded_by) == (
        "own_decision", days(0), days(90), photographer,
    )  # fmt: skip
    event = AuditEvent.objects.get(verb="patient.register_changed")
    assert event.data == {"entry": str(entry.pk), "from": "eligible", "to": "opted_out", "reason": "own_decision"}
    assert (event.object_id, event.site, event.actor) == (str(patient.pk), patient.site, photographer)


def test_the_newest_entry_counts_and_the_earlier_ones_stay(patient: Patient, manager: User) -> None:
    change_register_status(patient=patient, status=S.DECEASED, reason=R.DIED, from_on=days(-3), by=manager)
    change_register_status(patient=patient, status=S.ELIGIBLE, reason=R.ENTERED_IN_ERROR, by=manager)
    patient.refresh_from_db()
    assert patient.register_status_on(days(0)) is S.ELIGIBLE
    assert [one.status for one in patient.register_entries.all()] == ["eligible", "deceased"]


def test_a_refusal_names_the_field_and_stores_nothing(patient: Patient, manager: User) -> None:
    with pytest.raises(RegisterEntryRefused, match="more than 3 years") as caught:
        change_register_status(
            patient=patient, status=S.OPTED_OUT, reason=R.OWN_DECISION, until_on=days(2000), by=manager
        )
    assert caught.value.field == "until_on"
    assert not RegisterEntry.objects.exists()


def test_a_reader_cannot_change_it(patient: Patient, reviewer: User) -> None:
    with pytest.raises(AccessDenied):
        change_register_status(patient=patient, status=S.MOVED, reason=R.OUT_OF_AREA, by=reviewer)


@pytest.mark.parametrize("verb", ["update", "delete"])
def test_the_history_is_append_only(patient: Patient, manager: User, verb: str) -> None:
    change_register_status(patient=patient, status=S.MOVED, reason=R.OUT_OF_AREA, by=manager)
    rows = RegisterEntry.objects.filter(patient=patient)
    change = rows.delete if verb == "delete" else partial(rows.update, note="changed")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        change()
