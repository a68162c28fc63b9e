"""Redis, PostgreSQL or a worker goes away in the middle of the work: a clear page, nothing lost or graded twice."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import redis
from celery import Celery
from django.db import OperationalError, connection
from django.test import Client
from django.urls import reverse

from screening.models import AuditEvent, Exam, FundusImage, Grading, Site, User
from screening.services import gradings, workers
from tests.conftest import photo_bytes
from tests.screening.factories import ExamFactory

Status, Verb = Grading.Status, AuditEvent.Verb
PROJECT = Path(__file__).resolve().parents[2]
DEADLINE_S = 120
POLL_S = 0.02
BUSY_PAGE, BUSY_CODE = "Try again in a moment", "busy"


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def wait_until(is_true: Callable[[], bool], what: str, process: subprocess.Popen[bytes]) -> None:
    """Look again and again, as long as the process lives and the deadline is not over."""
    deadline = time.monotonic() + DEADLINE_S
    while not is_true():
        assert time.monotonic() < deadline, f"{what}: not within {DEADLINE_S} s"
        with suppress(subprocess.TimeoutExpired):
            process.wait(POLL_S)
            pytest.fail(f"the process ended before {what}")


class OwnRedis:
    """A Redis of the test's own, which may be stopped and started."""

    def __init__(self, folder: Path) -> None:
        self.port, self.folder = free_port(), folder
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        options = ["--port", str(self.port), "--dir", str(self.folder), "--save", "", "--bind", "127.0.0.1"]
        self.process = subprocess.Popen(["redis-server", *options], stdout=subprocess.DEVNULL)
        wait_until(self.answers, "Redis answered", self.process)

    def answers(self) -> bool:
        with redis.Redis.from_url(self.url, socket_connect_timeout=1) as client, suppress(redis.ConnectionError):
            return bool(client.ping())
        return False

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(DEADLINE_S)
            self.process = None


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[OwnRedis]:
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed")
    server = OwnRedis(tmp_path)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def exam(site: Site, photographer: User, shared_database: str) -> Exam:
    return ExamFactory(patient__site=site, opened_by=photographer)


@pytest.fixture
def really_publish(monkeypatch: pytest.MonkeyPatch, published: list[Any]) -> None:
    """Undo the usual fake: tasks go to the broker."""
    from screening.services.grading_queue import publish

    monkeypatch.setattr("screening.services.gradings.publish", publish)


def environment(database: str, **more: str) -> dict[str, str]:
    strong = "q8ZrV1nXw5tKc3LyPb7HdMf2SgJa9UeTo4RiNxWk6BvCz0YhQmDs"
    return {**os.environ, "SECRET_KEY": strong, "DATABASE_URL": database, "INSECURE_HTTP": "true", **more}


@pytest.fixture
def start_worker(
    shared_database: str, released_bundle: None, settings: Any, tmp_path: Path
) -> Iterator[Callable[[str], subprocess.Popen[bytes]]]:
    """Starts ``celery -A drsite worker`` at the broker of a URL."""
    started = []

    def start(broker_url: str) -> subprocess.Popen[bytes]:
        arguments = ["-m", "celery", "-A", "drsite", "worker", "--concurrency", "1", "--loglevel", "INFO"]
        with (tmp_path / "worker.log").open("ab") as log:
            worker = subprocess.Popen(
                [sys.executable, *arguments, "--hostname", "faults@here"],
                cwd=PROJECT,
                env=environment(shared_database, REDIS_URL=broker_url, MEDIA_ROOT=str(settings.MEDIA_ROOT)),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        started.append(worker)
        return worker

    yield start
    for worker in started:
        with suppress(ProcessLookupError):
            os.killpg(worker.pid, signal.SIGKILL)
        worker.wait(DEADLINE_S)


def send(client: Client, exam: Exam, data: bytes) -> Any:
    upload = {"laterality": "OD", "field": "macula", "photo": BytesIO(data)}
    address = reverse("screening:exam-images", args=[exam.pk])
    return client.post(address, upload, headers={"Accept": "application/json"})


@pytest.mark.usefixtures("really_publish")
def test_a_photograph_sent_while_redis_is_away_is_kept_and_graded_when_it_is_back(
    own_redis: OwnRedis,
    exam: Exam,
    photographer: User,
    client: Client,
    celery_at: Callable[..., Celery],
    settings: Any,
) -> None:
    app = celery_at(own_redis.url)
    client.force_login(photographer)
    own_redis.stop()
    answer = send(client, exam, photo_bytes())
    assert answer.status_code == 201
    assert "grading is delayed" in answer.json()["sentence"]
    assert "do not send it again" in answer.json()["sentence"]
    grading = FundusImage.objects.get(pk=answer.json()["image"]).gradings.get()
    assert (grading.status, grading.n_attempts) == (Status.QUEUED, 0)

    assert send(client, exam, photo_bytes()).json()["image"] == answer.json()["image"], "sent again: the same one"
    assert FundusImage.objects.count() == Grading.objects.count() == 1

    own_redis.start()
    assert "delayed" not in send(client, exam, photo_bytes(seed=1)).json()["sentence"]
    queue = app.conf.task_default_queue
    with redis.Redis.from_url(own_redis.url) as broker:
        broker.delete(queue)
        assert gradings.sweep_gradings(older_than_s=0) == 2
        sent = [json.loads(message) for message in broker.lrange(queue, 0, -1)]
    assert {message["headers"]["argsrepr"] for message in sent} >= {f"['{grading.pk}']"}
    gradings.run_grading(grading_id=grading.pk)
    grading.refresh_from_db()
    assert grading.status == Status.DONE


@pytest.mark.usefixtures("really_publish")
def test_a_worker_that_is_asked_to_end_finishes_the_photograph_in_hand_and_signs_off(
    own_redis: OwnRedis,
    exam: Exam,
    photographer: User,
    client: Client,
    celery_at: Callable[..., Celery],
    settings: Any,
    start_worker: Callable[[str], subprocess.Popen[bytes]],
    tmp_path: Path,
) -> None:
    celery_at(own_redis.url)
    settings.CELERY_BROKER_URL = own_redis.url
    gradings_of = Grading.objects.order_by("queued_at")
    client.force_login(photographer)
    # Queued by the version that the worker has, and not by the fake one.
    with pytest.MonkeyPatch.context() as patch:
        bundle = gradings.read_own_bundle()
        patch.setattr("screening.services.gradings.current_bundle", lambda: bundle)
        sent = send(client, exam, photo_bytes(size=(2000, 1500))).headers["X-Request-ID"]
    worker = start_worker(own_redis.url)
    wait_until(lambda: gradings_of.get().status != Status.QUEUED, "the photograph was taken in hand", worker)
    assert workers.list_alive() == ["faults@here"]
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(DEADLINE_S) == 0
    grading = gradings_of.get()
    assert (grading.status, grading.n_attempts) == (Status.DONE, 1), (tmp_path / "worker.log").read_text()
    assert AuditEvent.objects.filter(verb=Verb.GRADING_DONE, object_id=str(grading.pk)).count() == 1
    assert workers.list_alive() == []
    lines = [json.loads(line) for line in (tmp_path / "worker.log").read_text().splitlines() if line.startswith("{")]
    of_the_task = [line for line in lines if line.get("task_id")]
    assert {line["request_id"] for line in of_the_task} == {sent}, "the task's lines name the upload's request"


@pytest.fixture
def database_away(db: None) -> Iterator[None]:
    def refuse() -> None:
        raise OperationalError("connection to server at db failed: FATAL: password authentication failed")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connection, "ensure_connection", refuse)
        yield


@pytest.mark.parametrize("path", ["/", "/patients/", "/exams/5f0c1f3e-0000-4000-8000-000000000000/"])
def test_without_the_database_a_person_is_asked_to_try_again(client: Client, database_away: None, path: str) -> None:
    client.raise_request_exception = False
    client.cookies["sessionid"] = "somebody"
    answer = client.get(path)
    assert (answer.status_code, answer["Retry-After"]) == (503, "10")
    page = answer.content.decode()
    assert BUSY_PAGE in page
    assert "Traceback" not in page
    assert "password" not in page


def test_an_error_that_will_not_pass_stays_an_error(
    client: Client, photographer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: Any, **_kwargs: Any) -> None:
        raise RuntimeError("Byron")

    client.force_login(photographer)
    client.raise_request_exception = False
    monkeypatch.setattr("screening.views.worklist.render", fail)
    answer = client.get("/")
    assert answer.status_code == 500
    assert b"Byron" not in answer.content


@pytest.fixture
def server_without_database(tmp_path: Path, released_bundle: None) -> Iterator[str]:
    """gunicorn whose PostgreSQL is not there; its address."""
    port = free_port()
    settings = environment(
        f"postgres://postgres@127.0.0.1:{free_port()}/nothing",
        REDIS_URL="memory://",
        ALLOWED_HOSTS="127.0.0.1",
        MEDIA_ROOT=str(tmp_path / "media"),
        STATIC_ROOT=str(tmp_path / "static"),
        TMPDIR=str(tmp_path),
        DEBUG="false",
    )
    run = {"cwd": PROJECT, "env": settings, "stderr": subprocess.STDOUT}
    subprocess.run(
        [sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity", "0"],
        check=True,
        cwd=PROJECT,
        env=settings,
    )
    with (tmp_path / "gunicorn.log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "drsite.wsgi:application"],
            stdout=log,
            **run,  # type: ignore[call-overload]
        )
    wait_until(lambda: is_open(port), "gunicorn listened", server)
    yield f"http://127.0.0.1:{port}"
    server.terminate()
    server.wait(DEADLINE_S)


def is_open(port: int) -> bool:
    with suppress(OSError):
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    return False


def fetch(url: str, **headers: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=DEADLINE_S) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_a_server_in_production_form_whose_postgresql_is_away_says_so_to_everybody(
    server_without_database: str, tmp_path: Path
) -> None:
    status, page = fetch(f"{server_without_database}/", Cookie="sessionid=somebody")
    assert (status, BUSY_PAGE in page, "Traceback" in page) == (503, True, False)
    for headers in ({"Authorization": "Bearer drk_something"}, {"Cookie": "sessionid=somebody"}):
        status, body = fetch(f"{server_without_database}/api/v1/patients", **headers)
        assert (status, json.loads(body)["code"]) == (503, BUSY_CODE)
    status, body = fetch(f"{server_without_database}/", Cookie="sessionid=somebody", Accept="application/json")
    assert (status, json.loads(body)["code"]) == (503, BUSY_CODE)
    assert fetch(f"{server_without_database}/health/live")[0] == 200
    status, body = fetch(f"{server_without_database}/health/ready")
    assert (status, json.loads(body)["database"]) == (503, "unavailable")
    lines = [json.loads(line) for line in (tmp_path / "gunicorn.log").read_text().splitlines() if line.startswith("{")]
    assert {line["status"] for line in lines if line["logger"] == "drsite.trace"} == {503}
    assert not any("password" in str(line) for line in lines)
