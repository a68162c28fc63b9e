"""Pages of messages: sending from the due list and to one person, the log, the texts."""

import datetime
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from screening.models import (
    AuditEvent,
    Exam,
    Message,
    MessageBatch,
    MessageTemplate,
    Patient,
    ReadingDraft,
    Site,
    User,
)
from screening.selectors.messages import MessageFilters, list_messages
from screening.services.message_sending import send_messages
from screening.services.message_texts import message_text
from tests.screening import message_fixtures as hook
from tests.screening.factories import ReferralFactory
from tests.screening.message_fixtures import by_email, by_sms, switch_on
from tests.screening.views.pages import HTMX, count_queries, page_text, text_of, url

TEXT = {"subject": "Please call", "body": "Dear {name}, call {phone}. {sender}", "reason": "Shorter", "base": "0"}


@pytest.fixture(autouse=True)
def _hook(settings: Any) -> None:
    settings.SMS_BACKEND = hook.HOOK
    hook.sent.clear()


@pytest.fixture
def site(site: Site) -> Site:
    return switch_on(site)


def text_url(site: Site, *, kind: str = "invitation", channel: str = "email", language: str = "en") -> str:
    return url("site-message-text", site.pk, kind, channel, language)


def test_a_double_click_sends_to_the_filtered_people_once(site: Site, as_photographer: Client) -> None:
    by_email(site)
    by_sms(site, due_on=timezone.localdate() - datetime.timedelta(days=60))
    by_email(site, email_consent="no", due_on=timezone.localdate() - datetime.timedelta(days=60))
    address = url("site-due-list-messages", site.pk) + "?state=overdue"
    assert address in page_text(as_photographer, "site-due-list", site.pk, state="overdue")
    page = as_photographer.get(address)
    assert "Send 1 message" in text_of(page)
    assert "The person does not want messages" in text_of(page)
    data = {"batch": page.context["form"]["batch"].value()}
    for _click in range(2):
        response = as_photographer.post(address, data, follow=True)
        assert "1 message is queued." in text_of(response)
    assert MessageBatch.objects.count() == 1
    assert Message.objects.filter(state="queued").count() == 1
    assert AuditEvent.objects.filter(verb="site.messages_queued", data__n_queued=1, data__n_not_sent=1).exists()
    assert as_photographer.post(address, {}).status_code == 422


def test_the_log_has_filters_and_a_constant_number_of_queries(site: Site, as_photographer: Client) -> None:
    def add(n: int) -> None:
        for number in range(n):
            patient = by_email(site, family_name=f"Sent{number}")
            Message.objects.create(site=site, patient=patient, kind="invitation", channel="email", state="sent")

    add(1)
    failed = by_sms(site, family_name="Failed")
    Message.objects.create(site=site, patient=failed, kind="reminder", channel="sms", state="failed", reason="rejected")
    n_queries = count_queries(as_photographer, "site-messages", site.pk)
    add(60)
    assert count_queries(as_photographer, "site-messages", site.pk) == n_queries <= 10
    assert "Page 1 of 2" in page_text(as_photographer, "site-messages", site.pk)
    for query in ({"state": "failed"}, {"kind": "reminder"}, {"channel": "sms"}, {"reason": "rejected"}):
        text = page_text(as_photographer, "site-messages", site.pk, **query)
        assert "Failed, " in text
        assert "Sent0" not in text
    assert as_photographer.get(url("site-messages", site.pk) + "?state=lost").status_code == 400


def test_the_log_is_exported_with_its_filters(site: Site, as_photographer: Client) -> None:
    for name, state in (("Sent", "sent"), ("Failed", "failed")):
        person = by_sms(site, family_name=name)
        Message.objects.create(site=site, patient=person, kind="reminder", channel="sms", state=state)
    page = as_photographer.get(url("site-messages", site.pk) + "?state=failed")
    assert '<input type="hidden" name="state" value="failed">' in text_of(page)
    address = url("site-message-export", site.pk)
    assert address in text_of(page)
    response = as_photographer.post(address, {"format": "csv", "state": "failed"})
    text = b"".join(response.streaming_content).decode()  # type: ignore[attr-defined]
    assert "Failed" in text
    assert "Sent,Ada" not in text
    event = AuditEvent.objects.get(verb="list.exported")
    assert (event.data["list"], event.data["filters"], event.data["n_found"]) == ("messages", "state=failed", 1)
    assert as_photographer.post(address, {"format": "csv", "state": "lost"}).status_code == 400


def test_pages_state_that_nothing_can_be_sent(site: Site, as_photographer: Client, settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    settings.SMS_BACKEND = ""
    Site.objects.update(message_mode="off")
    text = page_text(as_photographer, "site-messages", site.pk)
    for expected in ("No mail server is set", "No provider of text messages is set", "switched off at this site"):
        assert expected in text
    assert "Send messages" not in page_text(as_photographer, "site-due-list", site.pk)


def test_an_appointment_is_sent_to_one_person_and_can_be_cancelled(site: Site, as_photographer: Client) -> None:
    patient = by_sms(site)
    address = url("patient-messages", patient.pk)
    data = {"kind": "appointment", "day": f"{timezone.localdate() + datetime.timedelta(days=9)}"}
    assert as_photographer.post(address, data).status_code == 422
    response = as_photographer.post(address, {**data, "time": "09:30"}, follow=True)
    assert "The message is queued." in text_of(response)
    message = Message.objects.get()
    response = as_photographer.post(url("message-cancel", message.pk), follow=True)
    assert "The message is cancelled." in text_of(response)
    assert send_messages() == 0
    response = as_photographer.post(address, {"kind": "result_ready"})
    assert response.status_code == 422
    assert "There is no signed result" in text_of(response)
    Patient.objects.update(sms_consent="no")
    assert "The person does not want messages" in page_text(as_photographer, "patient-messages", patient.pk)


def test_the_page_of_a_person_needs_as_many_queries_for_more_messages(site: Site, as_photographer: Client) -> None:
    patient = by_email(site)
    counts = []
    for _ in range(2):
        for _number in range(10):
            Message.objects.create(site=site, patient=patient, kind="reminder", state="not_sent", reason="refused")
        counts.append(count_queries(as_photographer, "patient-messages", patient.pk))
    assert counts[0] == counts[1]


def test_a_text_is_previewed_stored_in_versions_and_sent_in_the_language(site: Site, as_manager: Client) -> None:
    address = text_url(site, language="de")
    preview = as_manager.post(address, {**TEXT, "body": "Hallo {name}"}, headers=HTMX)
    assert "Hallo Maria-Magdalena" in text_of(preview)
    assert "<html" not in text_of(preview)
    assert not MessageTemplate.objects.exists()
    for number, body in ((1, "Hallo {name}"), (2, "Guten Tag {name}")):
        data = {**TEXT, "body": body, "base": f"{number - 1}", "action": "save"}
        response = as_manager.post(address, data, follow=True)
        assert f"Version {number} is stored." in text_of(response)
    german, french, other = (by_email(site, language=language) for language in ("de", "fr", ""))
    bodies = []
    for patient in (german, french, other):
        message = Message(site=site, patient=patient, kind="invitation", channel="email")
        bodies.append(message_text(message)[1].body)
    assert bodies[0] == "Guten Tag Ada Byron"
    assert bodies[1].startswith("Bonjour Ada Byron")
    assert bodies[2].startswith("Dear Ada Byron")
    Site.objects.update(message_language="de")
    site.refresh_from_db()
    message = Message(site=site, patient=other, kind="invitation", channel="email")
    assert message_text(message)[1].body == "Guten Tag Ada Byron"
    assert "Guten Tag {name}" in text_of(as_manager.get(address))
    assert AuditEvent.objects.filter(verb="site.message_text_changed", data__language="de").count() == 2


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"body": "Your diabetes screening"}, "would reveal something clinical"),
        ({"body": "{grade}"}, "would reveal something clinical"),
        ({"body": "{nme}"}, "There is no variable {nme}."),
        ({"body": "<b>Hello</b>"}, "HTML"),
        ({"reason": ""}, "Enter the reason"),
        ({"base": "7"}, "A colleague has stored another version"),
        ({"subject": ""}, "The subject is empty"),
    ],
)
def test_a_text_is_refused_and_nothing_is_lost(
    site: Site, as_manager: Client, changes: dict[str, str], sentence: str
) -> None:
    data = {**TEXT, **changes, "action": "save"}
    response = as_manager.post(text_url(site), data)
    text = text_of(response)
    assert response.status_code == 422
    assert sentence in text
    assert data["body"].replace("<", "&lt;").replace(">", "&gt;") in text
    assert not MessageTemplate.objects.exists()
    if "base" in changes:
        again = {**data, "base": response.context["form"]["base"].value()}
        assert as_manager.post(text_url(site), again).status_code == 302


def test_a_preview_counts_text_messages_and_escapes(site: Site, as_manager: Client) -> None:
    text = text_of(as_manager.post(text_url(site, channel="sms"), {"body": "Ж" * 71, "base": "0"}, headers=HTMX))
    assert "2 text messages" in text
    text = text_of(as_manager.post(text_url(site), {**TEXT, "body": "<script>x</script>"}, headers=HTMX))
    assert "<script>" not in text
    assert as_manager.get(text_url(site, kind="other")).status_code == 404
    assert as_manager.get(text_url(site, language="xx")).status_code == 404


def test_a_late_reader_sees_no_message_that_follows_from_the_result(site: Site, reviewer: User) -> None:
    patient = by_email(site)
    Message.objects.create(site=site, patient=patient, kind="result_ready", channel="email", state="sent")
    assert list_messages(user=reviewer, site=site, filters=MessageFilters()).count() == 1
    exam: Exam = ReferralFactory(exam__patient=patient).exam
    ReadingDraft.objects.create(
        exam=exam, reviewer=reviewer, reading_round=exam.reading_round, entries={}, updated_at=timezone.now()
    )
    assert list_messages(user=reviewer, site=site, filters=MessageFilters()).count() == 0
