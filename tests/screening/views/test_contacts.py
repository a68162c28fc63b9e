"""The page of contacts with a person, and the telephone list."""

import datetime

from django.test import Client
from django.utils import timezone

from screening.models import ContactAttempt, Exam, ReadingDraft, Site, User
from tests.screening.factories import MembershipFactory, PatientFactory, ReferralFactory
from tests.screening.views.pages import count_queries, form_data, page_text, text_of, url


def day(n: int) -> datetime.date:
    return timezone.localdate() + datetime.timedelta(days=n)


def test_the_form_begins_with_the_next_step_and_stores_it(site: Site, as_photographer: Client) -> None:
    patient = PatientFactory(site=site)
    text = page_text(as_photographer, "patient-contacts", patient.pk)
    assert '<option value="invitation:sent" selected>' in text
    data = {"contact": "invitation:sent", "channel": "letter", "on": f"{day(0)}", "note": "in Welsh"}
    text = text_of(as_photographer.post(url("patient-contacts", patient.pk), data, follow=True))
    assert "The contact is recorded." in text
    assert "in Welsh" in text
    assert '<option value="reminder:sent" selected>' in text
    assert patient.contacts.get().kind == "invitation"


def test_a_refused_contact_is_kept_in_the_form(site: Site, as_photographer: Client) -> None:
    patient = PatientFactory(site=site)
    data = {"contact": "invitation:sent", "channel": "letter", "on": f"{day(3)}", "note": "in Welsh"}
    response = as_photographer.post(url("patient-contacts", patient.pk), data)
    assert response.status_code == 422
    assert "This day is in the future." in text_of(response)
    assert 'value="in Welsh"' in text_of(response)


def test_a_form_that_is_sent_twice_is_recorded_once(site: Site, as_photographer: Client) -> None:
    address = url("patient-contacts", PatientFactory(site=site).pk)
    first = form_data(as_photographer.get(address).context["form"])
    assert [as_photographer.post(address, first).status_code for _ in range(2)] == [302, 302]
    assert ContactAttempt.objects.count() == 1
    again = first | {"base": form_data(as_photographer.get(address).context["form"])["base"]}
    as_photographer.post(address, again)
    assert ContactAttempt.objects.count() == 2


def test_the_list_of_people_to_telephone_has_their_numbers(site: Site, as_photographer: Client) -> None:
    PatientFactory(site=site, next_step="phone", phone="020 7946 0000")
    PatientFactory(site=site, phone="020 7946 9999")
    text = text_of(as_photographer.get(url("site-due-list", site.pk), {"step": "phone"}))
    assert "020 7946 0000" in text
    assert "9999" not in text


def test_a_late_reader_sees_no_next_step(site: Site, reviewer: User, as_reviewer: Client) -> None:
    MembershipFactory(site=site, user=reviewer, role="photographer")
    patient = PatientFactory(site=site, next_step="invite", next_step_on=day(100))
    exam: Exam = ReferralFactory(exam__patient=patient).exam
    assert "Next step:" in page_text(as_reviewer, "patient-contacts", patient.pk)
    ReadingDraft.objects.create(
        exam=exam, reviewer=reviewer, reading_round=exam.reading_round, entries={}, updated_at=timezone.now()
    )
    assert "Next step:" not in page_text(as_reviewer, "patient-contacts", patient.pk)


def test_the_number_of_queries_does_not_grow(site: Site, photographer: User, as_photographer: Client) -> None:
    patient = PatientFactory(site=site)

    def add(n: int) -> None:
        values = {"kind": "invitation", "channel": "letter", "result": "sent", "on": day(0)}
        ContactAttempt.objects.bulk_create(
            ContactAttempt(patient=patient, recorded_by=photographer, **values) for _ in range(n)
        )

    add(2)
    n_queries = count_queries(as_photographer, "patient-contacts", patient.pk)
    add(30)
    assert count_queries(as_photographer, "patient-contacts", patient.pk) == n_queries


def test_no_next_step_is_shown_of_a_person_who_is_not_invited(site: Site, as_photographer: Client) -> None:
    patient = PatientFactory(site=site, register_status="suspended", register_until=day(9))
    assert "Next step" not in page_text(as_photographer, "patient-contacts", patient.pk)
