"""Many passwords from one address are stopped, whatever names they are tried under."""

from datetime import timedelta
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.test import Client
from django.utils import timezone

from screening.models import User

RIGHT = {"username": "photographer", "password": "correct horse battery"}


@pytest.fixture(autouse=True)
def few(settings: Any) -> None:
    settings.LOGIN_FAILURE_LIMIT_PER_IP = 8


def fail(client: Client, n: int, address: str = "192.0.2.1") -> None:
    for number in range(n):
        client.post("/login/", {"username": f"somebody{number}", "password": "wrong"}, REMOTE_ADDR=address)


def log_in(client: Client, address: str = "192.0.2.1") -> int:
    return client.post("/login/", RIGHT, REMOTE_ADDR=address).status_code


def test_an_address_that_tries_many_names_is_locked_for_all_of_them(photographer: User, client: Client) -> None:
    fail(client, 8)
    assert log_in(client) == 429


def test_a_few_errors_of_several_people_lock_nobody(photographer: User, client: Client) -> None:
    fail(client, 7)
    assert log_in(client) == 302


def test_other_addresses_are_not_locked(photographer: User, client: Client) -> None:
    fail(client, 8)
    assert log_in(client, "192.0.2.2") == 302


def test_the_lock_opens_by_itself(photographer: User, client: Client) -> None:
    fail(client, 8)
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=16))
    assert log_in(client) == 302
