"""Questions before a person is registered twice."""

import datetime
from collections.abc import Callable
from typing import Any

import pytest

from screening.models import AuditEvent, Patient, Site, User
from screening.services.patient_details import InvalidPatient
from screening.services.patient_questions import MAX_SIMILAR, PatientNotConfirmed, record_similar
from screening.services.patients import PatientExists, register_patient, update_patient
from tests.screening.factories import PatientFactory

ADA: dict[str, Any] = {"mrn": "B-2", "given_name": "Ada", "family_name": "Byron", "born_on": "1960-05-17"}


def questions_of(site: Site, user: User, **changes: Any) -> PatientNotConfirmed:
    """The questions about Ada Byron with these changes. Nothing is stored."""
    n_patients, n_events = Patient.objects.count(), AuditEvent.objects.count()
    with pytest.raises(PatientNotConfirmed) as caught:
        register_patient(site=site, **{**ADA, **changes}, by=user)
    assert (Patient.objects.count(), AuditEvent.objects.count()) == (n_patients, n_events)
    return caught.value


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"given_name": "ADA", "family_name": "byron"},
        {"given_name": "Byron", "family_name": "Ada"},
        {"given_name": "", "family_name": "Ada Byron"},
        {"given_name": "A-da", "family_name": "By ron"},
        {"born_on": "1960-05"},
        {"born_on": "1960"},
        {"born_on": "", "estimated_age": 66, "age_estimated_on": datetime.date(2026, 11, 27)},
        {"born_on": ""},
        {"born_on": datetime.date(1960, 5, 17)},
    ],
)
def test_the_same_names_and_a_birth_that_could_be_the_same_are_a_question(
    site: Site, photographer: User, changes: dict[str, Any]
) -> None:
    existing = PatientFactory(site=site, mrn="A-1")
    error = questions_of(site, photographer, **changes)
    assert [question.code for question in error.questions] == ["possible_duplicate"]
    assert error.similar == (existing,)
    patient = register_patient(site=site, **{**ADA, **changes}, confirm=error.answers, by=photographer)
    assert patient.pk != existing.pk
    assert AuditEvent.objects.get(verb="patient.registered").data == {"confirmed": "possible_duplicate"}


@pytest.mark.parametrize(
    "changes",
    [
        {"born_on": "1960-05-18"},
        {"born_on": "1961"},
        {"given_name": "Augusta"},
        {"given_name": "Dada"},
        {"given_name": ""},
        {"born_on": "", "estimated_age": 20},
    ],
)
def test_another_name_or_birth_is_no_question(site: Site, photographer: User, changes: dict[str, Any]) -> None:
    PatientFactory(site=site, mrn="A-1")
    register_patient(site=site, **{**ADA, **changes}, by=photographer)
    assert Patient.objects.count() == 2


def test_a_person_of_another_site_is_no_question(site: Site, other_site: Site, photographer: User) -> None:
    PatientFactory(site=other_site, mrn="b-2")
    assert register_patient(site=site, **ADA, by=photographer).site == site


@pytest.mark.parametrize("typed", ["a-12", "A–12", "Ａ－１２", "A -12", "A\u00a0-12", "A−１２"])
def test_a_number_that_differs_only_in_form_is_a_question(site: Site, photographer: User, typed: str) -> None:
    existing = PatientFactory(site=site, mrn="A-12")
    other_person = {"given_name": "Grace", "family_name": "Hopper"}
    error = questions_of(site, photographer, mrn=typed, **other_person)
    assert [question.code for question in error.questions] == ["similar_number"]
    assert error.similar == (existing,)
    patient = register_patient(
        site=site, **{**ADA, **other_person, "mrn": typed}, confirm=error.answers, by=photographer
    )
    patient.refresh_from_db()
    assert patient.mrn == typed, "stored as typed"
    assert Patient.objects.count() == 2


@pytest.mark.parametrize(
    ("stored", "typed"), [("1-23", "12-3"), ("007", "7"), ("007", "07"), ("1.23", "1-23"), ("123", "1-23")]
)
def test_other_numbers_are_no_question(site: Site, photographer: User, stored: str, typed: str) -> None:
    PatientFactory(site=site, mrn=stored, family_name="Hopper")
    assert register_patient(site=site, **{**ADA, "mrn": typed}, by=photographer).mrn == typed


def test_a_number_in_scientific_notation_is_a_question(site: Site, photographer: User) -> None:
    error = questions_of(site, photographer, mrn="1.2E+10")
    assert ([question.code for question in error.questions], error.similar) == (["scientific_number"], ())
    assert (
        register_patient(site=site, **{**ADA, "mrn": "1.2E+10"}, confirm=error.answers, by=photographer).mrn
        == "1.2E+10"
    )


def test_an_answer_is_about_the_patients_that_were_shown(site: Site, photographer: User) -> None:
    PatientFactory(site=site, mrn="A-1")
    first = questions_of(site, photographer)
    PatientFactory(site=site, mrn="A-2")
    second = questions_of(site, photographer, confirm=first.answers)
    assert len(second.similar) == 2
    questions_of(site, photographer, confirm=["possible_duplicate", "scientific_number"])
    questions_of(site, photographer, mrn="a-1", confirm=second.answers)
    register_patient(site=site, **ADA, confirm=second.answers, by=photographer)


def test_an_exact_number_needs_no_answer_and_has_none(site: Site, photographer: User) -> None:
    existing = PatientFactory(site=site, mrn="B-2")
    with pytest.raises(PatientExists) as caught:
        register_patient(site=site, **ADA, confirm=[f"possible_duplicate:{existing.pk}"], by=photographer)
    assert caught.value.existing == existing


def test_a_long_list_of_similar_patients_is_cut(site: Site, photographer: User) -> None:
    PatientFactory.create_batch(MAX_SIMILAR + 3, site=site)
    error = questions_of(site, photographer)
    assert len(error.similar) == MAX_SIMILAR
    register_patient(site=site, **ADA, confirm=error.answers, by=photographer)


def test_a_correction_raises_questions_about_what_it_changes(site: Site, photographer: User) -> None:
    PatientFactory(site=site, mrn="A-1")
    patient = PatientFactory(site=site, mrn="A-2", family_name="Hopper")
    update_patient(patient=patient, sex="U", by=photographer)
    with pytest.raises(PatientNotConfirmed) as caught:
        update_patient(patient=patient, family_name="BYRON", by=photographer)
    update_patient(patient=patient, family_name="BYRON", confirm=caught.value.answers, by=photographer)
    update_patient(patient=patient, sex="F", mrn="A-3", by=photographer)
    with pytest.raises(PatientNotConfirmed, match="differs from that of another patient only"):
        update_patient(patient=patient, mrn="a-1", by=photographer)
    data = [event.data for event in AuditEvent.objects.filter(verb="patient.updated").order_by("id")]
    assert data[1] == {"fields": "family_name", "confirmed": "possible_duplicate"}
    assert data[2] == {"fields": "mrn,sex"}


def test_similar_patients_that_were_shown_are_audited_without_their_data(site: Site, photographer: User) -> None:
    PatientFactory(site=site, mrn="A-1")
    record_similar(questions_of(site, photographer), by=photographer)
    event = AuditEvent.objects.get()
    assert (event.verb, event.site, event.actor) == ("patients.searched", site, photographer)
    assert event.data == {"n_found": 1, "questions": "possible_duplicate"}


def test_registration_takes_the_same_queries_for_any_number_of_similar_patients(
    site: Site, photographer: User, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    PatientFactory.create_batch(10, site=site)
    with django_assert_max_num_queries(8), pytest.raises(PatientNotConfirmed):
        register_patient(site=site, **ADA, by=photographer)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"given_name": "", "family_name": " "}, "family_name"),
        ({"given_name": "\u200c", "family_name": "\u200b"}, "family_name"),
        ({"born_on": "17.05.1960"}, "born_on"),
        ({"born_on": "2999"}, "born_on"),
        ({"born_on": "1890"}, "born_on"),
        ({"born_on": "1960", "estimated_age": 66}, "estimated_age"),
        ({"born_on": "", "estimated_age": 121}, "estimated_age"),
        ({"born_on": "", "estimated_age": -1}, "estimated_age"),
        ({"born_on": "", "estimated_age": 100, "age_estimated_on": datetime.date(1990, 1, 1)}, "estimated_age"),
        ({"born_on": "", "estimated_age": 60, "age_estimated_on": datetime.date(2999, 1, 1)}, "age_estimated_on"),
        ({"born_on": "", "age_estimated_on": datetime.date(2020, 1, 1)}, "estimated_age"),
        ({"born_on": "1960", "diabetes_since_year": 1959}, "diabetes_since_year"),
        ({"mrn": "1\u200c2"}, "mrn"),
        ({"mrn": "1\u00ad2"}, "mrn"),
    ],
)
def test_an_impossible_detail_is_refused_with_a_sentence(
    site: Site, photographer: User, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidPatient) as caught:
        register_patient(site=site, **{**ADA, **changes}, by=photographer)
    assert caught.value.field == field
    assert str(caught.value).endswith(".")
    assert not Patient.objects.exists()


@pytest.mark.parametrize(
    ("changes", "stored"),
    [
        ({"given_name": "\u200eSuharti\u00a0", "family_name": ""}, {"given_name": "Suharti", "full_name": "Suharti"}),
        ({"given_name": "", "family_name": "می\u200cخواهم"}, {"family_name": "می\u200cخواهم"}),
        ({"given_name": "क्\u200dषमा", "family_name": "ශ්\u200dරී"}, {"full_name": "ශ්\u200dරී, क्\u200dषमा"}),
        ({"born_on": "1960-5"}, {"born_on": "1960-05"}),
        ({"born_on": ""}, {"born_on": "", "birth_text": "not known"}),
        ({"born_on": "", "diabetes_since_year": 1990}, {"diabetes_since_year": 1990}),
        ({"born_on": "1960", "diabetes_since_year": 1960}, {"diabetes_since_year": 1960}),
    ],
)
def test_names_and_dates_are_stored_as_people_have_them(
    site: Site, photographer: User, changes: dict[str, Any], stored: dict[str, Any]
) -> None:
    patient = register_patient(site=site, **{**ADA, **changes}, by=photographer)
    patient.refresh_from_db()
    assert {name: getattr(patient, name) for name in stored} == stored


def test_an_estimate_keeps_the_day_on_which_it_was_made(site: Site, photographer: User) -> None:
    patient = register_patient(site=site, mrn="1", given_name="Ada", estimated_age=60, by=photographer)
    assert patient.age_estimated_on is not None, "today"
    Patient.objects.update(age_estimated_on=datetime.date(2020, 1, 1))
    same = update_patient(patient=patient, given_name="Eve", born_on="", estimated_age=60, by=photographer)
    assert same.age_estimated_on == datetime.date(2020, 1, 1)
    new = update_patient(patient=patient, estimated_age=70, by=photographer)
    assert new.age_estimated_on not in {None, datetime.date(2020, 1, 1)}
    dated = update_patient(patient=patient, born_on="1955", by=photographer)
    assert (dated.born_on, dated.estimated_age, dated.age_estimated_on) == ("1955", None, None)
    estimated = update_patient(patient=patient, estimated_age=70, by=photographer)
    assert (estimated.born_on, estimated.estimated_age) == ("", 70)
    unknown = update_patient(patient=patient, estimated_age=None, by=photographer)
    assert (unknown.birth.is_known, unknown.age_estimated_on) == (False, None)
