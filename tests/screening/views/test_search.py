"""Search everywhere: patients, exams by number, pages and actions, of those that the user may open."""

from typing import Any

from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from screening.models import AuditEvent, Membership, Site
from tests.screening.factories import ExamFactory, MembershipFactory, PatientFactory
from tests.screening.views.pages import HTMX

PAGE = "/search/"


def test_a_search_finds_patients_exams_pages_and_actions(
    as_manager: Client, site: Site, other_site: Site, caplog: Any, django_assert_max_num_queries: Any
) -> None:
    exam = ExamFactory(patient=PatientFactory(site=site, family_name="Lovelace", mrn="LOV-1"))
    hidden = ExamFactory(patient=PatientFactory(site=other_site, family_name="Lovelock"))
    assert "Lovelace" not in as_manager.get(PAGE).text
    with django_assert_max_num_queries(18):
        found = as_manager.post(PAGE, {"text": "love"}).text
    assert reverse("screening:patient-detail", args=[exam.patient_id]) in found
    assert "Lovelock" not in found
    options = as_manager.post(PAGE, {"text": "lov-1"}, headers=HTMX).text
    assert 'role="option"' in options
    assert "<html" not in options
    by_number = as_manager.post(PAGE, {"text": str(exam.pk)[:13]}).text
    assert reverse("screening:exam-detail", args=[exam.pk]) in by_number
    assert "Nothing is found" in as_manager.post(PAGE, {"text": str(hidden.pk)}).text
    assert reverse("screening:site-staff", args=[site.pk]) + "#invite" in as_manager.post(PAGE, {"text": "invi"}).text
    assert "settings/reading-times/" in as_manager.post(PAGE, {"text": "target rea"}).text
    assert "Nothing is found" in as_manager.post(PAGE, {"text": "zzz"}).text
    event = AuditEvent.objects.filter(verb="patients.searched").earliest("id")
    assert event.data == {"route": "screening:search", "n_found": 1}
    assert "love" not in caplog.text.lower()


def test_a_name_that_is_typed_is_one_event_and_each_person_shown_is_in_one(as_manager: Client, site: Site) -> None:
    for name in ("Lovelace", "Lovell"):
        PatientFactory(site=site, family_name=name)
    PatientFactory(site=site, family_name="Byron")

    def n_found(text: str, **kwargs: Any) -> list[int]:
        as_manager.post(PAGE, {"text": text}, **kwargs)
        return [one.data["n_found"] for one in AuditEvent.objects.filter(verb="patients.searched").order_by("id")]

    for text in ("lov", "lovel", "lovela", "lovelaces"):
        found = n_found(text, headers=HTMX)
    assert found == [2], "the later ones show no other person"
    assert n_found("byr", headers=HTMX) == [2, 1]
    assert n_found("lovelace", headers=HTMX) == [2, 1], "shown a moment ago"
    assert n_found("lovelace") == [2, 1, 1], "the page records each search"
    cache.clear()
    assert n_found("lovelace", headers=HTMX) == [2, 1, 1, 1]


def test_a_long_list_is_cut_and_a_bad_text_refused(as_manager: Client, site: Site) -> None:
    for _ in range(8):
        PatientFactory(site=site, family_name="Lovelace")
    assert "There are more patients" in as_manager.post(PAGE, {"text": "lovelace"}).text
    assert as_manager.post(PAGE, {"text": "a\x00b"}).status_code == 422
    assert as_manager.post(PAGE, {"text": "x" * 999}, headers=HTMX).status_code == 200
    assert as_manager.get(PAGE, {"text": "lovelace"}).status_code == 400


def test_an_outside_reader_finds_exams_without_their_people(client: Client, site: Site) -> None:
    exam = ExamFactory(patient=PatientFactory(site=site, family_name="Lovelace"), is_submitted=True)
    client.force_login(MembershipFactory(site=site, role=Membership.Role.OUTSIDE_READER).user)
    assert "Lovelace" not in client.post(PAGE, {"text": "Zlovelace"}).text
    assert str(exam.patient_id) not in client.post(PAGE, {"text": "lovelace"}).text
    shown = client.post(PAGE, {"text": str(exam.pk)}).text
    assert reverse("screening:exam-review", args=[exam.pk]) in shown
    assert "Lovelace" not in shown
    assert "invite" not in client.post(PAGE, {"text": "invite"}, headers=HTMX).text
