"""Registering, correcting and finding people."""

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from django.http import Http404

from screening.access import AccessDenied
from screening.models import AuditEvent, Patient, Site, User
from screening.selectors import get_patient_history, list_patients, search_patients
from screening.services.patients import InvalidPatient, PatientExists, register_patient, update_patient
from tests.screening.factories import (
    ExamFactory,
    EyeFindingFactory,
    FundusImageFactory,
    PatientFactory,
    ReviewFactory,
)

DETAILS: dict[str, Any] = {
    "mrn": " A-1 ",
    "given_name": " Ada ",
    "family_name": "Byron",
    "born_on": datetime.date(1960, 5, 17),
    "sex": "F",
    "diabetes_type": "2",
    "diabetes_since_year": 2001,
}


def test_a_patient_is_registered_once_and_in_the_trail(site: Site, photographer: User) -> None:
    patient = register_patient(site=site, **DETAILS, by=photographer)
    patient.refresh_from_db()
    assert (patient.mrn, patient.given_name, patient.site) == ("A-1", "Ada", site)
    event = AuditEvent.objects.get()
    assert (event.verb, event.object_id, event.actor) == ("patient.registered", str(patient.pk), photographer)
    with pytest.raises(PatientExists, match="already registered") as caught:
        register_patient(site=site, **DETAILS, by=photographer)
    assert caught.value.field == "mrn"
    assert Patient.objects.count() == 1


def test_people_of_the_same_name_and_birthday_are_different_patients(site: Site, photographer: User) -> None:
    one = register_patient(site=site, **DETAILS, by=photographer)
    other = register_patient(site=site, **{**DETAILS, "mrn": "A-2"}, by=photographer)
    assert one.pk != other.pk
    assert Patient.objects.filter(family_name="Byron").count() == 2


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("mrn", "  "),
        ("mrn", "1" * 41),
        ("mrn", "1\x002"),
        ("given_name", ""),
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
def test_a_detail_that_cannot_be_is_refused_with_a_sentence(
    site: Site, photographer: User, field: str, value: Any
) -> None:
    with pytest.raises(InvalidPatient) as caught:
        register_patient(site=site, **{**DETAILS, field: value}, by=photographer)
    assert caught.value.field == field
    assert str(caught.value).endswith(".")
    assert not Patient.objects.exists()
    assert not AuditEvent.objects.exists()


def test_a_correction_names_the_changed_fields_and_not_their_values(site: Site, photographer: User) -> None:
    patient = register_patient(site=site, **DETAILS, by=photographer)
    update_patient(patient=patient, **{**DETAILS, "family_name": "Lovelace", "sex": "U"}, by=photographer)
    patient.refresh_from_db()
    assert patient.family_name == "Lovelace"
    assert AuditEvent.objects.get(verb="patient.updated").data == {"fields": "family_name,sex"}


def test_a_correction_that_changes_nothing_leaves_no_event(site: Site, photographer: User) -> None:
    patient = register_patient(site=site, **DETAILS, by=photographer)
    update_patient(patient=patient, **DETAILS, by=photographer)
    assert not AuditEvent.objects.filter(verb="patient.updated").exists()


def test_a_number_cannot_be_changed_to_another_patients(site: Site, photographer: User) -> None:
    PatientFactory(site=site, mrn="B-1")
    patient = register_patient(site=site, **DETAILS, by=photographer)
    with pytest.raises(PatientExists):
        update_patient(patient=patient, **{**DETAILS, "mrn": "B-1"}, by=photographer)
    patient.refresh_from_db()
    assert patient.mrn == "A-1"


def test_a_reviewer_and_an_outsider_cannot_register_or_correct(site: Site, reviewer: User, outsider: User) -> None:
    patient = PatientFactory(site=site)
    for user in (reviewer, outsider):
        with pytest.raises(AccessDenied):
            register_patient(site=site, **DETAILS, by=user)
        with pytest.raises(AccessDenied):
            update_patient(patient=patient, **DETAILS, by=user)
    assert Patient.objects.count() == 1


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", {"A100", "A200", "B300"}),
        ("a1", {"A100"}),
        ("A", {"A100", "A200"}),
        ("100", set()),
        ("byr", {"A100"}),
        ("ada BYRON", {"A100"}),
        ("Byron, Ada", {"A100"}),
        ("grace", {"A200", "B300"}),
        ("hopper grace", {"A200"}),
        ("hopper ada", set()),
        ("lovelace", {"A100"}),
        ("_", set()),
        ("%", set()),
    ],
)
def test_patients_are_found_by_the_start_of_the_number_or_of_each_name(
    site: Site, photographer: User, text: str, found: set[str]
) -> None:
    PatientFactory(site=site, mrn="A100", given_name="Ada", family_name="Byron Lovelace")
    PatientFactory(site=site, mrn="A200", given_name="Grace", family_name="Hopper")
    PatientFactory(site=site, mrn="B300", given_name="Grace", family_name="Kelly")
    assert {patient.mrn for patient in search_patients(user=photographer, text=text)} == found


def test_patients_of_another_site_are_not_found(site: Site, photographer: User, outsider: User) -> None:
    patient = PatientFactory(site=site)
    assert list(list_patients(user=photographer)) == [patient]
    assert list(list_patients(user=outsider)) == []
    assert list(search_patients(user=outsider, text=patient.mrn)) == []
    with pytest.raises(Http404):
        get_patient_history(user=outsider, patient_id=patient.pk)


def make_history(site: Site, n_exams: int) -> Patient:
    patient = PatientFactory(site=site)
    for _ in range(n_exams):
        exam = ExamFactory(patient=patient, is_submitted=True)
        FundusImageFactory(exam=exam)
        signed = EyeFindingFactory(review=ReviewFactory(exam=exam)).review
        EyeFindingFactory(review=ReviewFactory(exam=exam, amends=signed, amend_reason="Typing error"), grade=2)
    return patient


@pytest.mark.parametrize("n_exams", [1, 6])
def test_a_history_costs_the_same_queries_however_long_it_is(
    site: Site, photographer: User, n_exams: int, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    patient = make_history(site, n_exams)
    with django_assert_max_num_queries(4):
        history = get_patient_history(user=photographer, patient_id=patient.pk)
        held = [list(exam.current_reviews) for exam in history.exams]  # type: ignore[attr-defined]
        grades = [[finding.grade for finding in reviews[0].findings.all()] for reviews in held]
    assert [len(reviews) for reviews in held] == [1] * n_exams
    assert grades == [[2]] * n_exams


def test_the_list_of_patients_is_one_query(
    site: Site, photographer: User, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    for _ in range(4):
        make_history(site, 2)
    with django_assert_max_num_queries(1):
        rows = [(patient.site.name, patient.n_exams) for patient in list_patients(user=photographer)]  # type: ignore[attr-defined]
    assert rows == [("Harbour Clinic", 2)] * 4
