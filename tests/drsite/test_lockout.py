"""Password spraying from one IP address is stopped."""

from datetime import timedelta
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.test import Client
from django.utils import timezone

from screening.models import User


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
