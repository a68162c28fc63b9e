"""Celery in the serving process: the same tasks over an in-memory queue, on threads beside the pages.

An in-memory queue is lost with its process. The demo is the only process of its folder, so gradings that are queued
or running at the start were interrupted, and are queued again at once.
"""

import logging
import os
import threading
from pathlib import Path
from typing import Any

from celery import Celery, beat
from celery.app import app_or_default
from celery.worker import WorkController
from celery.worker import state as worker_state
from django.db import connections

from screening.demo import clinic
from screening.services import inference, stale_gradings

logger = logging.getLogger(__name__)

_JOIN_S = 8
_grading: list[threading.Thread] = []


def start() -> None:
    """Start grading, sweeping and, in a new clinic, drawing. Call once, in the process that serves."""
    app = app_or_default()
    _poll_faster(app)
    inference.current_grader()  # weights that cannot be loaded stop the start, and the first photograph need not wait
    stale_gradings.requeue_stale_gradings(older_than_s=0)
    connections.close_all()
    controller = WorkController(
        app=app,
        hostname="demo@localhost",
        pool="solo",  # the task runs on this very thread; time limits need signals, which threads do not get
        concurrency=1,
        loglevel="WARNING",
        without_heartbeat=True,
        without_mingle=True,
        without_gossip=True,
    )
    _grading.append(_thread("grading", controller.start))
    _thread("sweeping", _sweeper(app).start)
    _thread("drawing", _create_exams)


def stop() -> None:
    """End the grading thread after the photograph in hand."""
    worker_state.should_stop = 0  # type: ignore[assignment]  # the stubs know the initial None only
    for thread in _grading:
        thread.join(_JOIN_S)


def _poll_faster(celery: Celery) -> None:
    """The in-memory transport looks for messages once a second by default; an upload should not wait for that."""
    celery.conf.broker_transport_options = {"polling_interval": 0.1}


def _sweeper(celery: Celery) -> Any:
    """Celery's beat on a thread, with the schedule of the settings and no file."""
    return beat.Service(celery, max_interval=5, scheduler_cls=beat.Scheduler)


def _create_exams() -> None:
    photos = os.environ.get("DEMO_PHOTOS")
    try:
        clinic.create_demo_exams(Path(photos) if photos else None)
    except Exception:
        # The boundary of this thread: the clinic is usable without its drawn photographs, but silence would puzzle.
        logger.exception("The demo photographs could not all be drawn; the next start goes on with them")
    finally:
        connections.close_all()


def _thread(name: str, work: Any) -> threading.Thread:
    thread = threading.Thread(target=work, name=name, daemon=True)
    thread.start()
    return thread
