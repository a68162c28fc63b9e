"""Registering patients and changing their details."""

import datetime
from typing import Any

import pytest

from screening.access import AccessDenied
from screening.models import AuditEvent, Patient, Site, User
from screening.services.patient_details import InvalidPatient
from screening.services.patient_questions import PatientNotConfirmed
from screening.services.patients import PatientExists, register_patient, update_patient
from tests.screening.factories import PatientFactory

DETAILS: dict[str, Any] = {
    "mrn": " A-1 ",
    "given_name": " Ada ",
    "family_name": "Byron",
    "born_on": datetime.date(1960, 5, 17),
    "sex": "F",
    "diabetes_type": "2",
    "diabetes_since_year": 2001,
}


def test_a_patient_is_registered_once_with_an_audit_event(site: Site, photographer: User) -> None:
    patient = register_patient(site=site, **DETAILS, by=photographer)
    patient.refresh_from_db()
    assert (patient.mrn, patient.given_name, patient.site) == ("A-1", "Ada", site)
    event = AuditEvent.objects.get()
    assert (event.verb, event.object_id, event.actor) == ("patient.registered", str(patient.pk), photographer)
    with pytest.raises(PatientExists, match="already registered") as caught:
        register_patient(site=site, **DETAILS, by=photographer)
    assert caught.value.field == "mrn"
    assert Patient.objects.count() == 1


def test_people_of_one_name_and_birth_date_are_different_patients(site: Site, photographer: User) -> None:
    one = register_patient(site=site, **DETAILS, by=photographer)
    with pytest.raises(PatientNotConfirmed) as caught:
        register_patient(site=site, **{**DETAILS, "mrn": "A-2"}, by=photographer)
    assert caught.value.similar == (one,)
    other = register_patient(site=site, **{**DETAILS, "mrn": "A-2"}, confirm=caught.value.answers, by=photographer)
    assert one.pk != other.pk
    assert Patient.objects.filter(family_name="Byron").count() == 2


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("mrn", "  "),
        ("mrn", "1" * 41),
        ("mrn", "1\x002"),
        ("given_name", "A\x07da"),
        ("given_name", "A\ue000da"),
        ("family_name", "By\u2028ron"),
        ("family_name", "x" * 81),
        ("family_name", "By\nron"),
        ("born_on", datetime.date(2999, 1, 1)),
        ("born_on", datetime.date(1899, 12, 31)),
        ("sex", "female"),
        ("diabetes_type", "5"),
        ("diabetes_since_year", 1959),
        ("diabetes_since_year", 2999),
    ],
)
def test_an_invalid_detail_is_refused(site: Site, photographer: User, field: str, value: Any) -> None:
    with pytest.raises(InvalidPatient) as caught:
        register_patient(site=site, **{**DETAILS, field: value}, by=photographer)
    assert caught.value.field == field
    assert str(caught.value).endswith(".")
    assert not Patient.objects.exists()
    assert not AuditEvent.objects.exists()


def test_the_event_of_a_change_has_field_names_and_no_values(site: Site, photographer: User) -> None:
    patient = register_patient(site=site, **DETAILS, by=photographer)
    update_patient(patient=patient, **DETAILS, by=photographer)
    assert not AuditEvent.objects.filter(verb="patient.updated").exists(), "nothing was changed"
    update_patient(patient=patient, **{**DETAILS, "family_name": "Lovelace", "sex": "U"}, by=photographer)
    patient.refresh_from_db()
    assert patient.family_name == "Lovelace"
    assert AuditEvent.objects.get(verb="patient.updated").data == {"fields": "family_name,sex"}


def test_a_number_cannot_be_changed_to_that_of_another_patient(site: Site, photographer: User) -> None:
    PatientFactory(site=site, mrn="B-1", family_name="Hopper")
    patient = register_patient(site=site, **DETAILS, by=photographer)
    with pytest.raises(PatientExists):
        update_patient(patient=patient, **{**DETAILS, "mrn": "B-1"}, by=photographer)
    patient.refresh_from_db()
    assert patient.mrn == "A-1"


def test_a_reviewer_and_an_outsider_cannot_register_or_update(site: Site, reviewer: User, outsider: User) -> None:
    patient = PatientFactory(site=site)
    for user in (reviewer, outsider):
        with pytest.raises(AccessDenied):
            register_patient(site=site, **DETAILS, by=user)
        with pytest.raises(AccessDenied):
            update_patient(patient=patient, **DETAILS, by=user)
    assert Patient.objects.count() == 1
