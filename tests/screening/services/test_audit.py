"""The audit trail can be added to and never changed, whoever connects to the database."""

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import Model, ProtectedError

from screening.models import AuditEvent, FirstReading, Patient, Site, User
from screening.services.audit import record_event
from tests.screening.factories import ExamFactory, PatientFactory

Verb = AuditEvent.Verb


@pytest.fixture
def event(site: Site, photographer: User) -> AuditEvent:
    patient = PatientFactory(site=site)
    return record_event(verb=Verb.PATIENT_VIEWED, subject=patient, site=site, by=photographer)


@pytest.fixture
def first_reading(site: Site, reviewer: User) -> FirstReading:
    exam = ExamFactory(patient__site=site, is_submitted=True)
    return FirstReading.objects.create(exam=exam, reviewer=reviewer, laterality="OD", is_gradable=True, grade=1)


@pytest.mark.parametrize("fixture", ["event", "first_reading"])
@pytest.mark.parametrize("statement", ["UPDATE {table} SET {column} = {column}", "DELETE FROM {table}"])
def test_the_database_itself_refuses_to_change_a_row(
    request: pytest.FixtureRequest, fixture: str, statement: str
) -> None:
    row: Model = request.getfixturevalue(fixture)
    table, column = row._meta.db_table, "verb" if fixture == "event" else "grade"
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement.format(table=table, column=column))
    assert type(row)._default_manager.filter(pk=row.pk).exists()


def test_the_orm_cannot_change_or_delete_an_event(event: AuditEvent) -> None:
    event.verb = Verb.ROW_CHANGED
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        event.save()
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        event.delete()
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        AuditEvent.objects.all().delete()
    assert AuditEvent.objects.get(pk=event.pk).verb == Verb.PATIENT_VIEWED


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has no TRUNCATE")
def test_postgresql_refuses_to_truncate_the_trail(event: AuditEvent) -> None:
    connection.check_constraints()  # the foreign keys of the fixture's rows are still to be checked, and would refuse
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("TRUNCATE screening_auditevent")
    assert AuditEvent.objects.filter(pk=event.pk).exists()


def test_deleting_what_an_event_is_about_leaves_the_event(event: AuditEvent) -> None:
    Patient.objects.get(pk=event.object_id).delete()
    assert AuditEvent.objects.filter(pk=event.pk).exists()


def test_an_actor_or_a_site_with_events_cannot_be_deleted(event: AuditEvent, photographer: User, site: Site) -> None:
    for row in (photographer, site):
        with pytest.raises(ProtectedError):
            row.delete()
    assert AuditEvent.objects.filter(pk=event.pk).exists()


def test_an_event_refuses_data_that_is_not_plain(site: Site, photographer: User) -> None:
    patient = PatientFactory(site=site)
    with pytest.raises(TypeError, match="plain"):
        record_event(
            verb=Verb.PATIENT_VIEWED,
            subject=patient,
            site=site,
            data={"patient": patient},  # type: ignore[dict-item]
            by=photographer,
        )
    assert not AuditEvent.objects.exists()


def test_an_event_names_its_object_by_type_and_id(event: AuditEvent, photographer: User, site: Site) -> None:
    patient = Patient.objects.get()
    assert (event.object_type, event.object_id) == ("patient", str(patient.pk))
    assert (event.actor, event.site, event.data) == (photographer, site, {})


def test_the_text_of_an_event_holds_no_name(event: AuditEvent) -> None:
    patient = Patient.objects.get()
    assert patient.family_name not in str(event)
    assert patient.mrn not in str(event)
