"""One question to each part that the site needs. Each answers with a few words, or raises Trouble."""

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

LEAST_FREE_BYTES = 4 * MAX_BYTES
"""Room for a few photographs of the largest size: below it uploads will soon fail."""


class Trouble(Exception):
    """A part cannot be used (``state`` "unavailable"), or works too slowly ("late"). For operators: it names places."""

    def __init__(self, words: str, state: str = "unavailable") -> None:
        super().__init__(words)
        self.state = state


def ask_database() -> str:
    """Raises Trouble."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        raise Trouble(f"{connection.vendor} does not answer ({type(error).__name__})") from error
    return connection.vendor


def ask_broker() -> str:
    """Raises Trouble."""
    if not worker_heartbeat.broker_is_shared():
        return "a queue inside this process"
    try:
        with worker_heartbeat.connect_broker() as client:
            client.ping()
    except (redis.RedisError, OSError) as error:
        raise Trouble(f"Redis does not answer ({type(error).__name__})") from error
    return "Redis answers"


def ask_storage() -> str:
    """Whether photographs can be stored, as far as can be seen without storing one. Raises Trouble."""
    storage = default_storage
    if isinstance(storage, FileSystemStorage):
        return _ask_folder(Path(storage.location))
    try:
        return str(storage.ping())  # type: ignore[attr-defined]
    except OSError as error:
        raise Trouble(str(error)) from error


def _ask_folder(folder: Path) -> str:
    try:
        existing = next(place for place in (folder, *folder.parents) if place.exists())
        n_free = shutil.disk_usage(existing).free
    except OSError as error:
        raise Trouble(f"{folder} cannot be read ({type(error).__name__})") from error
    if not os.access(existing, os.W_OK | os.X_OK):
        raise Trouble(f"{folder} cannot be written")
    if n_free < LEAST_FREE_BYTES:
        raise Trouble(f"{folder} has only {n_free // 10**6} MB left")
    return f"{n_free / 10**9:.1f} GB free"


def ask_disk() -> str:
    """Space where this process writes: temporary files of uploads, and VAR_DIR. Raises Trouble."""
    places = {Path(tempfile.gettempdir()), settings.VAR_DIR}
    return ", ".join(f"{place}: {_ask_folder(place)}" for place in sorted(places))


def ask_bundle() -> str:
    """The model's version, by its description alone. Raises Trouble."""
    return _ask_bundle(verify=False)


def ask_bundle_hash() -> str:
    """The model's version, its weights hashed anew. Raises Trouble."""
    return _ask_bundle(verify=True)


def _ask_bundle(*, verify: bool) -> str:
    try:
        return inference.read_own_bundle(verify=verify).model_version
    except (BundleError, OSError) as error:
        raise Trouble(str(error)) from error


def ask_queue() -> str:
    """Raises Trouble ("late") when a photograph has waited longer than QUEUE_LATE_AFTER_S."""
    try:
        seconds = oldest_waiting_s()
    except DatabaseError as error:
        raise Trouble(f"the database does not answer ({type(error).__name__})") from error
    if seconds > settings.QUEUE_LATE_AFTER_S:
        raise Trouble(f"the oldest photograph has waited {seconds:.0f} s", "late")
    return f"the oldest photograph has waited {seconds:.0f} s" if seconds else "nothing waits"


def ask_worker() -> str:
    """Raises Trouble when no worker gave a sign of life within the last 45 s."""
    if not worker_heartbeat.broker_is_shared():
        return "inside this process"
    try:
        alive = worker_heartbeat.list_alive()
    except (redis.RedisError, OSError) as error:
        raise Trouble(f"Redis does not answer ({type(error).__name__})") from error
    if not alive:
        raise Trouble(f"no worker gave a sign of life within {worker_heartbeat.ALIVE_FOR_S} s")
    return f"{len(alive)} alive"


PARTS: dict[str, Callable[[], str]] = {
    "database": ask_database,
    "broker": ask_broker,
    "storage": ask_storage,
    "bundle": ask_bundle,
    "queue": ask_queue,
    "worker": ask_worker,
}
NOT_NEEDED_FOR_PAGES = frozenset({"queue", "worker"})
"""Taking the pages away would not mend these: photographs are still taken in, and wait."""
