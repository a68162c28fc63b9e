"""Probes say whether the site can work, and nothing else."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone

from ml.errors import BundleError
from screening.health import checks, worker_heartbeat
from tests.screening.factories import GradingFactory

WELL = {"database": "ok", "broker": "ok", "storage": "ok", "bundle": "ok", "queue": "ok", "worker": "ok"}


@pytest.fixture(autouse=True)
def healthy(monkeypatch: pytest.MonkeyPatch, settings: Any, fake_grader: Any) -> None:
    settings.CELERY_BROKER_URL = "memory://"
    monkeypatch.setattr("screening.services.inference.read_own_bundle", lambda *, verify: fake_grader.bundle)


@pytest.fixture
def broker_unavailable(settings: Any) -> None:
    settings.CELERY_BROKER_URL = "redis://:password@127.0.0.1:1/0"


@pytest.fixture
def broker_in_memory(settings: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Stands in for Redis: what workers noted."""
    kept: dict[str, str] = {}

    class Broker:
        def __enter__(self) -> "Broker":
            return self

        def __exit__(self, *_error: object) -> None: ...

        def ping(self) -> None: ...

        def set(self, key: str, value: str, *, ex: int) -> None:
            assert ex == worker_heartbeat.HEARTBEAT_TTL_S
            kept[key] = value

        def delete(self, key: str) -> None:
            kept.pop(key, None)

        def scan_iter(self, *, match: str, count: int) -> Iterator[str]:
            return iter([key for key in kept if key.startswith(match.removesuffix("*"))])

    settings.CELERY_BROKER_URL = "redis://broker:6379/0"
    monkeypatch.setattr("screening.health.worker_heartbeat.connect_broker", Broker)
    monkeypatch.setattr("screening.health.worker_heartbeat._recorded_at", {})
    return kept


def test_a_live_process_answers_without_logging_in(client: Client) -> None:
    answer = client.get("/health/live")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_health_checks_are_answered_under_any_host_name_and_over_plain_http(client: Client, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["screening.example.org"]
    settings.SECURE_SSL_REDIRECT = True
    assert client.get("/health/live", headers={"Host": "web:8000"}).status_code == 200
    assert client.get("/login/", headers={"Host": "web:8000"}).status_code == 400


@pytest.mark.django_db
def test_a_ready_site_names_its_parts(client: Client) -> None:
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok", **WELL})


def lose_the_database(monkeypatch: pytest.MonkeyPatch, _settings: Any, _folder: Path) -> None:
    def fail(*_args: Any, **_kwargs: Any) -> None:
        raise OperationalError("password authentication failed")

    monkeypatch.setattr(connection, "cursor", fail)


def lose_the_broker(_monkeypatch: pytest.MonkeyPatch, settings: Any, _folder: Path) -> None:
    settings.CELERY_BROKER_URL = "redis://:password@127.0.0.1:1/0"


def lose_the_bundle(monkeypatch: pytest.MonkeyPatch, _settings: Any, _folder: Path) -> None:
    def fail(*, verify: bool) -> None:
        raise BundleError("/srv/password is not a bundle")

    monkeypatch.setattr("screening.services.inference.read_own_bundle", fail)


def fill_the_disk(monkeypatch: pytest.MonkeyPatch, _settings: Any, _folder: Path) -> None:
    class Usage:
        free = checks.MIN_FREE_BYTES - 1

    monkeypatch.setattr("screening.health.checks.shutil.disk_usage", lambda _folder: Usage)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("part", "lose"),
    [
        ("database", lose_the_database),
        ("broker", lose_the_broker),
        ("bundle", lose_the_bundle),
        ("storage", fill_the_disk),
    ],
)
def test_a_part_that_cannot_be_used_is_named_without_details(
    client: Client, monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path, part: str, lose: Any
) -> None:
    lose(monkeypatch, settings, tmp_path)
    answer = client.get("/health/ready")
    assert answer.status_code == 503
    assert (answer.json()[part], answer.json()["status"]) == ("unavailable", "unavailable")
    assert "password" not in answer.content.decode()


@pytest.mark.django_db
def test_a_worker_that_gives_no_sign_of_life_is_noticed_and_the_pages_stay(
    client: Client, broker_in_memory: dict[str, str]
) -> None:
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()) == (200, {"status": "degraded", **WELL, "worker": "unavailable"})
    worker_heartbeat.record_heartbeat("celery@one")
    assert client.get("/health/ready").json() == {"status": "ok", **WELL}
    worker_heartbeat.clear_heartbeat("celery@one")
    assert client.get("/health/ready").json()["worker"] == "unavailable"


def test_each_worker_counts_for_itself(broker_in_memory: dict[str, str]) -> None:
    for name in ("celery@two", "celery@one", "celery@two"):
        worker_heartbeat.record_heartbeat(name)
    assert worker_heartbeat.list_live_workers() == ["celery@one", "celery@two"]


def test_a_worker_says_that_it_lives_no_more_often_than_needed(
    broker_in_memory: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr("screening.health.worker_heartbeat.time.monotonic", lambda: now)
    worker_heartbeat.record_heartbeat("celery@one")
    broker_in_memory.clear()
    worker_heartbeat.record_heartbeat("celery@one")
    assert broker_in_memory == {}
    now += worker_heartbeat.HEARTBEAT_INTERVAL_S
    worker_heartbeat.record_heartbeat("celery@one")
    assert worker_heartbeat.list_live_workers() == ["celery@one"]


def test_a_worker_goes_on_while_the_broker_is_unavailable(broker_unavailable: None) -> None:
    worker_heartbeat.record_heartbeat("celery@one")
    worker_heartbeat.clear_heartbeat("celery@one")


@pytest.mark.django_db
def test_a_photograph_that_waits_too_long_makes_the_queue_late(client: Client, settings: Any) -> None:
    settings.QUEUE_LATE_AFTER_S = 300
    grading = GradingFactory(queued_at=timezone.now() - timedelta(seconds=299))
    assert client.get("/health/ready").json()["queue"] == "ok"
    grading.queued_at = timezone.now() - timedelta(seconds=302)
    grading.save()
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()["queue"], answer.json()["status"]) == (200, "late", "degraded")


def test_a_probe_only_reads(client: Client) -> None:
    assert client.post("/health/ready").status_code == 405
