"""Stale gradings are requeued once, and not while the workers are behind or the broker is unavailable."""

import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from celery import current_app
from django.conf import settings
from django.db import connection, connections, transaction

from screening import tasks
from screening.models import FundusImage, Grading
from screening.services import stale_gradings
from screening.services.worklist import locking
from tests.builders import FakeGrader
from tests.screening.factories import GradingFactory
from tests.screening.services.conftest import age

Status = Grading.Status
N_PERIODIC = len(settings.CELERY_BEAT_SCHEDULE)
Requeue = Callable[[], list[uuid.UUID]]


@pytest.fixture(autouse=True)
def queue() -> Iterator[str]:
    """A queue for each test: other tests, or an installation, may use the same Redis."""
    usual = current_app.conf.task_default_queue
    current_app.conf.task_default_queue = f"test-{uuid.uuid4()}"
    yield current_app.conf.task_default_queue
    current_app.conf.task_default_queue = usual


@pytest.fixture
def requeue(published: list[uuid.UUID], django_capture_on_commit_callbacks: Any) -> Requeue:
    """Runs the task; returns all ids published so far."""

    def run() -> list[uuid.UUID]:
        with django_capture_on_commit_callbacks(execute=True):
            tasks.requeue_stale_gradings()
        return published

    return run


@pytest.fixture
def running(queued: Grading) -> Grading:
    queued.status, queued.n_attempts = Status.RUNNING, 1
    return queued


def test_a_grading_of_a_killed_worker_is_graded_again_once(
    running: Grading, requeue: Requeue, fake_grader: FakeGrader
) -> None:
    age(running, queued_at=100, started_at=100)
    assert requeue() == [running.pk]
    for _ in range(2):  # the requeued message, and that of the killed worker, which the broker delivers again
        tasks.grade_next()
    running.refresh_from_db()
    assert (running.status, running.n_attempts, len(fake_grader.photos)) == (Status.DONE, 2, 1)


def test_a_claim_in_the_future_is_stale_after_the_clock_was_set_back(running: Grading, requeue: Requeue) -> None:
    age(running, queued_at=0, started_at=-86_400)
    assert requeue() == [running.pk]


def test_a_grading_whose_result_is_being_stored_is_left_to_the_next_time(
    shared_database: str, running: Grading, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not connection.features.has_select_for_update_skip_locked:
        pytest.skip("the database has no locks of rows")
    monkeypatch.setattr("screening.services.stale_gradings.has_backlog", lambda: False)
    age(running, queued_at=100, started_at=100)

    def requeue_beside() -> None:
        stale_gradings.requeue_stale_gradings()
        connections.close_all()

    with transaction.atomic(), ThreadPoolExecutor(1) as pool:
        assert not Grading.objects.filter(locking(running.image.exam_id), status=Status.DONE).update(duration_ms=1)
        pool.submit(requeue_beside).result(timeout=60)  # it waits for no lock: a worker would wait for its own
    running.refresh_from_db()
    assert (running.status, running.n_attempts) == (Status.RUNNING, 1)
    requeue_beside()
    running.refresh_from_db()
    assert running.status == Status.QUEUED


def test_a_grading_that_still_runs_is_not_requeued(running: Grading, requeue: Requeue) -> None:
    age(running, queued_at=500, started_at=80)
    assert requeue() == []


@pytest.mark.parametrize("trait", ["is_done", "is_ungradable", "is_failed"])
def test_a_finished_grading_is_never_requeued(image: FundusImage, trait: str, requeue: Requeue) -> None:
    age(GradingFactory(image=image, **{trait: True}), queued_at=10_000, started_at=10_000)
    assert requeue() == []


def test_a_lost_message_is_sent_again_but_not_every_time(queued: Grading, requeue: Requeue) -> None:
    age(queued, queued_at=100)
    requeue()
    assert requeue() == [queued.pk]
    queued.refresh_from_db()
    assert (queued.status, queued.n_attempts) == (Status.QUEUED, 0)


@pytest.mark.parametrize(("n_messages", "n_sent"), [(0, 1), (N_PERIODIC, 1), (N_PERIODIC + 1, 0)])
def test_nothing_is_sent_again_while_the_workers_are_behind(
    queued: Grading, requeue: Requeue, queue: str, n_messages: int, n_sent: int
) -> None:
    """Other periodic tasks wait beside the one that sends again, since beat sends them at the same time."""
    age(queued, queued_at=100)
    with current_app.connection_for_write() as connection, connection.SimpleQueue(queue) as messages:
        messages.clear()
        for _ in range(n_messages):
            messages.put({})
        assert len(requeue()) == n_sent
        messages.clear()


def test_nothing_is_sent_again_while_the_broker_is_unavailable(
    queued: Grading, requeue: Requeue, monkeypatch: pytest.MonkeyPatch
) -> None:
    age(queued, queued_at=100)
    closed = current_app.connection_for_write("redis://127.0.0.1:1/0", transport_options={"max_retries": 0})
    monkeypatch.setattr("celery.current_app.connection_for_write", lambda: closed)
    assert requeue() == []


def test_after_three_crashes_the_grading_fails_visibly(running: Grading, requeue: Requeue) -> None:
    running.n_attempts = 3
    age(running, queued_at=100, started_at=100)
    assert requeue() == []
    running.refresh_from_db()
    assert (running.status, running.failure_code) == (Status.FAILED, "worker_lost")
    assert running.finished_at is not None
