"""Probes say whether the site can work, and nothing else."""

from typing import Any

import pytest
import redis
from django.db import OperationalError
from django.test import Client

from ml.bundle import BundleError
from screening.views import health


@pytest.fixture(autouse=True)
def healthy(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    settings.CELERY_BROKER_URL = "memory://"
    monkeypatch.setattr("screening.services.gradings.read_own_bundle", lambda: None)


def test_a_live_process_answers_without_logging_in(client: Client) -> None:
    answer = client.get("/health/live")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.django_db
def test_a_ready_site_names_its_parts(client: Client) -> None:
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()) == (
        200,
        {"status": "ok", "database": "ok", "broker": "ok", "bundle": "ok"},
    )


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("part", "error"),
    [
        ("database", OperationalError("password authentication failed")),
        ("broker", redis.ConnectionError("password")),
        ("bundle", BundleError("/srv/password is not a bundle")),
    ],
)
def test_a_part_that_cannot_be_used_is_named_without_details(
    client: Client, monkeypatch: pytest.MonkeyPatch, part: str, error: Exception
) -> None:
    def fail() -> None:
        raise error

    monkeypatch.setitem(health._PARTS, part, fail)
    answer = client.get("/health/ready")
    assert answer.status_code == 503
    assert (answer.json()[part], answer.json()["status"]) == ("unavailable", "unavailable")
    assert "password" not in answer.content.decode()


@pytest.mark.django_db
def test_a_broker_that_does_not_answer_is_unavailable_soon(client: Client, settings: Any) -> None:
    settings.CELERY_BROKER_URL = "redis://127.0.0.1:1/0"
    assert client.get("/health/ready").json()["broker"] == "unavailable"


def test_a_probe_only_reads(client: Client) -> None:
    assert client.post("/health/ready").status_code == 405
