"""Metrics: behind a token, right with several processes, and about nobody."""

import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from screening.models import User
from tests.screening.factories import GradingFactory

TOKEN = "a-token-of-tests-4711-x"
PROJECT = Path(__file__).resolve().parents[2]
N_PROCESSES, N_REQUESTS, REPLACED_AFTER, DEADLINE_S = 3, 60, 25, 60


@pytest.fixture(autouse=True)
def token(settings: Any) -> None:
    settings.METRICS_TOKEN = TOKEN
    settings.CELERY_BROKER_URL = "memory://"


def read(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Values by name and labels."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def scrape(client: Client) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain")
    return read(answer.content.decode())


def requests_of(values: dict[Any, float], view: str, status: str, method: str = "GET") -> float:
    return values.get(("drs_requests_total", (("method", method), ("status", status), ("view", view))), 0.0)


def test_without_a_token_in_the_settings_there_are_no_metrics(client: Client, settings: Any) -> None:
    settings.METRICS_TOKEN = ""
    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404


@pytest.mark.parametrize("header", [None, "", f"Basic {TOKEN}", "Bearer", f"Bearer {TOKEN}x", "Bearer ü"])
def test_whoever_lacks_the_token_is_turned_away(client: Client, header: str | None) -> None:
    answer = client.get("/metrics", headers={} if header is None else {"Authorization": header})
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, 'Bearer realm="metrics"')
    assert answer.content == b""


@pytest.mark.django_db
def test_requests_are_counted_by_view_and_status_and_never_by_address(client: Client, photographer: User) -> None:
    before = scrape(client)
    client.get("/patients/?q=Byron")
    client.get("/patients/Byron-4711/")
    client.generic("BYRON", "/login/")
    client.force_login(photographer)
    client.get("/patients/")
    after = scrape(client)
    for view, status, method in (
        ("screening:patient-list", "302", "GET"),
        ("screening:patient-list", "200", "GET"),
        ("", "404", "GET"),
        ("screening:login", "405", "OTHER"),
    ):
        assert requests_of(after, view, status, method) - requests_of(before, view, status, method) == 1
    seconds = ("drs_request_seconds_count", (("view", "screening:patient-list"),))
    assert after[seconds] - before.get(seconds, 0) == 2
    assert not any("Byron" in str(key) or "BYRON" in str(key) for key in after)


@pytest.mark.django_db
def test_gradings_are_counted_as_the_database_knows_them(client: Client) -> None:
    now = timezone.now()
    recent, long_ago = now - timedelta(minutes=5), now - timedelta(hours=2)
    GradingFactory(queued_at=now - timedelta(seconds=90))
    GradingFactory(queued_at=now)
    GradingFactory(status="running", queued_at=recent)
    for n, ms in enumerate((100, 200, 300, 4000)):
        GradingFactory(is_done=n > 0, is_ungradable=n == 0, queued_at=recent, duration_ms=ms)
    GradingFactory(is_failed=True, queued_at=recent)
    GradingFactory(is_done=True, queued_at=long_ago, duration_ms=50_000)
    values = scrape(client)
    assert values["drs_queue_depth", ()] == 2
    assert 90 <= values["drs_queue_oldest_age_seconds", ()] < 150
    assert values["drs_gradings_running", ()] == 1
    assert values["drs_gradings_done_last_hour", ()] == 4
    assert values["drs_gradings_failed_last_hour", (("reason", "unexpected"),)] == 1
    assert values["drs_gradable_fraction_last_hour", ()] == 0.75
    seconds = [values["drs_grading_seconds_last_hour", (("quantile", q),)] for q in ("0.5", "0.95", "1.0")]
    assert seconds == [0.2, 4.0, 4.0]
    assert values["drs_model_info", (("version", "fake-1.0.0+00000000"),)] == 1


@pytest.mark.django_db
def test_an_idle_site_makes_up_no_share_and_no_duration(client: Client) -> None:
    values = scrape(client)
    assert values["drs_queue_depth", ()] == values["drs_queue_oldest_age_seconds", ()] == 0
    assert not any(name.startswith(("drs_gradable_share", "drs_grading_seconds")) for name, _labels in values)


def test_metrics_tell_that_the_database_is_unavailable(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise OperationalError

    monkeypatch.setattr("drsite.metrics.read_queue_stats", fail)
    values = scrape(client)
    assert values["drs_database_up", ()] == 0
    assert ("drs_queue_depth", ()) not in values


def test_metrics_tell_that_the_broker_is_unavailable(client: Client, db: None, settings: Any) -> None:
    settings.CELERY_BROKER_URL = "redis://127.0.0.1:1/0"
    values = scrape(client)
    assert values["drs_broker_up", ()] == 0
    assert ("drs_workers", ()) not in values


@pytest.fixture
def server(shared_database: str, settings: Any, tmp_path: Path) -> Iterator[str]:
    """gunicorn as deploy/ configures it, with several processes that are replaced often; its address."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        **os.environ,
        "SECRET_KEY": settings.SECRET_KEY,
        "DATABASE_URL": shared_database,
        "REDIS_URL": "memory://",
        "MEDIA_ROOT": str(tmp_path / "media"),
        "METRICS_TOKEN": TOKEN,
        "TMPDIR": str(tmp_path),
        "INSECURE_HTTP": "true",
        "ALLOWED_HOSTS": "127.0.0.1",
    }
    arguments = ["--config", "deploy/gunicorn_conf.py", "--workers", str(N_PROCESSES), "--bind", f"127.0.0.1:{port}"]
    arguments += ["--max-requests", str(REPLACED_AFTER), "--max-requests-jitter", "0"]
    arguments += ["--worker-tmp-dir", str(tmp_path), "drsite.wsgi:application"]
    log = (tmp_path / "gunicorn.log").open("wb")
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", *arguments], cwd=PROJECT, env=environment, stdout=log, stderr=log
    )
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait(DEADLINE_S)
    log.close()


def fetch(url: str) -> str:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {TOKEN}"})
    with urllib.request.urlopen(request, timeout=DEADLINE_S) as answer:
        return str(answer.read().decode())


def fetch_when_up(url: str, tmp_path: Path) -> str:
    deadline = timezone.now() + timedelta(seconds=DEADLINE_S)
    while True:
        try:
            return fetch(url)
        except urllib.error.HTTPError:
            raise
        except OSError:
            assert timezone.now() < deadline, (tmp_path / "gunicorn.log").read_text()


def test_several_processes_and_those_that_take_their_places_count_together(server: str, tmp_path: Path) -> None:
    fetch_when_up(f"{server}/health/live", tmp_path)
    before = read(fetch(f"{server}/metrics"))
    for _ in range(N_REQUESTS):
        fetch(f"{server}/api/schema/")
    counted = {
        requests_of(read(fetch(f"{server}/metrics")), "api-schema", "200") - requests_of(before, "api-schema", "200")
        for _ in range(4 * N_PROCESSES)
    }
    assert counted == {N_REQUESTS}, "whichever process is asked tells the same"
    names = sorted(path.name for path in tmp_path.glob("drsite-metrics-*/counter_*.db"))
    assert len(names) > 1, "only one process served: the test showed nothing"
    places = [f"counter_{place}.db" for place in range(1, N_PROCESSES + 1)]
    assert set(names) <= set(places), "a process that took another's place left files of its own"
