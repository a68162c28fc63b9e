"""Celery app: ``celery -A drsite worker`` grades photographs, ``celery -A drsite beat`` sends periodic tasks."""

import logging.config
import os
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from celery import Celery
from celery.signals import (
    after_task_publish,
    celeryd_after_setup,
    heartbeat_sent,
    setup_logging,
    task_prerun,
    worker_init,
    worker_process_init,
    worker_ready,
    worker_shutting_down,
)
from django.conf import settings

from drsite import request_id  # noqa: F401 (connects its signals)

if TYPE_CHECKING:
    from drsite.queue_membership import QueueMembership

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "drsite.settings")

app = Celery("drsite")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def configure_logging(**_kwargs: Any) -> None:
    """Use the log format of the site in workers too: it omits messages of exceptions."""
    logging.config.dictConfig(settings.LOGGING)


@worker_init.connect
def check_secrets(**_kwargs: Any) -> None:
    """Stop a worker that has weak secrets. Raises ImproperlyConfigured."""
    from screening.system_checks import require_strong_secrets

    require_strong_secrets()


@worker_process_init.connect
def start_decoders(**_kwargs: Any) -> None:
    """Start the processes that decode photographs ahead of the first one."""
    from ml.serving.decoders import decoders

    decoders.start_processes()


@task_prerun.connect
def close_unusable_connections(task: Any = None, **_kwargs: Any) -> None:
    """Before a task, close the connection to the database if it is broken or too old; it serves many tasks otherwise.

    A new one takes as long as a fifth of a grading by the fast model.
    """
    from django.db import close_old_connections

    if not task.request.is_eager:
        close_old_connections()


@lru_cache(maxsize=1)
def _membership() -> "QueueMembership":
    from drsite.queue_membership import QueueMembership

    return QueueMembership()


@celeryd_after_setup.connect
def verify_model(instance: Any = None, **_kwargs: Any) -> None:
    """Keep a worker whose model is damaged out of the queue from the start."""
    _membership().begin(instance.app)


@worker_ready.connect
def connect_consumer(sender: Any = None, **_kwargs: Any) -> None:
    """Let the worker leave and join the queue."""
    _membership().connect(sender)


@heartbeat_sent.connect
def record_heartbeat(sender: Any = None, **_kwargs: Any) -> None:
    """Record that the main process of a worker runs and reaches its broker, and whether it takes tasks."""
    from screening.health import worker_heartbeat

    worker_heartbeat.record_heartbeat(sender.eventer.hostname, is_grading=_membership().update())


@worker_shutting_down.connect
def clear_heartbeat(sender: str = "", **_kwargs: Any) -> None:
    """Delete the heartbeat of a worker that is shut down, so that health checks report it at once."""
    from screening.health import worker_heartbeat

    worker_heartbeat.clear_heartbeat(sender)


@after_task_publish.connect
def touch_heartbeat_file(**_kwargs: Any) -> None:
    """Touch BEAT_HEARTBEAT_FILE, if it is set, after the broker accepted a task: the health check of beat."""
    if file := os.environ.get("BEAT_HEARTBEAT_FILE"):
        Path(file).touch()
