"""The purpose of a request: of the route, or given by a client of the API, from a fixed list."""

import pytest
from django.test import Client
from django.urls import reverse

from screening.models import AuditEvent, Patient, Site
from screening.purposes import CLIENT_PURPOSES, PURPOSE_HEADER
from screening.services.api_keys import issue_key
from tests.screening.factories import MembershipFactory, PatientFactory


@pytest.fixture
def patient(site: Site) -> Patient:
    patient: Patient = PatientFactory(site=site)
    return patient


@pytest.fixture
def program(site: Site) -> Client:
    key = issue_key(user=MembershipFactory(site=site).user, name="x", by=None)[1]
    return Client(headers={"Authorization": f"Bearer {key}"})


def viewed_for() -> str:
    return AuditEvent.objects.filter(verb=AuditEvent.Verb.PATIENT_VIEWED).latest("id").purpose


@pytest.mark.parametrize("purpose", CLIENT_PURPOSES)
def test_a_client_of_the_api_gives_the_purpose(program: Client, patient: Patient, purpose: str) -> None:
    address = reverse("api:patient", args=[patient.pk])
    assert program.get(address, headers={PURPOSE_HEADER: purpose}).status_code == 200
    assert viewed_for() == purpose
    assert program.get(address).status_code == 200
    assert viewed_for() == "TREAT"


@pytest.mark.parametrize("purpose", ["MARKETING", "treat", "SYSTEM", "TREAT,HRESCH", "\u00e9"])
def test_another_purpose_is_refused_and_nothing_is_shown(program: Client, patient: Patient, purpose: str) -> None:
    answer = program.get(reverse("api:patient", args=[patient.pk]), headers={PURPOSE_HEADER: purpose})
    assert (answer.status_code, answer.json()["code"]) == (400, "unknown_purpose")
    assert all(code in answer.json()["message"] for code in CLIENT_PURPOSES)
    assert patient.family_name not in answer.text
    assert not AuditEvent.objects.filter(verb=AuditEvent.Verb.PATIENT_VIEWED).exists()


def test_the_purpose_of_a_page_is_that_of_its_route(client: Client, patient: Patient) -> None:
    client.force_login(MembershipFactory(site=patient.site).user)
    address = reverse("screening:patient-detail", args=[patient.pk])
    assert client.get(address, headers={PURPOSE_HEADER: "HRESCH"}).status_code == 200
    assert viewed_for() == "TREAT"


def test_a_purpose_gives_no_role(site: Site, patient: Patient) -> None:
    user = MembershipFactory(site=site, user__is_superuser=True, user__is_staff=True).user
    program = Client(headers={"Authorization": f"Bearer {issue_key(user=user, name='x', by=None)[1]}"})
    program.get(reverse("api:patient", args=[patient.pk]), headers={PURPOSE_HEADER: "HOPERAT"})
    event = AuditEvent.objects.filter(verb=AuditEvent.Verb.PATIENT_VIEWED).get()
    assert (event.purpose, event.role) == ("HOPERAT", "photographer")
