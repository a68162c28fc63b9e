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
