"""Periodic tasks, and the health check of beat."""

from pathlib import Path

import pytest
from celery.signals import after_task_publish

from drsite.celery import app


def test_every_periodic_task_is_registered() -> None:
    app.loader.import_default_modules()
    scheduled = {entry["task"] for entry in app.conf.beat_schedule.values()}
    assert "screening.tasks.requeue_stale_gradings" in scheduled
    assert scheduled <= app.tasks.keys()


def test_beat_touches_its_file_after_the_broker_accepted_a_task(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "heartbeat"
    after_task_publish.send(sender="screening.tasks.requeue_stale_gradings")
    assert not file.exists()
    monkeypatch.setenv("BEAT_HEARTBEAT_FILE", str(file))
    after_task_publish.send(sender="screening.tasks.requeue_stale_gradings")
    assert file.exists()
