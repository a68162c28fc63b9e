"""A worker is killed, or the broker is unavailable: nothing is lost or graded twice, and uploads do not wait."""

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
from django.utils import timezone

from ml.synthetic import draw_fundus, drawing_for_grade
from ml.vocabulary import ICDRGrade, Laterality
from screening.models import AuditEvent, Exam, FundusImage, Grading, Site, User
from screening.services.gradings import GRADE_IMAGE_TASK
from screening.services.images import attach_image
from tests.builders import photo_bytes
from tests.screening.factories import ExamFactory
from tests.screening.processes import environment, kill_group, start_celery_worker, wait_until

Status, Verb = Grading.Status, AuditEvent.Verb
STALE_AFTER_S = 2
"""Of the workers in these tests, shorter than the 90 s of a site."""


@pytest.fixture(autouse=True)
def fake_grader(released_bundle: None) -> None:
    """The real grader: workers are other processes and load the released bundle."""


@pytest.fixture(autouse=True)
def published() -> None:
    """The real broker."""


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


@pytest.fixture
def start_worker(
    shared_database: str, broker_url: str, settings: Any, tmp_path: Path
) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """Starts ``celery -A drsite worker`` as a site does; its log goes to ``worker.log``."""
    log = tmp_path / "worker.log"
    options = {"REDIS_URL": broker_url, "MEDIA_ROOT": str(settings.MEDIA_ROOT)}
    of_the_site = environment(shared_database, GRADING_STALE_AFTER_S=str(STALE_AFTER_S), **options)
    started = []

    def start() -> subprocess.Popen[bytes]:
        started.append(start_celery_worker(log, of_the_site))
        return started[-1]

    yield start
    for worker in started:
        kill_group(worker)


def attach(exam: Exam, data: bytes, by: User, laterality: str = "OD") -> Grading:
    image = attach_image(exam=exam, upload=BytesIO(data), laterality=laterality, is_synthetic=True, by=by)
    return image.gradings.get()


def synthetic_photo() -> bytes:
    written = BytesIO()
    draw_fundus(drawing_for_grade(ICDRGrade.MODERATE, Laterality.RIGHT, seed=5)).save(written, "JPEG", quality=92)
    return written.getvalue()


def n_events(verb: AuditEvent.Verb, grading: Grading) -> int:
    return AuditEvent.objects.filter(verb=verb, object_id=str(grading.pk)).count()


def children_of(worker: subprocess.Popen[bytes]) -> list[int]:
    """The processes that grade."""
    return [int(pid) for pid in Path(f"/proc/{worker.pid}/task/{worker.pid}/children").read_text().split()]


def kill_child(worker: subprocess.Popen[bytes]) -> None:
    """Kill only the process that grades: its parent returns the task to the broker."""
    for child in children_of(worker):
        os.kill(child, signal.SIGKILL)
    os.killpg(worker.pid, signal.SIGCONT)


@pytest.mark.broker
@pytest.mark.parametrize("kill", [kill_group, kill_child])
def test_a_photograph_of_a_killed_worker_is_graded_once_by_the_next(
    exam: Exam,
    photographer: User,
    broker_url: str,
    celery_at: Callable[..., Celery],
    start_worker: Callable[[], subprocess.Popen[bytes]],
    kill: Callable[[subprocess.Popen[bytes]], None],
) -> None:
    app = celery_at(broker_url)
    grading = attach(exam, synthetic_photo(), photographer)

    def status() -> tuple[str, int]:
        return Grading.objects.values_list("status", "n_attempts").get(pk=grading.pk)

    worker = start_worker()
    wait_until(lambda: status() != (Status.QUEUED, 0), "the grading started", worker)
    os.killpg(worker.pid, signal.SIGSTOP)  # it still loads the model
    assert status() == (Status.RUNNING, 1)
    kill(worker)
    if worker.poll() is not None:
        worker = start_worker()

    # Once: with so short a time, a second task would find the next attempt stale too.
    started_at = Grading.objects.get(pk=grading.pk).started_at
    assert started_at is not None
    wait_until(lambda: (timezone.now() - started_at).total_seconds() > STALE_AFTER_S, "the grading was stale", worker)
    app.send_task(str(site_settings.CELERY_BEAT_SCHEDULE["requeue-stale-gradings"]["task"]))
    wait_until(lambda: status()[0] == Status.DONE, "the photograph was graded", worker)

    # Minutes later the broker delivers the message of the killed worker again. It is done when a second one is done.
    app.send_task(GRADE_IMAGE_TASK, args=[str(grading.pk)])
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
