"""What beat sends by name exists."""

from pathlib import Path

import pytest
from celery.signals import after_task_publish

from drsite.celery import app


def test_everything_on_the_schedule_is_a_task_that_a_worker_knows() -> None:
    app.loader.import_default_modules()
    scheduled = {entry["task"] for entry in app.conf.beat_schedule.values()}
    assert "screening.tasks.requeue_stale_gradings" in scheduled
    assert scheduled <= app.tasks.keys()


def test_beat_leaves_a_sign_when_the_broker_took_its_task(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    sign = tmp_path / "sign"
    after_task_publish.send(sender="screening.tasks.sweep")
    assert not sign.exists()
    monkeypatch.setenv("BEAT_HEARTBEAT_FILE", str(sign))
    after_task_publish.send(sender="screening.tasks.sweep")
    assert sign.exists()
