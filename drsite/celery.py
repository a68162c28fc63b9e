"""The Celery app: ``celery -A drsite worker`` grades photographs, ``celery -A drsite beat`` runs the sweep."""

import logging.config
import os
from pathlib import Path
from typing import Any

from celery import Celery
from celery.signals import after_task_publish, heartbeat_sent, setup_logging, worker_init, worker_shutting_down
from django.conf import settings

from drsite import request_id  # noqa: F401 (its signals carry ids from requests to tasks)

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "drsite.settings")

app = Celery("drsite")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def configure_logging(**_kwargs: Any) -> None:
    """Give workers the site's log format, which never prints an exception's own words."""
    logging.config.dictConfig(settings.LOGGING)


@worker_init.connect
def check_secrets(**_kwargs: Any) -> None:
    """A worker does not start with a secret that could be guessed. Raises ImproperlyConfigured."""
    from screening.system_checks import require_strong_secrets

    require_strong_secrets()


@heartbeat_sent.connect
def record_heartbeat(sender: Any = None, **_kwargs: Any) -> None:
    """The worker's main process runs and has its broker; see ``screening.health.worker_heartbeat``."""
    from screening.health import worker_heartbeat

    worker_heartbeat.record_heartbeat(sender.eventer.hostname)


@worker_shutting_down.connect
def clear_heartbeat(sender: str = "", **_kwargs: Any) -> None:
    """A worker that ends on purpose is missed at once."""
    from screening.health import worker_heartbeat

    worker_heartbeat.clear_heartbeat(sender)


@after_task_publish.connect
def touch_heartbeat_file(**_kwargs: Any) -> None:
    """Touch BEAT_HEARTBEAT_FILE where one is set: in beat, whose health is that the broker takes what it sends."""
    if sign := os.environ.get("BEAT_HEARTBEAT_FILE"):
        Path(sign).touch()
