"""The pages of patients."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from screening.models import AuditEvent, Patient, Site, User
from screening.policy import Outcome
from tests.screening.factories import ExamFactory, EyeFindingFactory, PatientFactory, ReviewFactory

LIST, NEW = reverse("screening:patient-list"), reverse("screening:patient-new")


def details(site: Site, **changes: str) -> dict[str, str]:
    return {
        "site": str(site.pk), "mrn": "A-77", "family_name": "Lovelace", "given_name": "Ada", "born_on": "1965-12-10",
        "sex": "F", "diabetes_type": "2", "diabetes_since_year": "2004", **changes,
    }  # fmt: skip


@pytest.mark.parametrize("text", ["A-7", "love", "Ada Love", "Lovelace, Ada"])
def test_a_patient_is_found_by_number_or_name(text: str, site: Site, reviewer: User, client: Client) -> None:
    PatientFactory(site=site, mrn="A-77", family_name="Lovelace", given_name="Ada")
    PatientFactory(site=site, mrn="B-12", family_name="Hopper", given_name="Grace")
    client.force_login(reviewer)
    found = client.post(LIST, {"text": text}).content.decode()
    assert "Lovelace" in found
    assert "Hopper" not in found


def test_a_search_in_the_address_is_not_listened_to(site: Site, reviewer: User, client: Client) -> None:
    PatientFactory(site=site, family_name="Hopper")
    client.force_login(reviewer)
    assert "Hopper" in client.get(LIST, {"q": "Lovelace", "text": "Lovelace"}).content.decode()


def test_a_look_at_the_list_is_audited_as_it_shows_names(site: Site, reviewer: User, client: Client) -> None:
    PatientFactory(site=site)
    client.force_login(reviewer)
    client.get(LIST)
    event = AuditEvent.objects.get()
    assert (event.verb, event.actor, event.data) == (AuditEvent.Verb.PATIENTS_SEARCHED, reviewer, {"n_found": 1})


def test_a_search_is_audited_without_its_text(site: Site, reviewer: User, client: Client) -> None:
    client.force_login(reviewer)
    client.post(LIST, {"text": "Lovelace"})
    event = AuditEvent.objects.get(verb=AuditEvent.Verb.PATIENTS_SEARCHED)
    assert event.data == {"n_found": 0}


def test_a_registered_patient_opens_on_the_own_page(site: Site, photographer: User, client: Client) -> None:
    client.force_login(photographer)
    response = client.post(NEW, details(site), follow=True)
    patient = Patient.objects.get()
    assert response.request["PATH_INFO"] == reverse("screening:patient-detail", args=[patient.pk])
    assert (patient.site, patient.full_name, patient.diabetes_since_year) == (site, "Lovelace, Ada", 2004)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"born_on": "2999-01-01"}, "The birth date is in the future."),
        ({"diabetes_since_year": "1950"}, "Diabetes cannot begin before birth"),
        ({"mrn": ""}, "This field is required."),
        ({"mrn": "TAKEN"}, "This medical record number is already registered at this site."),
    ],
)
def test_a_mistake_is_explained_and_nothing_typed_is_lost(
    changes: dict[str, str], message: str, site: Site, photographer: User, client: Client
) -> None:
    PatientFactory(site=site, mrn="TAKEN")
    client.force_login(photographer)
    response = client.post(NEW, details(site, **changes))
    text = response.content.decode()
    assert response.status_code == 422
    assert message in text
    assert 'value="Lovelace"' in text
    assert Patient.objects.count() == 1


def test_nobody_registers_at_a_site_that_is_not_theirs(
    site: Site, other_site: Site, photographer: User, client: Client
) -> None:
    client.force_login(photographer)
    assert client.post(NEW, details(other_site)).status_code == 422
    assert not Patient.objects.exists()


def test_details_can_be_corrected(site: Site, photographer: User, client: Client) -> None:
    patient = PatientFactory(site=site, family_name="Lovelase")
    client.force_login(photographer)
    client.post(reverse("screening:patient-edit", args=[patient.pk]), details(site))
    patient.refresh_from_db()
    assert patient.family_name == "Lovelace"


def test_the_history_shows_what_followed_from_each_exam(site: Site, reviewer: User, client: Client) -> None:
    patient = PatientFactory(site=site)
    review = ReviewFactory(exam__patient=patient, outcome=Outcome.REFER_URGENT, reviewer=reviewer)
    EyeFindingFactory(review=review, grade=4)
    client.force_login(reviewer)
    text = client.get(reverse("screening:patient-detail", args=[patient.pk])).content.decode()
    assert "Refer to a specialist at once" in text
    assert "Proliferative" in text


def test_a_long_history_takes_as_many_queries_as_a_short_one(
    site: Site, reviewer: User, client: Client, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    patient = PatientFactory(site=site)
    for _number in range(8):
        review = ReviewFactory(exam=ExamFactory(patient=patient, is_submitted=True), reviewer=reviewer)
        EyeFindingFactory(review=review)
    client.force_login(reviewer)
    address = reverse("screening:patient-detail", args=[patient.pk])
    client.get(address)
    with django_assert_max_num_queries(9):
        client.get(address)
