"""Periodic tasks, and the health check of beat."""

import datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from celery import Celery
from celery.signals import after_task_publish
from django.db import connection
from django.utils.module_loading import import_string

from drsite.celery import app, close_unusable_connections
from screening.models import FundusImage


def test_every_periodic_task_is_registered() -> None:
    app.loader.import_default_modules()
    scheduled = {entry["task"] for entry in app.conf.beat_schedule.values()}
    assert "screening.tasks.requeue_stale_gradings" in scheduled
    assert scheduled <= app.tasks.keys()


@pytest.mark.parametrize("hours", [-24, 24])
def test_the_requeue_task_is_due_in_time_though_the_clock_jumps(monkeypatch: pytest.MonkeyPatch, hours: int) -> None:
    schedule = app.conf.beat_schedule["requeue-stale-gradings"]["schedule"]
    last_run_at = schedule.now()
    monkeypatch.setattr(Celery, "now", lambda _app: last_run_at + datetime.timedelta(hours=hours))
    is_due, next_s = schedule.is_due(last_run_at)
    assert not is_due
    assert 25 < next_s <= 30
    assert schedule.is_due(last_run_at - datetime.timedelta(seconds=31)).is_due


def test_beat_touches_its_file_after_the_broker_accepted_a_task(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "heartbeat"
    after_task_publish.send(sender="screening.tasks.requeue_stale_gradings")
    assert not file.exists()
    monkeypatch.setenv("BEAT_HEARTBEAT_FILE", str(file))
    after_task_publish.send(sender="screening.tasks.requeue_stale_gradings")
    assert file.exists()


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="a database in memory ends with its connection")
@pytest.mark.django_db(transaction=True)
def test_a_worker_keeps_its_connection_to_the_database_and_replaces_a_broken_one() -> None:
    task = SimpleNamespace(request=SimpleNamespace(is_eager=False))
    fixup = import_string("celery.fixups.django.DjangoWorkerFixup")(app)
    connection.close()  # one that is older than CONN_MAX_AGE would be replaced
    connection.ensure_connection()
    first = connection.connection
    fixup.on_task_postrun(sender=task)
    fixup.on_task_prerun(sender=task)
    close_unusable_connections(task=task)
    assert connection.connection is first
    first.close()
    assert not FundusImage.objects.exists()
    assert connection.connection is not first
