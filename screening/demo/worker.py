"""Celery worker and beat in threads of the process that serves, over an in-memory queue.

The queue is lost with the process. No other process uses the folder of a demo, so gradings that are queued or running
at the start were interrupted, and are queued again at once.
"""

import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from celery import beat
from celery.app import app_or_default
from celery.worker import WorkController
from django.conf import settings
from django.db import connections

from screening.demo import clinic
from screening.services import inference, stale_gradings

logger = logging.getLogger(__name__)

_HOSTNAME = "demo@localhost"
_JOIN_S = 8
_grading: list[threading.Thread] = []


def start() -> None:
    """Start the threads that grade, send periodic tasks and create the exams of a new clinic. Call it once."""
    app = app_or_default()
    app.conf.broker_transport_options = {"polling_interval": 0.1}  # seconds; the default of 1 delays each upload
    for model in settings.GRADING_MODELS:
        inference.current_grader(model)  # now: broken weights stop the start, and the first photograph does not wait
    stale_gradings.requeue_stale_gradings(older_than_s=0)
    connections.close_all()
    controller = WorkController(
        app=app,
        hostname=_HOSTNAME,
        pool="solo",  # tasks run in this thread, without time limits: these need signals
        concurrency=1,
        loglevel="WARNING",
        without_heartbeat=True,
        without_mingle=True,
        without_gossip=True,
    )
    _grading.append(_start_thread("grading", controller.start))
    _start_thread("beat", beat.Service(app, max_interval=5, scheduler_cls=beat.Scheduler).start)
    _start_thread("exams", _create_exams)


def stop() -> None:
    """Stop grading after the current photograph."""
    logging.getLogger("celery.worker.control").setLevel(logging.ERROR)  # it warns of each shutdown
    app_or_default().control.shutdown(destination=[_HOSTNAME])
    for thread in _grading:
        thread.join(_JOIN_S)


def _create_exams() -> None:
    photos = os.environ.get("DEMO_PHOTOS")
    try:
        clinic.create_demo_exams(Path(photos) if photos else None)
    except Exception:  # the boundary of a thread
        logger.exception("Not all demo exams were created; the next start continues")
    finally:
        connections.close_all()


def _start_thread(name: str, target: Callable[[], Any]) -> threading.Thread:
    thread = threading.Thread(target=target, name=name, daemon=True)
    thread.start()
    return thread
