"""A worker whose model is damaged leaves the queue: no photograph fails, and another worker grades what waits."""

import os
import shutil
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from celery import Celery

from ml.bundle import default_bundle
from ml.vocabulary import ServedModel
from screening.health import worker_heartbeat
from screening.models import Exam, Grading, Site, User
from screening.services.grading_queue import publish
from screening.services.images import attach_image
from tests.builders import photo_bytes
from tests.screening.factories import ExamFactory
from tests.screening.processes import RedisServer, StartWorker, wait_until

Status = Grading.Status


@pytest.fixture(autouse=True)
def broker(
    redis_server: RedisServer,
    celery_at: Callable[..., Celery],
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    published: list[Any],
) -> Celery:
    """Tasks go to a Redis of this test."""
    monkeypatch.setattr("screening.services.grading_queue.publish", publish)
    settings.CELERY_BROKER_URL = redis_server.url
    return celery_at(redis_server.url)


@pytest.fixture
def bundle(tmp_path: Path, released_bundle: None) -> Path:
    """A copy of the bundle that grades exams."""
    return Path(shutil.copytree(default_bundle(ServedModel.ACCURATE), tmp_path / "bundle"))


@pytest.fixture
def exam(site: Site, photographer: User, shared_database: str) -> Exam:
    return ExamFactory(patient__site=site, opened_by=photographer)


def attach(exam: Exam, by: User, seed: int) -> None:
    data = photo_bytes(size=(200, 200), seed=seed)
    attach_image(exam=exam, upload=BytesIO(data), laterality="OD", is_synthetic=True, by=by)


def damage(bundle: Path) -> bytes:
    """Change one byte of the weights without changing size and time of the file. Returns the old content."""
    weights = bundle / "weights.safetensors"
    before, times = weights.read_bytes(), weights.stat()
    weights.write_bytes(before[:-1] + bytes([before[-1] ^ 1]))
    os.utime(weights, ns=(times.st_atime_ns, times.st_mtime_ns))
    return before


def states() -> list[tuple[str, int]]:
    return list(Grading.objects.order_by("queued_at").values_list("status", "n_attempts"))


@pytest.mark.parametrize("is_damaged_at_start", [True, False])
def test_a_damaged_worker_takes_no_photographs_until_its_model_is_restored(
    is_damaged_at_start: bool,
    exam: Exam,
    photographer: User,
    redis_server: RedisServer,
    bundle: Path,
    start_worker: StartWorker,
    tmp_path: Path,
) -> None:
    weights = damage(bundle) if is_damaged_at_start else b""
    damaged = start_worker(redis_server.url, "damaged", ACCURATE_MODEL_BUNDLE=str(bundle))
    if not is_damaged_at_start:  # its child process, which loads the model for the first photograph, finds the damage
        wait_until(lambda: worker_heartbeat.list_live_workers() == {"damaged@here": True}, "it was ready", damaged)
        weights = damage(bundle)
    for seed in range(3):
        attach(exam, photographer, seed)
    wait_until(lambda: worker_heartbeat.list_live_workers() == {"damaged@here": False}, "it left the queue", damaged)
    assert states() == [(Status.QUEUED, 0)] * 3
    assert (tmp_path / "worker.log").read_text().count('"CRITICAL"') == 1

    healthy = start_worker(redis_server.url, "healthy")
    wait_until(lambda: states() == [(Status.DONE, 1)] * 3, "the other worker graded what waited", healthy)
    assert worker_heartbeat.list_live_workers() == {"damaged@here": False, "healthy@here": True}

    (bundle / "weights.safetensors").write_bytes(weights)
    wait_until(lambda: all(worker_heartbeat.list_live_workers().values()), "it joined the queue again", damaged)
    healthy.terminate()
    healthy.wait()
    attach(exam, photographer, seed=4)
    wait_until(lambda: states() == [(Status.DONE, 1)] * 4, "it graded", damaged)
