"""Hooks and mail backends that hang, print or raise: no message is lost, stored twice or logged."""

import sys

import pytest

from screening.message_hook import OutgoingMessage, Rejected, TemporaryFailure
from screening.models import AuditEvent, ContactAttempt, Message, Site, User
from screening.services.message_sending import send_message, send_messages
from tests.screening import message_fixtures as hook
from tests.screening.message_fixtures import by_email, by_sms
from tests.screening.services.messages.conftest import move_clock, queue_all


@pytest.mark.parametrize("late_error", [None, TemporaryFailure(), Rejected()])
def test_a_hook_that_ends_late_changes_nothing_that_another_process_stored(
    site: Site,
    photographer: User,
    monkeypatch: pytest.MonkeyPatch,
    late_error: Exception | None,
) -> None:
    by_sms(site)
    queue_all(site, photographer)
    message_id = Message.objects.get().pk

    def hang(message: OutgoingMessage) -> None:
        monkeypatch.setattr(hook, "keep", hook.sent.append)
        move_clock(monkeypatch, minutes=16)
        assert send_message(message_id=message_id)
        hook.sent.append(message)
        if late_error is not None:
            raise late_error

    monkeypatch.setattr(hook, "keep", hang)
    send_message(message_id=message_id)
    message = Message.objects.get()
    assert (message.state, message.n_attempts, len(hook.sent)) == ("sent", 2, 2)
    assert ContactAttempt.objects.get().result == "sent"
    assert AuditEvent.objects.filter(verb=AuditEvent.Verb.MESSAGE_SENT).count() == 1


def test_a_message_that_was_sent_late_is_not_sent_again(
    site: Site, photographer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_sms(site)
    queue_all(site, photographer)
    message_id = Message.objects.get().pk

    def hang(message: OutgoingMessage) -> None:
        def refuse(_message: OutgoingMessage) -> None:
            raise TemporaryFailure

        monkeypatch.setattr(hook, "keep", refuse)
        move_clock(monkeypatch, minutes=16)
        assert not send_message(message_id=message_id)
        assert Message.objects.get().state == "queued"
        hook.sent.append(message)

    monkeypatch.setattr(hook, "keep", hang)
    assert send_message(message_id=message_id)
    assert Message.objects.get().state == "sent"
    assert ContactAttempt.objects.count() == 1


@pytest.mark.parametrize("error", [SystemExit(1), RuntimeError("+447400123456"), None])
def test_what_a_hook_prints_or_raises_reaches_no_log(
    site: Site,
    photographer: User,
    error: BaseException | None,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    by_sms(site)
    queue_all(site, photographer)

    def noisy(message: OutgoingMessage) -> None:
        sys.stdout.write(message.to + message.text)
        sys.stderr.write(message.to)
        if error is not None:
            raise error

    monkeypatch.setattr(hook, "keep", noisy)
    assert send_messages() == (1 if error is None else 0)
    message = Message.objects.get()
    assert (message.state, message.reason) == (("sent", "") if error is None else ("queued", "temporary"))
    assert "7400" not in "".join(capfd.readouterr()) + caplog.text


@pytest.mark.parametrize(
    ("error", "state"), [(RuntimeError("ada@example.org"), "queued"), (UnicodeError("ada@example.org"), "failed")]
)
def test_errors_of_a_mail_backend_end_no_run_and_name_no_address(
    site: Site,
    photographer: User,
    error: Exception,
    state: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    by_email(site)
    by_sms(site)
    queue_all(site, photographer)

    def refuse(*_args: object, **_kwargs: object) -> int:
        raise error

    monkeypatch.setattr("screening.services.message_channels.EmailMessage.send", refuse)
    assert send_messages() == 1
    assert Message.objects.get(channel="email").state == state
    assert "ada@" not in caplog.text


def test_an_address_whose_domain_cannot_be_encoded_is_refused(site: Site, photographer: User) -> None:
    by_email(site, email=f"ada@{'ü' * 63}.example.org")
    queue_all(site, photographer)
    assert send_messages() == 0
    message = Message.objects.get()
    assert (message.state, message.reason) in {("failed", "rejected"), ("not_sent", "bad_address")}
