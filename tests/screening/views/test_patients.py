"""The pages of patients."""

import pytest
from django.test import Client

from screening.models import AuditEvent, Patient, Site, User
from screening.policy import Outcome
from tests.screening.factories import ExamFactory, EyeFindingFactory, PatientFactory, ReviewFactory
from tests.screening.views.pages import count_queries, page_text, text_of, url

LIST, NEW = url("patient-list"), url("patient-new")


def details(site: Site, **changes: str) -> dict[str, str]:
    return {
        "site": str(site.pk), "mrn": "A-77", "family_name": "Lovelace", "given_name": "Ada", "born_on": "1965-12-10",
        "sex": "F", "diabetes_type": "2", "diabetes_since_year": "2004", **changes,
    }  # fmt: skip


@pytest.mark.parametrize("text", ["A-7", "love", "Ada Love", "Lovelace, Ada"])
def test_a_search_by_number_or_name_finds_the_patient(text: str, site: Site, as_reviewer: Client) -> None:
    PatientFactory(site=site, mrn="A-77", family_name="Lovelace", given_name="Ada")
    PatientFactory(site=site, mrn="B-12", family_name="Hopper", given_name="Grace")
    found = text_of(as_reviewer.post(LIST, {"text": text}))
    assert "Lovelace" in found
    assert "Hopper" not in found


def test_a_search_text_in_the_address_is_ignored(site: Site, as_reviewer: Client) -> None:
    PatientFactory(site=site, family_name="Hopper")
    assert "Hopper" in page_text(as_reviewer, "patient-list", q="Lovelace", text="Lovelace")


@pytest.mark.parametrize(("method", "n_found"), [("get", 1), ("post", 0)])
def test_lists_and_searches_are_audited_without_the_text(
    method: str, n_found: int, site: Site, reviewer: User, as_reviewer: Client
) -> None:
    PatientFactory(site=site)
    getattr(as_reviewer, method)(LIST, {"text": "Lovelace"})
    event = AuditEvent.objects.get()
    assert (event.verb, event.actor, event.data) == ("patients.searched", reviewer, {"n_found": n_found})


def test_a_registered_patient_is_shown(site: Site, as_photographer: Client) -> None:
    response = as_photographer.post(NEW, details(site), follow=True)
    patient = Patient.objects.get()
    assert response.request["PATH_INFO"] == url("patient-detail", patient.pk)
    assert (patient.site, patient.full_name, patient.diabetes_since_year) == (site, "Lovelace, Ada", 2004)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"born_on": "2999-01-01"}, "The birth date is in the future."),
        ({"diabetes_since_year": "1950"}, "Diabetes cannot begin before birth"),
        ({"mrn": ""}, "This field is required."),
        ({"mrn": "TAKEN"}, "This medical record number is already registered at this site."),
        ({"family_name": "x" * 81}, "at most 80 characters"),
    ],
)
def test_an_error_keeps_the_entries(changes: dict[str, str], message: str, site: Site, as_photographer: Client) -> None:
    PatientFactory(site=site, mrn="TAKEN")
    response = as_photographer.post(NEW, details(site, **changes))
    assert response.status_code == 422
    assert message in text_of(response)
    assert 'value="Ada"' in text_of(response)
    assert Patient.objects.count() == 1


def test_it_refuses_a_site_of_which_the_user_is_no_member(other_site: Site, as_photographer: Client) -> None:
    assert as_photographer.post(NEW, details(other_site)).status_code == 422
    assert not Patient.objects.exists()


def test_details_can_be_corrected(site: Site, as_photographer: Client) -> None:
    patient = PatientFactory(site=site, family_name="Lovelase")
    as_photographer.post(url("patient-edit", patient.pk), details(site))
    patient.refresh_from_db()
    assert patient.family_name == "Lovelace"


def test_the_history_has_the_outcome_of_each_exam(site: Site, reviewer: User, as_reviewer: Client) -> None:
    patient = PatientFactory(site=site)
    review = ReviewFactory(exam__patient=patient, outcome=Outcome.REFER_URGENT, reviewer=reviewer)
    EyeFindingFactory(review=review, grade=4)
    text = page_text(as_reviewer, "patient-detail", patient.pk)
    assert "Refer to a specialist at once" in text
    assert "Proliferative" in text


def test_a_long_history_takes_few_queries(site: Site, reviewer: User, as_reviewer: Client) -> None:
    patient = PatientFactory(site=site)
    for _number in range(8):
        review = ReviewFactory(exam=ExamFactory(patient=patient, is_submitted=True), reviewer=reviewer)
        EyeFindingFactory(review=review)
    assert count_queries(as_reviewer, "patient-detail", patient.pk) <= 9
