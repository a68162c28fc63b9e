"""Password spraying from one IP address is stopped."""

from datetime import timedelta
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.core import mail
from django.test import Client
from django.utils import timezone
from kombu.exceptions import OperationalError

from screening.models import AuditEvent, User
from tests.screening.factories import UserFactory


@pytest.mark.parametrize(
    ("n_failures", "minutes_ago", "address", "status"),
    [
        (8, 0, "192.0.2.1", 429),
        (7, 0, "192.0.2.1", 302),
        (8, 0, "192.0.2.2", 302),
        (8, 16, "192.0.2.1", 302),
    ],
    ids=["locked", "a few errors of several people", "another address", "after the cool-off time"],
)
def test_an_address_with_many_failures_is_locked_for_all_user_names(
    photographer: User, client: Client, settings: Any, n_failures: int, minutes_ago: int, address: str, status: int
) -> None:
    settings.LOGIN_FAILURE_LIMIT_PER_IP = 8
    for number in range(n_failures):
        client.post("/login/", {"username": f"user{number}", "password": "wrong"}, REMOTE_ADDR="192.0.2.1")
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=minutes_ago))
    right = {"username": "photographer", "password": "correct horse battery"}
    assert client.post("/login/", right, REMOTE_ADDR=address).status_code == status


RIGHT = {"username": "photographer", "password": "correct horse battery"}


def guess(client: Client, n: int, *, addresses: str = "198.51.100.{}") -> None:
    """Wrong passwords for one account, each from another address."""
    for number in range(n):
        client.post("/login/", {**RIGHT, "password": "wrong"}, REMOTE_ADDR=addresses.format(number))


def test_an_account_that_is_guessed_from_many_addresses_is_locked(
    photographer: User, client: Client, settings: Any
) -> None:
    settings.LOGIN_FAILURE_LIMIT_PER_ACCOUNT = 6
    guess(client, 5)
    assert Client().post("/login/", RIGHT, REMOTE_ADDR="192.0.2.1").status_code == 302
    guess(client, 6)
    assert client.post("/login/", RIGHT, REMOTE_ADDR="203.0.113.9").status_code == 429
    # the person at the usual address is not locked out by others
    assert client.post("/login/", RIGHT, REMOTE_ADDR="192.0.2.1").status_code == 302


@pytest.mark.parametrize(("n_failures", "is_shown"), [(2, False), (3, True)])
def test_the_person_learns_of_wrong_passwords_once(
    photographer: User, client: Client, n_failures: int, is_shown: bool
) -> None:
    guess(client, n_failures)
    pages = []
    for _ in range(2):
        visitor = Client()
        pages.append(visitor.post("/login/", RIGHT, REMOTE_ADDR="192.0.2.1", follow=True).content.decode())
    notice = f"a wrong password was entered {n_failures} times for your account."
    assert [notice in page for page in pages] == [is_shown, False]


@pytest.mark.django_db
def test_a_wrong_user_name_is_not_an_error(client: Client) -> None:
    assert client.post("/login/", {"username": "unknown", "password": "wrong"}).status_code == 200


def test_the_person_is_sent_one_notice_in_each_lock_out(
    photographer: User, client: Client, settings: Any, mail_is_sent: None
) -> None:
    User.objects.update(email="ada@example.org")
    guess(client, 12, addresses="192.0.2.7")
    assert [(message.to, message.from_email) for message in mail.outbox] == [
        (["ada@example.org"], settings.DEFAULT_FROM_EMAIL)
    ]
    text = mail.outbox[0].body
    assert "wrong passwords had been entered for your account photographer." in text
    assert "locked for 15 minutes" in text
    assert (
        AuditEvent.objects.filter(verb=AuditEvent.Verb.LOCKOUT_NOTICE_SENT, object_id=str(photographer.pk)).count() == 1
    )
    User.objects.update(lockout_notice_at=timezone.now() - settings.AXES_COOLOFF_TIME)
    guess(client, 1, addresses="192.0.2.7")
    assert len(mail.outbox) == 2


def test_the_person_is_sent_a_notice_of_guesses_from_many_addresses(
    photographer: User, client: Client, settings: Any, mail_is_sent: None
) -> None:
    settings.LOGIN_FAILURE_LIMIT_PER_ACCOUNT = 6
    User.objects.update(email="ada@example.org")
    guess(client, 5)
    assert mail.outbox == []
    guess(client, 9)
    assert len(mail.outbox) == 1


@pytest.mark.parametrize("changes", [{"email": ""}, {"email": "a@example.org", "is_active": False}])
def test_without_an_address_no_notice_is_sent(
    photographer: User, client: Client, mail_is_sent: None, changes: dict[str, Any]
) -> None:
    User.objects.update(**changes)
    guess(client, 8, addresses="192.0.2.7")
    assert mail.outbox == []
    assert not AuditEvent.objects.filter(verb=AuditEvent.Verb.LOCKOUT_NOTICE_SENT).exists()


def test_a_mail_server_that_does_not_answer_changes_no_log_in(
    photographer: User, client: Client, mail_is_sent: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: Any, **_kwargs: Any) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr(User, "email_user", fail)
    User.objects.update(email="ada@example.org")
    guess(client, 8, addresses="192.0.2.7")
    assert not AuditEvent.objects.filter(verb=AuditEvent.Verb.LOCKOUT_NOTICE_SENT).exists()


@pytest.mark.django_db(transaction=True)
def test_an_unavailable_broker_changes_no_log_in(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: Any, **_kwargs: Any) -> None:
        raise OperationalError

    monkeypatch.setattr("screening.services.accounts.current_app.send_task", fail)
    UserFactory(username="photographer", email="ada@example.org")
    guess(client, 8, addresses="192.0.2.7")
    assert User.objects.filter(lockout_notice_at__isnull=False).exists()
