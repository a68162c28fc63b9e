"""Metrics: behind a token, right with several processes, and without personal data."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from screening.models import User
from tests.screening.factories import GradingFactory
from tests.screening.processes import DEADLINE_S, PROJECT, environment, free_port, is_open, wait_until

TOKEN = "a-token-of-tests-4711-x"
N_PROCESSES, MAX_REQUESTS, N_REQUESTS = 2, 12, 20
"""More requests than both processes answer before they are replaced."""
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]
"""Values by name and labels."""


@pytest.fixture(autouse=True)
def token(settings: Any) -> None:
    settings.METRICS_TOKEN = TOKEN
    settings.CELERY_BROKER_URL = "memory://"


def read(text: str) -> Samples:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def scrape(client: Client) -> Samples:
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain")
    return read(answer.content.decode())


def requests_of(values: Samples, view: str, status: str, method: str = "GET") -> float:
    return values.get(("drs_requests_total", (("method", method), ("status", status), ("view", view))), 0.0)


def test_metrics_are_off_without_a_token_in_the_settings(client: Client, settings: Any) -> None:
    settings.METRICS_TOKEN = ""
    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404


@pytest.mark.parametrize("header", [None, "", f"Basic {TOKEN}", "Bearer", f"Bearer {TOKEN}x", "Bearer ü"])
def test_a_request_without_the_token_is_refused(client: Client, header: str | None) -> None:
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
def test_gradings_are_counted_from_the_database(client: Client) -> None:
    now = timezone.now()
    recent, long_ago = now - timedelta(minutes=5), now - timedelta(hours=2)
    GradingFactory(queued_at=now - timedelta(seconds=90))
    GradingFactory(queued_at=long_ago, is_bulk=True)
    GradingFactory(status="running", queued_at=recent)
    for n, ms in enumerate((100, 200, 300, 4000)):
        GradingFactory(is_done=n > 0, is_ungradable=n == 0, queued_at=recent, duration_ms=ms)
    GradingFactory(is_done=True, model="fast", queued_at=recent, duration_ms=50)
    GradingFactory(is_failed=True, queued_at=recent)
    GradingFactory(is_done=True, queued_at=long_ago, duration_ms=50_000)
    values = scrape(client)
    assert values["drs_queue_depth", ()] == 2
    assert 90 <= values["drs_queue_oldest_age_seconds", ()] < 150
    assert values["drs_gradings_running", ()] == 1
    done = [values["drs_gradings_done_last_hour", (("model", model),)] for model in ("accurate", "fast")]
    assert done == [4, 1]
    assert values["drs_gradings_failed_last_hour", (("reason", "unexpected"),)] == 1
    assert values["drs_gradable_fraction_last_hour", ()] == 0.8
    for model, expected in (("accurate", [0.2, 4.0, 4.0]), ("fast", [0.05, 0.05, 0.05])):
        labels = [(("model", model), ("quantile", q)) for q in ("0.5", "0.95", "1.0")]
        assert [values["drs_grading_seconds_last_hour", pair] for pair in labels] == expected
        assert values["drs_model_info", (("model", model), ("version", "fake-1.0.0+00000000"))] == 1


@pytest.mark.django_db
def test_an_idle_site_has_no_fraction_and_no_duration(client: Client) -> None:
    values = scrape(client)
    assert values["drs_queue_depth", ()] == values["drs_queue_oldest_age_seconds", ()] == 0
    assert not any(name.startswith(("drs_gradable_fraction", "drs_grading_seconds")) for name, _labels in values)


@pytest.mark.django_db
def test_unavailable_components_are_metrics(client: Client, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise OperationalError

    monkeypatch.setattr("drsite.metrics.read_queue_stats", fail)
    settings.CELERY_BROKER_URL = "redis://127.0.0.1:1/0"
    values = scrape(client)
    assert values["drs_database_up", ()] == values["drs_broker_up", ()] == 0
    assert not {("drs_queue_depth", ()), ("drs_workers", ())} & set(values)


@pytest.mark.django_db
def test_workers_without_their_model_are_counted(
    client: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.CELERY_BROKER_URL = "redis://broker:6379/0"
    workers = {"celery@one": True, "celery@two": False, "celery@three": True}
    monkeypatch.setattr("screening.health.worker_heartbeat.list_live_workers", lambda: workers)
    values = scrape(client)
    assert (values["drs_workers", ()], values["drs_workers_without_model", ()]) == (2, 1)


@pytest.fixture
def server(shared_database: str, tmp_path: Path) -> Iterator[str]:
    """Address of gunicorn as deploy/ configures it, with processes that are replaced often."""
    port, log = free_port(), tmp_path / "gunicorn.log"
    options = ["--workers", str(N_PROCESSES), "--threads", "1", "--bind", f"127.0.0.1:{port}"]
    options += ["--max-requests", str(MAX_REQUESTS), "--max-requests-jitter", "0", "--worker-tmp-dir", str(tmp_path)]
    variables = environment(
        shared_database, REDIS_URL="memory://", METRICS_TOKEN=TOKEN, TMPDIR=str(tmp_path), ALLOWED_HOSTS="127.0.0.1"
    )
    command = ["-m", "gunicorn", "--config", "deploy/gunicorn_conf.py", *options, "drsite.wsgi:application"]
    with log.open("wb") as file:
        process = subprocess.Popen([sys.executable, *command], cwd=PROJECT, env=variables, stdout=file, stderr=file)
    wait_until(lambda: is_open(port), "the server started", process)
    yield f"127.0.0.1:{port}"
    process.terminate()
    process.wait(DEADLINE_S)


def test_processes_and_their_successors_count_together(server: str, tmp_path: Path) -> None:
    def fetch(path: str) -> str:
        with closing(HTTPConnection(server, timeout=DEADLINE_S)) as connection:
            connection.request("GET", path, headers={"Authorization": f"Bearer {TOKEN}"})
            return connection.getresponse().read().decode()

    for _ in range(N_REQUESTS):
        fetch("/patients/")
    scrapes = [read(fetch("/metrics")) for _ in range(4 * N_PROCESSES)]
    assert {requests_of(values, "screening:patient-list", "302") for values in scrapes} == {N_REQUESTS}
    files = {path.name for path in tmp_path.glob("drsite-metrics-*/counter_*.db")}
    assert len(files) > 1, "only one process served: the test showed nothing"
    assert files <= {f"counter_{slot}.db" for slot in range(1, N_PROCESSES + 1)}, "a successor opened a new file"
