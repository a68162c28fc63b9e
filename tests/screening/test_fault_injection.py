"""A worker is killed or terminated, or Redis is down: nothing is lost or graded twice, and uploads do not wait."""

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import redis
from celery import Celery
from django.conf import settings as site_settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from screening.health import worker_heartbeat
from screening.models import AuditEvent, Exam, FundusImage, Grading, Site, User
from screening.services import gradings, stale_gradings
from screening.services.grading_queue import GRADE_NEXT_TASK, publish
from screening.services.images import attach_image
from tests.builders import photo_bytes
from tests.screening.factories import ExamFactory
from tests.screening.processes import (
    DEADLINE_S,
    STALE_AFTER_S,
    RedisServer,
    StartWorker,
    kill_group,
    wait_until,
)

Status, Verb = Grading.Status, AuditEvent.Verb


@pytest.fixture(autouse=True)
def real_broker(monkeypatch: pytest.MonkeyPatch, published: list[Any]) -> None:
    """Tasks go to a broker, as in production."""
    monkeypatch.setattr("screening.services.grading_queue.publish", publish)


@pytest.fixture
def exam(site: Site, photographer: User, shared_database: str) -> Exam:
    return ExamFactory(patient__site=site, opened_by=photographer)


@pytest.fixture
def broker_url() -> Iterator[str]:
    """An empty database of the Redis at ``REDIS_URL``, emptied again afterwards."""
    url = os.environ.get("REDIS_URL", "")
    if not url.startswith("redis"):
        pytest.skip("REDIS_URL is not set")
    for number in range(15, 0, -1):
        mine = url.rstrip("/").removesuffix(f"/{redis.Redis.from_url(url).connection_pool.connection_kwargs['db']}")
        with redis.Redis.from_url(f"{mine}/{number}", socket_connect_timeout=3) as database:
            try:
                is_free = database.dbsize() == 0
            except redis.ConnectionError:
                pytest.skip("no Redis answers at REDIS_URL")
            if is_free:
                yield f"{mine}/{number}"
                database.flushdb()
                return
    pytest.skip("every database of the Redis at REDIS_URL is in use")


def attach(exam: Exam, data: bytes, by: User, laterality: str = "OD") -> Grading:
    image = attach_image(exam=exam, upload=BytesIO(data), laterality=laterality, is_synthetic=True, by=by)
    return image.gradings.get()


def n_events(verb: AuditEvent.Verb, grading: Grading) -> int:
    return AuditEvent.objects.filter(verb=verb, object_id=str(grading.pk)).count()


def kill_child(worker: subprocess.Popen[bytes]) -> None:
    """Kill only the process that grades: its parent returns the task to the broker."""
    for child in Path(f"/proc/{worker.pid}/task/{worker.pid}/children").read_text().split():
        os.kill(int(child), signal.SIGKILL)
    os.killpg(worker.pid, signal.SIGCONT)


@pytest.mark.broker
@pytest.mark.parametrize("kill", [kill_group, kill_child])
def test_a_photograph_of_a_killed_worker_is_graded_once_by_the_next(
    exam: Exam,
    photographer: User,
    broker_url: str,
    celery_at: Callable[..., Celery],
    start_worker: StartWorker,
    kill: Callable[[subprocess.Popen[bytes]], None],
) -> None:
    app = celery_at(broker_url)
    grading = attach(exam, photo_bytes(size=(2000, 1500)), photographer)

    def status() -> tuple[str, int]:
        return Grading.objects.values_list("status", "n_attempts").get(pk=grading.pk)

    worker = start_worker(broker_url)
    wait_until(lambda: status() != (Status.QUEUED, 0), "the grading started", worker)
    os.killpg(worker.pid, signal.SIGSTOP)  # it still loads the model
    assert status() == (Status.RUNNING, 1)
    kill(worker)
    if worker.poll() is not None:
        worker = start_worker(broker_url)

    # Once: with so short a time, a second task would find the next attempt stale too.
    started_at = Grading.objects.get(pk=grading.pk).started_at
    assert started_at is not None
    wait_until(lambda: (timezone.now() - started_at).total_seconds() > STALE_AFTER_S, "the grading was stale", worker)
    app.send_task(str(site_settings.CELERY_BEAT_SCHEDULE["requeue-stale-gradings"]["task"]))
    wait_until(lambda: status()[0] == Status.DONE, "the photograph was graded", worker)

    # Minutes later the broker delivers the message of the killed worker again. It is done when a second one is done.
    app.send_task(GRADE_NEXT_TASK)
    second = attach(exam, photo_bytes(size=(200, 200)), photographer, "OS")
    wait_until(lambda: Grading.objects.get(pk=second.pk).status == Status.DONE, "a second one was graded", worker)

    assert status() == (Status.DONE, 2)
    assert Grading.objects.filter(image=grading.image_id).count() == 1
    assert (n_events(Verb.GRADING_REQUEUED, grading), n_events(Verb.GRADING_DONE, grading)) == (1, 1)
    assert n_events(Verb.GRADING_FAILED, grading) == 0


@pytest.fixture(params=["closed", "silent"])
def broker_unavailable(request: pytest.FixtureRequest) -> Iterator[str]:
    """URL of a Redis whose port is closed, or accepts connections and never answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        if request.param == "silent":
            listener.listen()
        yield f"redis://127.0.0.1:{listener.getsockname()[1]}/0"


def test_a_photograph_is_stored_within_seconds_if_the_broker_is_unavailable(
    exam: Exam, photographer: User, broker_unavailable: str, celery_at: Callable[..., Celery], media_root: Path
) -> None:
    options = {"socket_connect_timeout": 2, "socket_timeout": 5, "retry_on_timeout": False}
    celery_at(broker_unavailable, broker_transport_options=site_settings.CELERY_BROKER_TRANSPORT_OPTIONS or options)
    began = time.monotonic()
    grading = attach(exam, photo_bytes(), photographer)
    assert time.monotonic() - began < 8
    assert (grading.status, grading.n_attempts, grading.is_delayed) == (Status.QUEUED, 0, True)
    assert FundusImage.objects.get(pk=grading.image_id).file.size == sum(
        file.stat().st_size for file in media_root.rglob("*") if file.is_file()
    )


def send(client: Client, exam: Exam, data: bytes) -> Any:
    upload = {"laterality": "OD", "field": "macula", "photo": BytesIO(data)}
    address = reverse("screening:exam-images", args=[exam.pk])
    return client.post(address, upload, headers={"Accept": "application/json"})


def test_a_photograph_uploaded_while_redis_is_down_is_graded_later(
    redis_server: RedisServer,
    exam: Exam,
    photographer: User,
    client: Client,
    celery_at: Callable[..., Celery],
    settings: Any,
) -> None:
    app = celery_at(redis_server.url)
    client.force_login(photographer)
    redis_server.stop()
    answer = send(client, exam, photo_bytes())
    assert answer.status_code == 201
    assert "Grading is delayed" in answer.json()["message"]
    record = client.get(f"/api/v1/images/{answer.json()['image']}").json()["grading"]
    assert (record["status"], record["published_at"]) == ("queued", None)
    grading = FundusImage.objects.get(pk=answer.json()["image"]).gradings.get()
    assert (grading.status, grading.n_attempts) == (Status.QUEUED, 0)

    assert send(client, exam, photo_bytes()).json()["image"] == answer.json()["image"], "sent again: the same one"
    assert FundusImage.objects.count() == Grading.objects.count() == 1

    redis_server.start()
    second = send(client, exam, photo_bytes(seed=1)).json()
    assert "delayed" not in second["message"]
    assert client.get(f"/api/v1/images/{second['image']}").json()["grading"]["published_at"] is not None
    queue = app.conf.task_default_queue
    with redis.Redis.from_url(redis_server.url) as broker:
        broker.delete(queue)
        assert stale_gradings.requeue_stale_gradings(older_than_s=0) == 2
        sent = [json.loads(message) for message in broker.lrange(queue, 0, -1)]
    assert [message["headers"]["task"] for message in sent] == [GRADE_NEXT_TASK] * 2
    gradings.run_grading(grading_id=grading.pk)
    grading.refresh_from_db()
    assert grading.status == Status.DONE


def test_a_worker_that_is_terminated_finishes_its_photograph(
    redis_server: RedisServer,
    exam: Exam,
    photographer: User,
    client: Client,
    celery_at: Callable[..., Celery],
    settings: Any,
    start_worker: StartWorker,
    tmp_path: Path,
) -> None:
    celery_at(redis_server.url)
    settings.CELERY_BROKER_URL = redis_server.url
    gradings_of = Grading.objects.order_by("queued_at")
    client.force_login(photographer)
    sent = send(client, exam, photo_bytes(size=(2000, 1500))).headers["X-Request-ID"]
    worker = start_worker(redis_server.url)
    wait_until(lambda: gradings_of.get().status != Status.QUEUED, "the worker claimed the photograph", worker)
    assert worker_heartbeat.list_live_workers() == {"faults@here": True}
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(DEADLINE_S) == 0
    grading = gradings_of.get()
    assert (grading.status, grading.n_attempts) == (Status.DONE, 1), (tmp_path / "worker.log").read_text()
    assert AuditEvent.objects.filter(verb=Verb.GRADING_DONE, object_id=str(grading.pk)).count() == 1
    assert worker_heartbeat.list_live_workers() == {}
    lines = [json.loads(line) for line in (tmp_path / "worker.log").read_text().splitlines() if line.startswith("{")]
    of_the_task = [line for line in lines if line.get("task_id")]
    assert {line["request_id"] for line in of_the_task} == {sent}, "the task's lines name the upload's request"
