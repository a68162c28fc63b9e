"""Finding patients, and their history, in a constant number of queries."""

from collections.abc import Callable
from typing import Any

import pytest
from django.http import Http404

from screening.models import Patient, Site, User
from screening.selectors import get_patient_history, list_patients, search_patients
from tests.screening.factories import (
    ExamFactory,
    EyeFindingFactory,
    FundusImageFactory,
    PatientFactory,
    ReviewFactory,
)


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
def test_patients_are_found_by_the_start_of_number_or_names(
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
def test_a_history_takes_the_same_queries_for_any_length(
    site: Site, photographer: User, n_exams: int, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    patient = make_history(site, n_exams)
    with django_assert_max_num_queries(4):
        history = get_patient_history(user=photographer, patient_id=patient.pk)
        current = [list(exam.current_reviews) for exam in history.exams]  # type: ignore[attr-defined]
        grades = [[finding.grade for finding in reviews[0].findings.all()] for reviews in current]
    assert [len(reviews) for reviews in current] == [1] * n_exams
    assert grades == [[2]] * n_exams


def test_the_list_of_patients_is_one_query(
    site: Site, photographer: User, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    for _ in range(4):
        make_history(site, 2)
    with django_assert_max_num_queries(1):
        rows = [(patient.site.name, patient.n_exams) for patient in list_patients(user=photographer)]  # type: ignore[attr-defined]
    assert rows == [("Harbour Clinic", 2)] * 4
