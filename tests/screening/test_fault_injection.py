"""Redis or a worker stops in the middle of the work: nothing is lost or graded twice."""

import json
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import redis
from celery import Celery
from django.test import Client
from django.urls import reverse

from screening.health import worker_heartbeat
from screening.models import AuditEvent, Exam, FundusImage, Grading, Site, User
from screening.services import gradings, inference, stale_gradings
from screening.services.gradings import publish
from tests.builders import photo_bytes
from tests.screening.factories import ExamFactory
from tests.screening.processes import (
    DEADLINE_S,
    environment,
    free_port,
    kill_group,
    start_celery_worker,
    wait_until,
)

Status, Verb = Grading.Status, AuditEvent.Verb


class OwnRedis:
    """A Redis for one test, which it stops and starts."""

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
    """Send tasks to the broker, as in production."""
    monkeypatch.setattr("screening.services.gradings.publish", publish)


@pytest.fixture
def start_worker(
    shared_database: str, released_bundle: None, settings: Any, tmp_path: Path
) -> Iterator[Callable[[str], subprocess.Popen[bytes]]]:
    """Starts ``celery -A drsite worker`` at the broker of a URL."""
    started = []

    def start(broker_url: str) -> subprocess.Popen[bytes]:
        of_the_site = environment(shared_database, REDIS_URL=broker_url, MEDIA_ROOT=str(settings.MEDIA_ROOT))
        started.append(start_celery_worker(tmp_path / "worker.log", of_the_site, "--hostname", "faults@here"))
        return started[-1]

    yield start
    for worker in started:
        kill_group(worker)


def send(client: Client, exam: Exam, data: bytes) -> Any:
    upload = {"laterality": "OD", "field": "macula", "photo": BytesIO(data)}
    address = reverse("screening:exam-images", args=[exam.pk])
    return client.post(address, upload, headers={"Accept": "application/json"})


@pytest.mark.usefixtures("really_publish")
def test_a_photograph_uploaded_while_redis_is_down_is_graded_later(
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
    assert "Grading is delayed" in answer.json()["message"]
    record = client.get(f"/api/v1/images/{answer.json()['image']}").json()["grading"]
    assert (record["status"], record["published_at"]) == ("queued", None)
    grading = FundusImage.objects.get(pk=answer.json()["image"]).gradings.get()
    assert (grading.status, grading.n_attempts) == (Status.QUEUED, 0)

    assert send(client, exam, photo_bytes()).json()["image"] == answer.json()["image"], "sent again: the same one"
    assert FundusImage.objects.count() == Grading.objects.count() == 1

    own_redis.start()
    second = send(client, exam, photo_bytes(seed=1)).json()
    assert "delayed" not in second["message"]
    assert client.get(f"/api/v1/images/{second['image']}").json()["grading"]["published_at"] is not None
    queue = app.conf.task_default_queue
    with redis.Redis.from_url(own_redis.url) as broker:
        broker.delete(queue)
        assert stale_gradings.requeue_stale_gradings(older_than_s=0) == 2
        sent = [json.loads(message) for message in broker.lrange(queue, 0, -1)]
    assert {message["headers"]["argsrepr"] for message in sent} >= {f"['{grading.pk}']"}
    gradings.run_grading(grading_id=grading.pk)
    grading.refresh_from_db()
    assert grading.status == Status.DONE


@pytest.mark.usefixtures("really_publish")
def test_a_worker_that_is_terminated_finishes_its_photograph(
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
    # Queued for the version of the worker, not for the fake one.
    with pytest.MonkeyPatch.context() as patch:
        bundle = inference.read_own_bundle()
        patch.setattr("screening.services.inference.current_bundle", lambda: bundle)
        sent = send(client, exam, photo_bytes(size=(2000, 1500))).headers["X-Request-ID"]
    worker = start_worker(own_redis.url)
    wait_until(lambda: gradings_of.get().status != Status.QUEUED, "the worker claimed the photograph", worker)
    assert worker_heartbeat.list_live_workers() == ["faults@here"]
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(DEADLINE_S) == 0
    grading = gradings_of.get()
    assert (grading.status, grading.n_attempts) == (Status.DONE, 1), (tmp_path / "worker.log").read_text()
    assert AuditEvent.objects.filter(verb=Verb.GRADING_DONE, object_id=str(grading.pk)).count() == 1
    assert worker_heartbeat.list_live_workers() == []
    lines = [json.loads(line) for line in (tmp_path / "worker.log").read_text().splitlines() if line.startswith("{")]
    of_the_task = [line for line in lines if line.get("task_id")]
    assert {line["request_id"] for line in of_the_task} == {sent}, "the task's lines name the upload's request"
