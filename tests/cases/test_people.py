"""One person with two records, two people with one record, and names and dates that forms refuse elsewhere."""

from typing import Any

import pytest
from django.test import Client

from screening.models import Patient, Site, User
from screening.selectors import search_patients
from tests.cases.conftest import Record
from tests.screening.api.client import ApiClient
from tests.screening.factories import PatientFactory
from tests.screening.views.pages import text_of, url


@pytest.fixture
def api(photographer: User) -> ApiClient:
    return ApiClient(photographer)


ADA: dict[str, Any] = {"mrn": "77", "given_name": "Ada", "family_name": "Byron", "born_on": "1960-05-17"}
OTHER: dict[str, Any] = {"given_name": "Grace", "family_name": "Hopper", "born_on": "1950-01-01"}
TWICE: list[tuple[str, dict[str, Any], dict[str, Any], int, str]] = [
    ("same names and birth date, other number", {"mrn": "12"}, {}, 409, "possible_duplicate"),
    ("names turned round", {"mrn": "9"}, {"given_name": "BYRON", "family_name": "Ada"}, 409, "possible_duplicate"),
    ("same names, year of birth only", {"mrn": "12"}, {"born_on": "1960"}, 409, "possible_duplicate"),
    ("same names, another birth date", {"mrn": "12"}, {"born_on": "1960-05-18"}, 201, ""),
    ("number in full width digits", {"mrn": "77", **OTHER}, {"mrn": "７７"}, 409, "similar_number"),
    ("number in capitals", {"mrn": "ab 7", **OTHER}, {"mrn": "AB7"}, 409, "similar_number"),
    ("another kind of dash", {"mrn": "1-23", **OTHER}, {"mrn": "1–23"}, 409, "similar_number"),
    ("a dash at another position", {"mrn": "1-23", **OTHER}, {"mrn": "12-3"}, 201, ""),
    ("leading zeros", {"mrn": "0077", **OTHER}, {"mrn": "77"}, 201, ""),
    ("number in scientific notation", {"mrn": "12", **OTHER}, {"mrn": "1.2E+10"}, 409, "scientific_number"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "stored", "sent", "status", "code"), TWICE, ids=[row[0] for row in TWICE])
def test_no_person_is_registered_twice_unseen_and_no_two_people_are_one(
    kind: str,
    stored: dict[str, Any],
    sent: dict[str, Any],
    status: int,
    code: str,
    site: Site,
    api: ApiClient,
    client: Client,
    photographer: User,
    record_case: Record,
) -> None:
    PatientFactory(site=site, **stored)
    details = {**ADA, **sent}
    response = api.post("patients", details)
    assert (response.status, response.body.get("code", "")) == (status, code)
    client.force_login(photographer)
    if status == 409:
        page = client.post(url("patient-new"), {**details, "site": site.pk, "sex": "F", "diabetes_type": "2"})
        assert page.status_code == 409
        assert "Not saved yet" in text_of(page)
        assert Patient.objects.count() == 1
        assert api.post("patients", {**details, "confirm": response.body["confirm"]}).status == 201
    assert Patient.objects.filter(mrn=details["mrn"]).count() == 1, "stored as typed"
    assert Patient.objects.count() == 2
    record_case(kind, code or "two patients, no question")


PEOPLE: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("one name", {"given_name": "Suharti", "family_name": ""}, {"full_name": "Suharti"}),
    ("family name only", {"given_name": "", "family_name": "Suharti"}, {"full_name": "Suharti"}),
    ("Persian name with a joiner", {"given_name": "علی\u200cرضا"}, {"given_name": "علی\u200cرضا"}),
    ("Hindi name with a joiner", {"given_name": "क्\u200dषमा"}, {"given_name": "क्\u200dषमा"}),
    ("Sinhala name with a joiner", {"given_name": "ශ්\u200dරී"}, {"given_name": "ශ්\u200dරී"}),
    ("pasted no-break blanks", {"family_name": "\u00a0van\u202fder\u00a0Berg"}, {"family_name": "van der Berg"}),
    ("pasted direction marks", {"family_name": "\u200f\u202bالخطيب\u202c\u200e"}, {"family_name": "الخطيب"}),
    ("birth date to the month", {"born_on": "1960-05"}, {"birth_text": "May 1960"}),
    ("birth date to the year", {"born_on": "1960"}, {"birth_text": "1960"}),
    ("birth date not known", {"born_on": None}, {"birth_text": "not known"}),
    (
        "an estimated age",
        {"born_on": None, "estimated_age": 60, "age_estimated_on": "2026-01-31"},
        {"birth_text": "estimated: 60 years on 31 Jan 2026", "born_on": ""},
    ),
]


@pytest.mark.parametrize(("kind", "sent", "stored"), PEOPLE, ids=[row[0] for row in PEOPLE])
def test_names_and_dates_are_those_of_the_person(
    kind: str, sent: dict[str, Any], stored: dict[str, Any], api: ApiClient, record_case: Record
) -> None:
    response = api.post("patients", {**ADA, **sent})
    assert response.status == 201, response.body
    patient = Patient.objects.get()
    assert {name: getattr(patient, name) for name in stored} == stored
    record_case(kind, f"stored as {patient.birth_text}" if "birth" in kind or "age" in kind else "stored")


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("no name at all", {"given_name": "", "family_name": "\u200b"}, "family_name"),
    ("a control character", {"given_name": "A\x1bda"}, "given_name"),
    ("a birth date in the future", {"born_on": "2999"}, "born_on"),
    ("an age over 120", {"born_on": "1850-01"}, "born_on"),
    ("an estimated age over 120", {"born_on": None, "estimated_age": 130}, "estimated_age"),
    ("day, month, year", {"born_on": "05/06/1960"}, "born_on"),
    ("a number of a patient as a JSON number", {"mrn": 7}, "mrn"),
]


@pytest.mark.parametrize(("kind", "sent", "field"), REFUSED, ids=[row[0] for row in REFUSED])
def test_impossible_details_are_refused_with_a_sentence(
    kind: str, sent: dict[str, Any], field: str, api: ApiClient, record_case: Record
) -> None:
    response = api.post("patients", {**ADA, **sent})
    assert response.status == 400
    assert response.body["fields"][field].endswith(".")
    assert not Patient.objects.exists()
    record_case(kind, response.body["fields"][field])


SEARCHES = [
    ("capitals and umlauts", "müller", "MÜLLER"),
    ("without umlauts", "muller", "Müller"),
    ("a decomposed letter", "müller", "Mu\u0308ller"),
    ("an apostrophe", "o'connor", "O’Connor"),
    ("the second component", "khatib", "Al-Khatib"),
    ("Turkish dotless i", "ışık", "IŞIK"),
    ("Turkish dotted I", "ibrahim", "İBRAHİM"),
    ("Greek final sigma and accents", "παπαδοπουλος", "Παπαδόπουλος"),
    ("Greek capitals", "παπαδόπουλος", "ΠΑΠΑΔΟΠΟΥΛΟΣ"),
    ("Cyrillic", "иванова", "ИВАНОВА"),
    ("a joiner left out", "علیرضا", "علی\u200cرضا"),
]


@pytest.mark.parametrize(("kind", "typed", "name"), SEARCHES, ids=[row[0] for row in SEARCHES])
def test_a_search_finds_the_name_however_it_is_typed(
    kind: str, typed: str, name: str, site: Site, photographer: User, record_case: Record
) -> None:
    patient = PatientFactory(site=site, family_name=name, given_name="")
    PatientFactory(site=site)
    for text in (typed, typed[:3], typed.upper()):
        assert list(search_patients(user=photographer, text=text)) == [patient], text
    record_case(kind, f"“{typed}” finds {name}")
