"""Recording contacts, and the next step that follows."""

import datetime
from functools import partial

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from screening.access import AccessDenied
from screening.models import AuditEvent, ContactAttempt, Patient, Site, User
from screening.policy.recall import ContactChannel, ContactKind, ContactResult, RecallState
from screening.selectors.due_list import DueFilters, due_list
from screening.services.contacts import ContactRefused, record_contact
from screening.services.recalls import update_recall
from tests.screening.factories import ExamFactory, PatientFactory, ReviewFactory

K, R = ContactKind, ContactResult


def day(n: int) -> datetime.date:
    return timezone.localdate() + datetime.timedelta(days=n)


@pytest.fixture
def patient(site: Site) -> Patient:
    return PatientFactory(site=site)


def record(patient: Patient, kind: ContactKind, on: int, by: User, result: ContactResult = R.SENT) -> ContactAttempt:
    channel = ContactChannel.PHONE if kind is K.PHONE_CALL else ContactChannel.LETTER
    contact = record_contact(patient=patient, kind=kind, channel=channel, result=result, on=day(on), by=by)
    patient.refresh_from_db()
    return contact


def test_each_contact_leads_to_the_next_step_until_the_person_is_lost(patient: Patient, photographer: User) -> None:
    Patient.objects.update(created_at=timezone.now() - datetime.timedelta(days=120))  # due since then
    record(patient, K.INVITATION, -120, photographer)
    assert (patient.next_step, patient.next_step_on) == ("remind", day(-106))
    record(patient, K.REMINDER, -106, photographer)
    record(patient, K.SECOND_TRY, -70, photographer)
    assert (patient.next_step, patient.next_step_on) == ("phone", day(-42))
    record(patient, K.PHONE_CALL, -30, photographer, R.NOT_REACHED)
    assert (patient.next_step, patient.next_step_on) == ("lost", day(-2))
    found = due_list(user=photographer, site=patient.site, filters=DueFilters(state=RecallState.LOST))
    assert list(found) == [patient]
    events = AuditEvent.objects.filter(verb="patient.contact_recorded").order_by("pk")
    assert [event.data["kind"] for event in events] == ["invitation", "reminder", "second_try", "phone_call"]


def test_contacts_before_the_last_result_do_not_count(patient: Patient, photographer: User) -> None:
    record(patient, K.INVITATION, -20, photographer)
    ReviewFactory(exam=ExamFactory(patient=patient, is_submitted=True, status="signed"), recall_on=day(365))
    update_recall(patient.pk)
    patient.refresh_from_db()
    assert (patient.next_step, patient.next_step_on) == ("invite", day(365 - 42))


@pytest.mark.parametrize(
    ("kind", "result", "on", "field"),
    [
        (K.NO_SHOW, R.SENT, 0, "result"),
        (K.PHONE_CALL, R.SENT, 0, "result"),
        (K.INVITATION, R.SENT, 1, "on"),
        (K.INVITATION, R.SENT, -400, "on"),
    ],
)
def test_an_impossible_contact_is_refused(
    patient: Patient, photographer: User, kind: ContactKind, result: ContactResult, on: int, field: str
) -> None:
    with pytest.raises(ContactRefused) as caught:
        record(patient, kind, on, photographer, result)
    assert caught.value.field == field
    assert not ContactAttempt.objects.exists()


def test_a_reader_records_no_contact(patient: Patient, reviewer: User) -> None:
    with pytest.raises(AccessDenied):
        record(patient, K.INVITATION, 0, reviewer)


@pytest.mark.parametrize("verb", ["update", "delete"])
def test_contacts_are_append_only(patient: Patient, photographer: User, verb: str) -> None:
    record(patient, K.INVITATION, 0, photographer)
    rows = ContactAttempt.objects.filter(patient=patient)
    change = rows.delete if verb == "delete" else partial(rows.update, note="changed")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        change()
