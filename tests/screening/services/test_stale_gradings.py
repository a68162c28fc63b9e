"""The sweep: what a crash or a lost message left is taken up again, once, and never sent without need."""

import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from celery import current_app
from django.utils import timezone

from screening import tasks
from screening.models import FundusImage, Grading, Site
from tests.builders import FakeGrader
from tests.screening.factories import ExamFactory, FundusImageFactory, GradingFactory

Status = Grading.Status


@pytest.fixture
def image(site: Site) -> FundusImage:
    return FundusImageFactory(exam=ExamFactory(patient__site=site))


@pytest.fixture
def waiting(image: FundusImage) -> Grading:
    return GradingFactory(image=image)


@pytest.fixture(autouse=True)
def queue() -> Iterator[str]:
    """A queue of the test's own: other tests, or an installation, may use the same Redis."""
    usual = current_app.conf.task_default_queue
    current_app.conf.task_default_queue = f"test-{uuid.uuid4()}"
    yield current_app.conf.task_default_queue
    current_app.conf.task_default_queue = usual


def age(grading: Grading, **times: int) -> Grading:
    """Move times of the row so many seconds into the past."""
    for name, seconds in times.items():
        setattr(grading, name, timezone.now() - timedelta(seconds=seconds))
    grading.save()
    return grading


def sweep(published: list[uuid.UUID], capture: Any) -> list[uuid.UUID]:
    with capture(execute=True):
        tasks.requeue_stale_gradings()
    return published


def test_what_a_killed_worker_left_is_graded_again_and_once(
    waiting: Grading, published: list[uuid.UUID], fake_grader: FakeGrader, django_capture_on_commit_callbacks: Any
) -> None:
    waiting.status, waiting.n_attempts = Status.RUNNING, 1
    age(waiting, queued_at=100, started_at=91)
    assert sweep(published, django_capture_on_commit_callbacks) == [waiting.pk]
    for _ in range(2):  # the swept message, and the killed worker's own that the broker gives out again
        tasks.grade_image(str(waiting.pk))
    waiting.refresh_from_db()
    assert (waiting.status, waiting.n_attempts, len(fake_grader.photos)) == (Status.DONE, 2, 1)


def test_a_grading_that_still_runs_is_not_swept(
    waiting: Grading, published: list[uuid.UUID], django_capture_on_commit_callbacks: Any
) -> None:
    waiting.status, waiting.n_attempts = Status.RUNNING, 1
    age(waiting, queued_at=500, started_at=80)
    assert sweep(published, django_capture_on_commit_callbacks) == []


def test_a_message_that_was_lost_is_sent_again_but_not_at_every_sweep(
    waiting: Grading, published: list[uuid.UUID], django_capture_on_commit_callbacks: Any
) -> None:
    age(waiting, queued_at=91)
    sweep(published, django_capture_on_commit_callbacks)
    assert sweep(published, django_capture_on_commit_callbacks) == [waiting.pk]
    waiting.refresh_from_db()
    assert (waiting.status, waiting.n_attempts) == (Status.QUEUED, 0)


@pytest.mark.parametrize(("n_messages", "n_sent"), [(0, 1), (5, 0)])
def test_workers_that_are_behind_are_not_buried_under_copies(
    waiting: Grading,
    published: list[uuid.UUID],
    django_capture_on_commit_callbacks: Any,
    queue: str,
    n_messages: int,
    n_sent: int,
) -> None:
    age(waiting, queued_at=91)
    with current_app.connection_for_write() as connection, connection.SimpleQueue(queue) as messages:
        messages.clear()
        for _ in range(n_messages):
            messages.put({})
        assert len(sweep(published, django_capture_on_commit_callbacks)) == n_sent
        messages.clear()


def test_nothing_is_sent_again_while_the_broker_is_unavailable(
    waiting: Grading, published: list[uuid.UUID], django_capture_on_commit_callbacks: Any, settings: Any
) -> None:
    age(waiting, queued_at=91)
    with pytest.MonkeyPatch.context() as patch:
        away = current_app.connection_for_write(
            "redis://127.0.0.1:1/0", transport_options={"socket_connect_timeout": 1}
        )
        patch.setattr("celery.current_app.connection_for_write", lambda: away)
        assert sweep(published, django_capture_on_commit_callbacks) == []


def test_after_three_crashes_the_grading_fails_visibly(
    waiting: Grading, published: list[uuid.UUID], django_capture_on_commit_callbacks: Any
) -> None:
    waiting.status, waiting.n_attempts = Status.RUNNING, 3
    age(waiting, queued_at=100, started_at=91)
    assert sweep(published, django_capture_on_commit_callbacks) == []
    waiting.refresh_from_db()
    assert (waiting.status, waiting.failure_code) == (Status.FAILED, "worker_lost")
    assert waiting.finished_at is not None


@pytest.mark.parametrize("trait", ["is_done", "is_ungradable", "is_failed"])
def test_a_finished_grading_is_never_swept(
    image: FundusImage, trait: str, published: list[uuid.UUID], django_capture_on_commit_callbacks: Any
) -> None:
    age(GradingFactory(image=image, **{trait: True}), queued_at=10_000, started_at=10_000)
    assert sweep(published, django_capture_on_commit_callbacks) == []
