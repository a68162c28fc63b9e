"""The pages of patients."""

import re
from typing import Any

import pytest
from django.test import Client

from screening.models import AuditEvent, Patient, Site, User
from screening.policy import Outcome
from tests.screening.factories import ExamFactory, EyeFindingFactory, PatientFactory, ReviewFactory
from tests.screening.views.pages import count_queries, form_data, page_text, text_of, url

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


def test_a_search_text_in_the_address_is_refused(site: Site, as_reviewer: Client) -> None:
    PatientFactory(site=site, family_name="Lovelace")
    response = as_reviewer.get(LIST, {"text": "Lovelace"})
    assert response.status_code == 400
    assert "This page has no parameter “text”." in response.content.decode()
    assert "Lovelace" not in response.content.decode()


@pytest.mark.parametrize(("method", "n_found"), [("get", 1), ("post", 0)])
def test_lists_and_searches_are_audited_without_the_text(
    method: str, n_found: int, site: Site, reviewer: User, as_reviewer: Client
) -> None:
    PatientFactory(site=site)
    as_reviewer.get(LIST) if method == "get" else as_reviewer.post(LIST, {"text": "Lovelace"})
    event = AuditEvent.objects.exclude(verb="user.logged_in").get()
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
        ({"family_name": "", "given_name": ""}, "Fill in the family name or the given name."),
        ({"born_on": "10.12.1965"}, "Write the birth date as 1960-05-17"),
        ({"born_on": ""}, "Give the birth date or an estimated age"),
        ({"is_birth_unknown": "on"}, "The birth date or the age is filled in."),
        ({"estimated_age": "60"}, "Fill in the birth date or an estimated age, not both."),
        ({"family_name": "By\x07ron"}, "This has characters that cannot be printed."),
        ({"mrn": "TAKEN"}, "This medical record number is already registered at this site."),
        ({"family_name": "x" * 81}, "at most 80 characters"),
    ],
)
def test_an_error_keeps_the_entries(changes: dict[str, str], message: str, site: Site, as_photographer: Client) -> None:
    PatientFactory(site=site, mrn="TAKEN")
    response = as_photographer.post(NEW, details(site, **changes))
    assert response.status_code == 422
    assert message in text_of(response)
    assert 'value="A-77"' in text_of(response) or "mrn" in changes
    assert Patient.objects.count() == 1


def press_confirm(client: Client, response: Any, form: dict[str, str]) -> Any:
    """Send the form again with the second button."""
    (answers,) = re.findall(r'name="confirm"\s+value="([^"]+)"', text_of(response))
    return client.post(NEW, {**form, "confirm": answers})


def test_a_person_registered_already_is_shown_before_saving(site: Site, as_photographer: Client) -> None:
    existing = PatientFactory(site=site, mrn="OLD-1", family_name="LOVELACE", given_name="Ada", born_on="1965")
    PatientFactory(site=site, mrn="OLD-2", family_name="Lovelace", given_name="Ada", born_on="1966")
    form = details(site)
    response = as_photographer.post(NEW, form)
    assert response.status_code == 409
    text = text_of(response)
    assert url("patient-detail", existing.pk) in text
    assert "OLD-1" in text
    assert "OLD-2" not in text
    assert 'value="Lovelace"' in text, "the entries are kept"
    assert as_photographer.post(NEW, form).status_code == 409, "the main button confirms nothing"
    assert Patient.objects.count() == 2
    assert AuditEvent.objects.filter(verb="patients.searched", data__n_found=1).count() == 2
    assert press_confirm(as_photographer, response, form).status_code == 302
    assert Patient.objects.count() == 3


@pytest.mark.parametrize(
    ("mrn", "message"),
    [("a–77", "differs from that of another patient only"), ("1.2E+10", "as if a spreadsheet had shortened it")],
)
def test_a_questionable_number_raises_a_question(mrn: str, message: str, site: Site, as_photographer: Client) -> None:
    PatientFactory(site=site, mrn="A-77", family_name="Hopper", born_on="1950-01-01")
    form = details(site, mrn=mrn)
    response = as_photographer.post(NEW, form)
    assert response.status_code == 409
    assert message in text_of(response)
    assert press_confirm(as_photographer, response, form).status_code == 302
    assert Patient.objects.get(family_name="Lovelace").mrn == mrn


def test_a_registered_number_has_a_link_to_its_patient(site: Site, as_photographer: Client) -> None:
    existing = PatientFactory(site=site, mrn="A-77", family_name="Hopper")
    text = text_of(as_photographer.post(NEW, details(site)))
    assert url("patient-detail", existing.pk) in text
    assert "Hopper" not in text


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({"born_on": "1965-12-10"}, "10 Dec 1965"),
        ({"born_on": "1965-12"}, "Dec 1965"),
        ({"born_on": "1965"}, "1965"),
        ({"born_on": "", "estimated_age": "60"}, "estimated: 60 years on "),
        ({"born_on": "", "is_birth_unknown": "on"}, "not known"),
    ],
)
def test_a_birth_is_shown_as_what_it_is(
    changes: dict[str, str], shown: str, site: Site, as_photographer: Client, reviewer: User
) -> None:
    as_reviewer = Client()
    as_reviewer.force_login(reviewer)
    as_photographer.post(NEW, details(site, family_name="", **changes))
    patient = Patient.objects.get()
    exam = ExamFactory(patient=patient, is_submitted=True)
    pages: list[tuple[Client, str, list[Any]]] = [
        (as_photographer, "patient-list", []),
        (as_photographer, "patient-detail", [patient.pk]),
        (as_photographer, "exam-detail", [exam.pk]),
        (as_reviewer, "worklist", []),
        (as_reviewer, "exam-review", [exam.pk]),
    ]
    for client, name, args in pages:
        text = page_text(client, name, *args)
        assert re.search(rf"(?<![\d-]){re.escape(shown)}(?!-\d)", text), name
        assert "Jan 1965" not in text
    again = as_photographer.get(url("patient-edit", patient.pk)).context["form"].initial
    form = details(site, family_name="", **changes)
    assert str(again["born_on"]) == form["born_on"]
    assert again["is_birth_unknown"] is ("is_birth_unknown" in changes)
    assert as_photographer.post(url("patient-edit", patient.pk), form).status_code == 302
    assert not AuditEvent.objects.filter(verb="patient.updated").exists(), "nothing was changed"


def test_it_refuses_a_site_of_which_the_user_is_no_member(other_site: Site, as_photographer: Client) -> None:
    assert as_photographer.post(NEW, details(other_site)).status_code == 422
    assert not Patient.objects.exists()


def test_details_can_be_corrected(site: Site, as_photographer: Client) -> None:
    patient = PatientFactory(site=site, family_name="Lovelase")
    as_photographer.post(url("patient-edit", patient.pk), details(site))
    patient.refresh_from_db()
    assert patient.family_name == "Lovelace"


def test_two_persons_correct_different_details_at_once(site: Site, as_photographer: Client) -> None:
    patient = PatientFactory(site=site, phone="+1 202 555 0143", sms_consent="yes")
    address = url("patient-edit", patient.pk)
    opened = form_data(as_photographer.get(address).context["form"])
    assert as_photographer.post(address, opened | {"sms_consent": "no"}).status_code == 302
    assert as_photographer.post(address, opened | {"given_name": "Grace"}).status_code == 302
    patient.refresh_from_db()
    assert (patient.sms_consent, patient.given_name) == ("no", "Grace")
    fields = [event.data["fields"] for event in AuditEvent.objects.filter(verb="patient.updated").order_by("pk")]
    assert fields == ["sms_consent", "given_name"]


def test_two_persons_who_correct_one_detail_see_what_is_stored(site: Site, as_photographer: Client) -> None:
    patient = PatientFactory(site=site, sex="F", phone="+1 202 555 0143", sms_consent="yes")
    address = url("patient-edit", patient.pk)
    opened = form_data(as_photographer.get(address).context["form"])
    as_photographer.post(address, opened | {"sms_consent": "no", "sex": "M", "born_on": "1970"})
    refused = as_photographer.post(address, opened | {"sms_consent": "", "given_name": "Grace"})
    assert refused.status_code == 422
    assert "Another person changed this meanwhile. It is now: No." in text_of(refused)
    patient.refresh_from_db()
    assert (patient.sms_consent, patient.given_name) == ("no", "Ada")
    shown = form_data(refused.context["form"])
    assert (shown["sms_consent"], shown["given_name"], shown["sex"], shown["born_on"]) == ("", "Grace", "M", "1970")
    assert as_photographer.post(address, shown).status_code == 302
    patient.refresh_from_db()
    assert (patient.sms_consent, patient.given_name, patient.sex) == ("", "Grace", "M")


@pytest.mark.parametrize("base", ["{", "[]"])
def test_a_damaged_form_stores_nothing(base: str, site: Site, as_photographer: Client) -> None:
    patient = PatientFactory(site=site)
    response = as_photographer.post(url("patient-edit", patient.pk), details(site, base=base))
    assert "The form is not complete. Reload the page." in text_of(response)


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
    assert count_queries(as_reviewer, "patient-detail", patient.pk) <= 23
