"""A model that cannot be loaded changes no grading: another worker grades it."""

from typing import Any

import pytest
from billiard.exceptions import SoftTimeLimitExceeded
from celery.exceptions import Reject

from ml.errors import BundleError
from screening import tasks
from screening.models import Grading
from screening.services import inference

Status = Grading.Status


def run(grading: Grading) -> None:
    tasks.grade_next()


def test_a_model_that_cannot_be_loaded_leaves_the_grading_to_another_worker(
    queued: Grading, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: Any) -> None:
        raise BundleError("weights.safetensors was altered")

    monkeypatch.setattr(inference, "current_grader", refuse)
    with pytest.raises(Reject) as rejected:
        run(queued)
    assert vars(rejected.value)["requeue"]
    queued.refresh_from_db()
    assert (queued.status, queued.n_attempts, queued.started_at) == (Status.QUEUED, 0, None)


def test_a_model_that_takes_too_long_to_load_leaves_the_grading_waiting(
    queued: Grading, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(*_arguments: Any) -> None:
        raise SoftTimeLimitExceeded

    monkeypatch.setattr(inference, "current_grader", load)
    with pytest.raises(Reject):
        run(queued)
    queued.refresh_from_db()
    assert (queued.status, queued.n_attempts) == (Status.QUEUED, 0)
