"""A worker without its model leaves the queue, and joins again when the files change or after a minute."""

from typing import Any

import pytest
from celery import Celery

from drsite import queue_membership
from drsite.queue_membership import RETRY_AFTER_S, QueueMembership


class Consumer:
    """The consumer of a worker, as Celery's: it changes the queues of the app."""

    def __init__(self, app: Celery) -> None:
        self.queues: Any = app.amqp.queues

    def add_task_queue(self, queue: str) -> None:
        self.queues.select_add(self.queues[queue])

    def cancel_task_queue(self, queue: str) -> None:
        self.queues.deselect(queue)


class Worker:
    """A worker whose files and clock a test changes."""

    def __init__(self, patch: pytest.MonkeyPatch, *, is_intact: bool) -> None:
        self.is_intact, self.files, self.now = is_intact, 1, 1000.0
        patch.setattr(queue_membership, "_is_intact", lambda: self.is_intact)
        patch.setattr(queue_membership, "_state_of_files", lambda: [((self.files, 0),)])
        patch.setattr("drsite.queue_membership.time.monotonic", lambda: self.now)
        app = Celery("worker", broker="memory://", set_as_current=False)
        self.consumer, self.membership = Consumer(app), QueueMembership()
        self.membership.begin(app)
        self.membership.connect(self.consumer)

    def after(self, seconds: float) -> bool:
        """Whether it takes tasks at a later heartbeat."""
        self.now += seconds
        return self.membership.update()


def test_a_worker_with_damaged_files_takes_tasks_once_they_are_restored(monkeypatch: pytest.MonkeyPatch) -> None:
    worker = Worker(monkeypatch, is_intact=False)
    assert [worker.after(2), worker.after(RETRY_AFTER_S), worker.after(RETRY_AFTER_S)] == [False] * 3
    worker.is_intact, worker.files = True, 2
    assert worker.after(2)


def test_a_worker_whose_files_are_damaged_later_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    worker = Worker(monkeypatch, is_intact=True)
    assert worker.after(RETRY_AFTER_S)
    worker.is_intact, worker.files = False, 2
    assert not worker.after(2)


def test_a_worker_that_could_not_load_intact_files_tries_again(monkeypatch: pytest.MonkeyPatch) -> None:
    worker = Worker(monkeypatch, is_intact=True)
    assert worker.after(2)
    for _ in range(2):
        worker.consumer.cancel_task_queue("celery")  # as its child process asks
        assert [worker.after(2), worker.after(RETRY_AFTER_S - 1), worker.after(2)] == [False, False, True]
