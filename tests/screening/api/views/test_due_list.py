"""The due list and contacts by the API."""

import datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from screening.models import AuditEvent, ContactAttempt, Patient, Site, User
from tests.screening.api.client import ApiClient, assert_is_error
from tests.screening.factories import ExamFactory, PatientFactory


def day(n: int) -> str:
    return str(timezone.localdate() + datetime.timedelta(days=n))


@pytest.fixture
def client(photographer: User) -> ApiClient:
    return ApiClient(photographer)


@pytest.fixture
def patient(site: Site) -> Patient:
    return PatientFactory(site=site, family_name="Due")


def test_the_list_has_the_filters_of_the_page(
    client: ApiClient, site: Site, other_site: Site, patient: Patient
) -> None:
    PatientFactory(site=site, family_name="Later", due_on=day(200), next_step_on=day(158), screened_on=day(-200))
    PatientFactory(site=site, family_name="Forgotten", due_on=day(-60), next_step="remind", phone="020 7946 0000")
    PatientFactory(site=other_site)
    cases: list[tuple[dict[str, Any], set[str]]] = [
        ({}, {"Due", "Later", "Forgotten"}),
        ({"state": "overdue"}, {"Forgotten"}),
        ({"step": "invite"}, {"Due"}),
        ({"due_by": day(-1)}, {"Forgotten"}),
        ({"never_screened": "true"}, {"Due", "Forgotten"}),
    ]
    for query, expected in cases:
        found = client.get(f"sites/{site.pk}/due-list", **query).body["results"]
        assert {one["family_name"] for one in found} == expected, query
    one = client.get(f"sites/{site.pk}/due-list", state="overdue").body["results"][0]
    assert (one["state"], one["next_step"], one["phone"]) == ("overdue", "remind", "020 7946 0000")
    assert AuditEvent.objects.filter(verb="patients.searched", data__n_found=3, site=site).exists()
    assert_is_error(client.get(f"sites/{site.pk}/due-list", state="dead"), 400, "invalid")
    assert_is_error(client.get(f"sites/{site.pk}/due-list", name="Due"), 400, "invalid")


def test_a_page_of_the_list_needs_as_many_queries_for_more_people(client: ApiClient, site: Site) -> None:
    counts = []
    for n_people in (1, 30):
        for _ in range(n_people):
            ExamFactory(patient__site=site)
        client.get(f"sites/{site.pk}/due-list")
        with CaptureQueriesContext(
            connection,
        ) as queries:
            response = client.get(f"sites/{site.pk}/due-list")
        counts.append(len(queries))
    assert len(response.body["results"]) == 25
    assert response.body["next"]
    assert counts[0] == counts[1] <= 9


def test_a_contact_is_recorded_by_the_rules_of_the_page(client: ApiClient, patient: Patient) -> None:
    body = {"kind": "invitation", "channel": "email", "result": "sent", "on": day(0), "note": "By hand"}
    response = client.post(f"patients/{patient.pk}/contacts", body)
    assert response.status == 201
    assert ContactAttempt.objects.get().pk.hex == response.body["id"].replace("-", "")
    patient.refresh_from_db()
    assert patient.next_step == "remind"
    assert client.get(f"patients/{patient.pk}/contacts").body["results"] == [response.body]
    for changes, field in (({"result": "reached", "kind": "no_show"}, "result"), ({"on": day(1)}, "on")):
        refused = client.post(f"patients/{patient.pk}/contacts", {**body, **changes})
        assert_is_error(refused, 400, "invalid")
        assert list(refused.body["fields"]) == [field]
    assert ContactAttempt.objects.count() == 1
