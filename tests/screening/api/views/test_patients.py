"""Patients in the API: questions before saving, names and dates as people have them, search."""

from typing import Any

import pytest

from screening.models import AuditEvent, Patient, Site
from tests.screening.api.client import ApiClient, assert_is_error
from tests.screening.factories import PatientFactory

ADA: dict[str, Any] = {"mrn": "A-12", "given_name": "Ada", "family_name": "Byron", "born_on": "1960-05-17"}


@pytest.mark.parametrize(
    ("stored", "changes", "code", "field"),
    [
        ({"mrn": "OLD"}, {"family_name": "BYRON"}, "possible_duplicate", "family_name"),
        ({"mrn": "OLD", "born_on": "1960"}, {}, "possible_duplicate", "family_name"),
        ({"mrn": "a–12", "family_name": "Hopper"}, {}, "similar_number", "mrn"),
        ({"mrn": "OLD", "family_name": "Hopper"}, {"mrn": "1.2E+10"}, "scientific_number", "mrn"),
    ],
)
def test_a_question_is_409_until_it_is_confirmed(
    stored: dict[str, str], changes: dict[str, str], code: str, field: str, client: ApiClient, site: Site
) -> None:
    existing = PatientFactory(site=site, **stored)
    refused = client.post("patients", {**ADA, **changes})
    assert_is_error(refused, 409, code)
    assert refused.body["fields"].keys() == {field}
    assert refused.body["existing_ids"] == ([] if code == "scientific_number" else [str(existing.pk)])
    assert Patient.objects.count() == 1
    assert AuditEvent.objects.filter(verb="patients.searched", data__questions=code).count() == 1
    assert_is_error(client.post("patients", {**ADA, **changes, "confirm": ["yes"]}), 409, code)
    created = client.post("patients", {**ADA, **changes, "confirm": refused.body["confirm"]})
    assert (created.status, created.body["mrn"]) == (201, {**ADA, **changes}["mrn"])


def test_several_questions_are_one_answer(client: ApiClient, site: Site) -> None:
    one = PatientFactory(site=site, mrn="12E4")
    two = PatientFactory(site=site, mrn="OLD")
    refused = client.post("patients", {**ADA, "mrn": "12e4"})
    assert_is_error(refused, 409, "scientific_number")
    assert set(refused.body["existing_ids"]) == {str(one.pk), str(two.pk)}
    assert client.post("patients", {**ADA, "mrn": "12e4", "confirm": refused.body["confirm"]}).status == 201


def test_an_existing_patient_of_another_site_is_not_named(client: ApiClient, other_site: Site) -> None:
    PatientFactory(site=other_site, mrn="A-12")
    assert client.post("patients", ADA).status == 201


@pytest.mark.parametrize(
    ("details", "shown"),
    [
        ({"born_on": "1960-05-17"}, ("1960-05-17", None, None)),
        ({"born_on": "1960-05"}, ("1960-05", None, None)),
        ({"born_on": "1960"}, ("1960", None, None)),
        ({"born_on": None}, (None, None, None)),
        ({"born_on": ""}, (None, None, None)),
        ({"estimated_age": 60, "age_estimated_on": "2026-01-31"}, (None, 60, "2026-01-31")),
        ({"born_on": None, "estimated_age": 60, "age_estimated_on": "2026-01-31"}, (None, 60, "2026-01-31")),
    ],
)
def test_a_birth_is_what_was_sent(details: dict[str, Any], shown: tuple[Any, ...], client: ApiClient) -> None:
    created = client.post("patients", {"mrn": "1", "given_name": "Suharti", **details})
    assert created.status == 201, created.body
    read = client.get(f"patients/{created.body['id']}").body
    assert (read["born_on"], read["estimated_age"], read["age_estimated_on"]) == shown
    assert (read["given_name"], read["family_name"]) == ("Suharti", "")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"mrn": 7}, "mrn"),
        ({"mrn": 1.2e10}, "mrn"),
        ({"mrn": True}, "mrn"),
        ({"phone": 441632960123}, "phone"),
        ({"born_on": "17.05.1960"}, "born_on"),
        ({"born_on": "2999"}, "born_on"),
        ({"born_on": "1880-01"}, "born_on"),
        ({"estimated_age": 60}, "estimated_age"),
        ({"born_on": None, "estimated_age": 130}, "estimated_age"),
        ({"born_on": None, "estimated_age": 60, "age_estimated_on": "2999-01-01"}, "age_estimated_on"),
        ({"family_name": "By\x07ron"}, "family_name"),
        ({"confirm": "yes"}, "confirm"),
    ],
)
def test_a_wrong_detail_is_named(changes: dict[str, Any], field: str, client: ApiClient) -> None:
    refused = client.post("patients", {**ADA, **changes})
    assert_is_error(refused, 400, "invalid")
    assert refused.body["fields"].keys() == {field}
    assert not Patient.objects.exists()


def test_an_unknown_birth_is_stated_and_not_left_out(client: ApiClient) -> None:
    refused = client.post("patients", {"mrn": "1", "given_name": "Ada"})
    assert refused.body["fields"].keys() == {"born_on"}


def test_names_are_cleaned_and_joiners_kept(client: ApiClient) -> None:
    body = {**ADA, "given_name": None, "family_name": "\u200fمی\u200cخواهم\u00a0\u202bرضا\u202c"}
    created = client.post("patients", body)
    assert (created.body["given_name"], created.body["family_name"]) == ("", "می\u200cخواهم رضا")
    assert len(client.post("patients/search", {"text": "میخواهم"}).body["results"]) == 1


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ({"text": "khatib"}, {"A–12"}),
        ({"text": "KHATIB, ömer"}, {"A–12"}),
        ({"text": "a-1"}, {"A–12"}),
        ({"mrn": "a-12", "match": "prefix"}, {"A–12"}),
        ({"mrn": "A-12"}, set()),
        ({"mrn": "A–12"}, {"A–12"}),
    ],
)
def test_a_search_is_by_number_or_by_text(
    search: dict[str, str], found: set[str], client: ApiClient, site: Site, other_site: Site
) -> None:
    for where in (site, other_site):
        PatientFactory(site=where, mrn="A–12", family_name="Al-Khatib", given_name="Omer")
    results = client.post("patients/search", search).body["results"]
    assert {row["mrn"] for row in results} == found
    assert len(results) <= 1


@pytest.mark.parametrize("search", [{}, {"mrn": "1", "text": "a"}, {"text": ""}, {"mrn": 7}])
def test_a_search_needs_one_of_both(search: dict[str, Any], client: ApiClient) -> None:
    assert_is_error(client.post("patients/search", search), 400, "invalid")
