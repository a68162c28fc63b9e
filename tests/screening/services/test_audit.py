"""The audit trail is append-only in the database itself."""

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import Model, ProtectedError

from screening.models import AuditEvent, FirstReading, Patient, Site, User
from screening.services.audit import record_event
from tests.screening.factories import ExamFactory, PatientFactory

Verb = AuditEvent.Verb


@pytest.fixture
def patient(site: Site) -> Patient:
    return PatientFactory(site=site)


@pytest.fixture
def event(site: Site, photographer: User, patient: Patient) -> AuditEvent:
    return record_event(verb=Verb.PATIENT_VIEWED, subject=patient, site=site, by=photographer)


@pytest.fixture
def first_reading(site: Site, reviewer: User) -> FirstReading:
    exam = ExamFactory(patient__site=site, is_submitted=True)
    return FirstReading.objects.create(exam=exam, reviewer=reviewer, laterality="OD", is_gradable=True, grade=1)


def assert_refused(statement: str) -> None:
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.parametrize(("fixture", "column"), [("event", "verb"), ("first_reading", "grade")])
def test_the_database_refuses_to_change_or_delete_a_row(
    request: pytest.FixtureRequest, fixture: str, column: str
) -> None:
    row: Model = request.getfixturevalue(fixture)
    assert_refused(f"UPDATE {row._meta.db_table} SET {column} = {column}")
    assert_refused(f"DELETE FROM {row._meta.db_table}")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        row.save()
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        type(row)._default_manager.all().delete()
    assert type(row)._default_manager.filter(pk=row.pk).exists()


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has no TRUNCATE")
def test_postgresql_refuses_to_truncate_the_trail(event: AuditEvent) -> None:
    connection.check_constraints()  # pending foreign keys of the fixtures' rows would refuse it first
    assert_refused("TRUNCATE screening_auditevent")
    assert AuditEvent.objects.filter(pk=event.pk).exists()


def test_an_event_refers_to_its_object_by_type_and_id(
    event: AuditEvent, patient: Patient, photographer: User, site: Site
) -> None:
    assert (event.object_type, event.object_id) == ("patient", str(patient.pk))
    assert (event.actor, event.site, event.data) == (photographer, site, {})
    assert patient.family_name not in str(event)
    assert patient.mrn not in str(event)
    patient.delete()
    for row in (photographer, site):
        with pytest.raises(ProtectedError):
            row.delete()
    assert AuditEvent.objects.filter(pk=event.pk).exists()


def test_an_event_refuses_data_that_is_not_plain(site: Site, photographer: User, patient: Patient) -> None:
    data = {"patient": patient}
    with pytest.raises(TypeError, match="plain"):
        record_event(verb=Verb.PATIENT_VIEWED, subject=patient, site=site, data=data, by=photographer)  # type: ignore[arg-type]  # refused
    assert not AuditEvent.objects.exists()
