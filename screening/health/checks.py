"""Checks of the components that the site needs. Each returns a short text, or raises HealthCheckError."""

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import redis
from django.conf import settings
from django.core.files.storage import FileSystemStorage, default_storage
from django.db import DatabaseError, connection

from ml.errors import BundleError
from screening.health import worker_heartbeat
from screening.health.queue_stats import oldest_waiting_s
from screening.photos.validation import MAX_BYTES
from screening.services import inference

MIN_FREE_BYTES = 4 * MAX_BYTES
"""Room for a few photographs of the largest size: below it uploads will soon fail."""


class HealthCheckError(Exception):
    """A component is unavailable or slow (``state`` "unavailable", "late"). For operators: it names places."""

    def __init__(self, message: str, state: str = "unavailable") -> None:
        super().__init__(message)
        self.state = state


def check_database() -> str:
    """Raises HealthCheckError."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        raise HealthCheckError(f"{connection.vendor} does not answer ({type(error).__name__})") from error
    return connection.vendor


def check_broker() -> str:
    """Raises HealthCheckError."""
    if not worker_heartbeat.broker_is_shared():
        return "a queue inside this process"
    try:
        with worker_heartbeat.connect_broker() as client:
            client.ping()
    except (redis.RedisError, OSError) as error:
        raise HealthCheckError(f"Redis does not answer ({type(error).__name__})") from error
    return "Redis answers"


def check_storage() -> str:
    """Whether photographs can be stored, as far as can be seen without storing one. Raises HealthCheckError."""
    storage = default_storage
    if isinstance(storage, FileSystemStorage):
        return _check_folder(Path(storage.location))
    try:
        return str(storage.ping())  # type: ignore[attr-defined]
    except OSError as error:
        raise HealthCheckError(str(error)) from error


def _check_folder(folder: Path) -> str:
    try:
        existing = next(folder for folder in (folder, *folder.parents) if folder.exists())
        n_free = shutil.disk_usage(existing).free
    except OSError as error:
        raise HealthCheckError(f"{folder} cannot be read ({type(error).__name__})") from error
    if not os.access(existing, os.W_OK | os.X_OK):
        raise HealthCheckError(f"{folder} cannot be written")
    if n_free < MIN_FREE_BYTES:
        raise HealthCheckError(f"{folder} has only {n_free // 10**6} MB left")
    return f"{n_free / 10**9:.1f} GB free"


def check_disk() -> str:
    """Space where this process writes: temporary files of uploads, and VAR_DIR. Raises HealthCheckError."""
    places = {Path(tempfile.gettempdir()), settings.VAR_DIR}
    return ", ".join(f"{folder}: {_check_folder(folder)}" for folder in sorted(places))


def check_bundle() -> str:
    """The model's version, by its description alone. Raises HealthCheckError."""
    return _check_bundle(verify=False)


def check_bundle_hash() -> str:
    """The model's version, its weights hashed anew. Raises HealthCheckError."""
    return _check_bundle(verify=True)


def _check_bundle(*, verify: bool) -> str:
    try:
        return inference.read_own_bundle(verify=verify).model_version
    except (BundleError, OSError) as error:
        raise HealthCheckError(str(error)) from error


def check_queue() -> str:
    """Raises HealthCheckError ("late") when a photograph has waited longer than QUEUE_LATE_AFTER_S."""
    try:
        seconds = oldest_waiting_s()
    except DatabaseError as error:
        raise HealthCheckError(f"the database does not answer ({type(error).__name__})") from error
    if seconds > settings.QUEUE_LATE_AFTER_S:
        raise HealthCheckError(f"the oldest photograph has waited {seconds:.0f} s", "late")
    return f"the oldest photograph has waited {seconds:.0f} s" if seconds else "nothing waits"


def check_worker() -> str:
    """Raises HealthCheckError without a heartbeat of a worker in the last 45 s."""
    if not worker_heartbeat.broker_is_shared():
        return "inside this process"
    try:
        alive = worker_heartbeat.list_live_workers()
    except (redis.RedisError, OSError) as error:
        raise HealthCheckError(f"Redis does not answer ({type(error).__name__})") from error
    if not alive:
        raise HealthCheckError(f"no heartbeat of a worker within {worker_heartbeat.HEARTBEAT_TTL_S} s")
    return f"{len(alive)} alive"


COMPONENTS: dict[str, Callable[[], str]] = {
    "database": check_database,
    "broker": check_broker,
    "storage": check_storage,
    "bundle": check_bundle,
    "queue": check_queue,
    "worker": check_worker,
}
NON_CRITICAL = frozenset({"queue", "worker"})
"""A restart of the pages would not fix these: photographs are still taken in, and wait."""
