"""Messages that are sent: quiet hours, failures, refused addresses; nothing of a person is logged."""

import datetime
import json
import smtplib
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from screening.message_hook import OutgoingMessage, Rejected, TemporaryFailure, write_to_file
from screening.models import (
    ContactAttempt,
    Message,
    Site,
    User,
)
from screening.policy.messages import MAX_ATTEMPTS, MessageKind, MessageReason, MessageState
from screening.services import message_sending
from screening.services.message_sending import send_message, send_messages
from screening.services.messages import (
    queue_message,
)
from tests.screening import message_fixtures as hook
from tests.screening.message_fixtures import by_email, by_sms, switch_on
from tests.screening.services.messages.conftest import days_ahead, move_clock, queue_all

R, S = MessageReason, MessageState


def test_quiet_hours_postpone_and_a_person_gets_one_message_a_day(
    site: Site, photographer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    patient = by_email(site)
    hour = timezone.localtime(timezone=site.zone).hour
    switch_on(site, quiet_from_h=hour, quiet_until_h=(hour + 2) % 24)
    queue_all(site, photographer)
    assert send_messages() == 0
    message = Message.objects.get()
    assert message.state == "queued"
    assert message.due_at is not None
    assert timezone.localtime(message.due_at, site.zone).hour == (hour + 2) % 24
    switch_on(site)
    Message.objects.update(due_at=timezone.now())
    queue_message(patient=patient, kind=MessageKind.APPOINTMENT, appointment_at=days_ahead(days=9), by=photographer)
    assert send_messages() == 1
    waiting = Message.objects.get(state="queued")
    today = timezone.localdate(timezone=site.zone)
    assert waiting.due_at is not None
    assert timezone.localdate(waiting.due_at, site.zone) == today + datetime.timedelta(days=1)
    assert send_messages() == 0
    move_clock(monkeypatch, days=1, minutes=1)
    assert send_messages() == 1
    assert len(mail.outbox) == 2
    with pytest.raises(IntegrityError), transaction.atomic():
        Message.objects.update(day=today)


@pytest.mark.parametrize("error", [TemporaryFailure(), OSError(), ValueError("+447400123456")])
def test_a_temporary_failure_is_repeated_and_fails_in_the_end(
    site: Site, photographer: User, monkeypatch: pytest.MonkeyPatch, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    patient = by_sms(site)
    queue_all(site, photographer)
    hook.errors[:] = [error] * MAX_ATTEMPTS
    assert send_messages() == 0
    message = Message.objects.get()
    assert (message.state, message.reason, message.n_attempts) == ("queued", "temporary", 1)
    assert send_messages() == 0
    assert len(hook.errors) == MAX_ATTEMPTS - 1  # not before its time
    for _attempt in range(MAX_ATTEMPTS):
        move_clock(monkeypatch, hours=9)
        send_messages()
    message.refresh_from_db()
    assert (message.state, message.reason, message.n_attempts) == ("failed", "temporary", MAX_ATTEMPTS)
    assert not ContactAttempt.objects.exists()
    patient.refresh_from_db()
    assert patient.next_step == "invite"
    assert "7400" not in caplog.text


def test_after_a_temporary_failure_the_message_is_sent_with_the_same_id(
    site: Site, photographer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_sms(site)
    queue_all(site, photographer)
    hook.errors[:] = [TemporaryFailure()]
    send_messages()
    move_clock(monkeypatch, minutes=6)
    assert send_messages() == 1
    assert [one.id for one in hook.sent] == [str(Message.objects.get().pk)]


def test_a_refused_address_leads_to_a_telephone_call(site: Site, photographer: User) -> None:
    patient = by_sms(site)
    queue_all(site, photographer)
    hook.errors[:] = [Rejected()]
    send_messages()
    message = Message.objects.get()
    assert (message.state, message.reason) == ("failed", "rejected")
    assert ContactAttempt.objects.get().result == "returned"
    patient.refresh_from_db()
    assert patient.next_step == "phone"


@pytest.mark.parametrize(("code", "state"), [(550, "failed"), (450, "queued")])
def test_answers_of_a_mail_server_are_distinguished(
    site: Site, photographer: User, monkeypatch: pytest.MonkeyPatch, code: int, state: str
) -> None:
    by_email(site)
    queue_all(site, photographer)

    def refuse(*_args: object, **_kwargs: object) -> int:
        raise smtplib.SMTPRecipientsRefused({"ada@example.org": (code, b"")})

    monkeypatch.setattr("screening.services.message_channels.EmailMessage.send", refuse)
    send_messages()
    assert Message.objects.get().state == state


def test_a_message_that_was_interrupted_is_sent_once_more(
    site: Site, photographer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process ends after the hook has accepted the message and before that is stored."""
    by_sms(site)
    queue_all(site, photographer)
    message_id = Message.objects.get().pk
    with monkeypatch.context() as patch:
        patch.setattr(message_sending, "_store_result", _raise_system_exit)
        with pytest.raises(SystemExit):
            send_message(message_id=message_id)
    assert Message.objects.get().state == "sending"
    assert not send_message(message_id=message_id)  # another worker: it may be sent at this moment
    assert len(hook.sent) == 1
    move_clock(monkeypatch, minutes=16)
    assert send_messages() == 1
    assert [one.id for one in hook.sent] == [str(message_id)] * 2
    assert ContactAttempt.objects.count() == 1


def _raise_system_exit(*_args: object) -> None:
    raise SystemExit


def test_a_name_cannot_add_a_header(site: Site, photographer: User) -> None:
    by_email(site, given_name="Ada\r\nBcc: all@example.org", family_name="")
    message = queue_all(site, photographer) and Message.objects.get()
    assert send_message(message_id=message.pk)
    sent = mail.outbox[0]
    assert "\n" not in sent.subject
    assert "Bcc" not in sent.message()
    assert sent.from_email == "Harbour Clinic <screening@localhost>"
    assert sent.extra_headers["Message-ID"] == f"<{message.pk}@localhost>"


@pytest.mark.parametrize(
    "email", ["ada@example.org\nBcc: x@example.org", "a@example.org, b@example.org", "Ada <a@b.org>"]
)
def test_an_address_that_is_not_one_address_gets_nothing(site: Site, photographer: User, email: str) -> None:
    by_email(site, email=email)
    queue_all(site, photographer)
    assert Message.objects.get().reason == "bad_address"
    assert send_messages() == 0


def test_neither_text_nor_address_is_stored_or_logged(
    site: Site, photographer: User, caplog: pytest.LogCaptureFixture
) -> None:
    by_email(site, given_name="Zebulon")
    queue_all(site, photographer)
    with CaptureQueriesContext(connection) as queries:
        send_messages()
    written = " ".join(q["sql"] for q in queries if q["sql"].startswith(("INSERT", "UPDATE")) and "patient" in q["sql"])
    assert "message" in written
    for secret in ("Zebulon", "ada@example.org"):
        assert secret in mail.outbox[0].body + mail.outbox[0].to[0]
        assert secret not in written
        assert secret not in caplog.text


def test_the_file_backend_writes_lines_that_only_its_user_can_read(settings: Any, tmp_path: Path) -> None:
    settings.SMS_FILE = tmp_path / "messages.jsonl"
    for number in range(2):
        write_to_file(OutgoingMessage(str(number), "+447400123456", "Clinic", "Hello\nyou"))
    lines = [json.loads(line) for line in settings.SMS_FILE.read_text().splitlines()]
    assert [line["id"] for line in lines] == ["0", "1"]
    assert lines[0]["text"] == "Hello\nyou"
    assert settings.SMS_FILE.stat().st_mode & 0o777 == 0o600
    settings.SMS_FILE = tmp_path / "missing" / "messages.jsonl"
    with pytest.raises(TemporaryFailure):
        write_to_file(OutgoingMessage("2", "+447400123456", "Clinic", "Hello"))
