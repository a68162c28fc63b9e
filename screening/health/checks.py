"""Health checks of the components. Each returns a short text or raises HealthCheckError."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import redis
from django.conf import settings
from django.core.files.storage import FileSystemStorage, default_storage
from django.db import DatabaseError, connection

from ml.bundle import Bundle
from ml.errors import BundleError
from ml.vocabulary import ServedModel
from screening.health import worker_heartbeat
from screening.health.queue_stats import oldest_waiting_s
from screening.models import Site
from screening.photos.validation import MAX_BYTES
from screening.selectors.activations import activations_in_force
from screening.selectors.sites import list_served_models
from screening.services import inference
from screening.services.active_bundles import read_active_bundle

MIN_FREE_BYTES = 4 * MAX_BYTES
"""Space for a few of the largest photographs."""


class HealthCheckError(Exception):
    """A component is "unavailable", "degraded" or "late" (``state``). The message has paths: for administrators."""

    def __init__(self, message: str, state: str = "unavailable") -> None:
        super().__init__(message)
        self.state = state


@contextmanager
def _answer_of(server: str, *errors: type[Exception]) -> Iterator[None]:
    """Translate errors of a client library, whose messages may hold a password."""
    try:
        yield
    except errors as error:
        raise HealthCheckError(f"{server} does not answer ({type(error).__name__})") from error


def check_database() -> str:
    with _answer_of(connection.vendor, DatabaseError), connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return connection.vendor


def check_broker() -> str:
    if not worker_heartbeat.broker_is_shared():
        return "a queue inside this process"
    with _answer_of("Redis", redis.RedisError, OSError), worker_heartbeat.connect_broker() as client:
        client.ping()
    return "Redis answers"


def check_storage() -> str:
    """Check that photographs can be stored, without storing one."""
    storage = default_storage
    if isinstance(storage, FileSystemStorage):
        return _check_folder(Path(storage.location))
    try:
        return str(storage.ping())  # type: ignore[attr-defined]  # drsite.storage.PhotographStorage
    except OSError as error:
        raise HealthCheckError(str(error)) from error


def _check_folder(folder: Path) -> str:
    try:
        existing = next(folder for folder in (folder, *folder.parents) if folder.exists())
        n_free_bytes = shutil.disk_usage(existing).free
    except OSError as error:
        raise HealthCheckError(f"{folder} cannot be read ({type(error).__name__})") from error
    if not os.access(existing, os.W_OK | os.X_OK):
        raise HealthCheckError(f"{folder} cannot be written")
    if n_free_bytes < MIN_FREE_BYTES:
        raise HealthCheckError(f"{folder} has only {n_free_bytes // 10**6} MB free")
    return f"{n_free_bytes / 10**9:.1f} GB free"


def check_disk() -> str:
    """Check the free space in TMPDIR, where uploads are written, and in VAR_DIR."""
    folders = {Path(tempfile.gettempdir()), settings.VAR_DIR}
    return ", ".join(f"{folder}: {_check_folder(folder)}" for folder in sorted(folders))


def check_bundle() -> str:
    """Check the bundles of the models in use, and their hashes once for each change of their files."""
    return _versions_of(inference.verified_bundle)


def check_bundle_hash() -> str:
    """Check the bundles of the models in use with their hashes."""
    return _versions_of(lambda model: inference.read_own_bundle(model, verify=True))


def _versions_of(read: Callable[[ServedModel], Bundle]) -> str:
    """Name and version of each model in use. All installed ones count as in use if the database does not answer."""
    try:
        models = list_served_models()
    except DatabaseError:
        models = list(settings.GRADING_MODELS)
    try:
        return ", ".join(f"{model}: {read(model).model_version}" for model in models)
    except (BundleError, OSError) as error:
        raise HealthCheckError(str(error)) from error


def check_active_bundles() -> str:
    """Check the registered bundles that grade at a site, and their hashes once for each change of their files.

    Raises HealthCheckError ("degraded"): at the other sites photographs are graded.
    """
    with _answer_of("the database", DatabaseError):
        rows = activations_in_force(Site.objects.filter(is_active=True))
    problems = []
    for row in rows:
        try:
            if row.bundle is not None:
                read_active_bundle(row.bundle, verify=True)
        except BundleError as error:
            problems.append(f"{row.site.code}: {error}")
    if problems:
        raise HealthCheckError(" ".join(problems), "degraded")
    return ", ".join(str(row) for row in rows) or "none is active"


def check_queue() -> str:
    """Raises HealthCheckError ("late") if a photograph has waited longer than QUEUE_LATE_AFTER_S."""
    with _answer_of("the database", DatabaseError):
        seconds = oldest_waiting_s()
    if not seconds:
        return "no photograph waits"
    message = f"the oldest photograph has waited {seconds:.0f} s"
    if seconds > settings.QUEUE_LATE_AFTER_S:
        raise HealthCheckError(message, "late")
    return message


def check_worker() -> str:
    """Raises HealthCheckError if no worker grades, and ("degraded") if one of several cannot load its model."""
    if not worker_heartbeat.broker_is_shared():
        return "inside this process"
    with _answer_of("Redis", redis.RedisError, OSError):
        workers = worker_heartbeat.list_live_workers()
    if not workers:
        raise HealthCheckError(f"no heartbeat of a worker within {worker_heartbeat.HEARTBEAT_TTL_S} s")
    unable = sorted(name for name, is_grading in workers.items() if not is_grading)
    if unable:
        message = f"{len(unable)} of {len(workers)} cannot load the model and take no photographs: {', '.join(unable)}"
        raise HealthCheckError(message, "degraded" if len(unable) < len(workers) else "unavailable")
    return f"{len(workers)} alive"


COMPONENTS: dict[str, Callable[[], str]] = {
    "database": check_database,
    "broker": check_broker,
    "storage": check_storage,
    "bundle": check_bundle,
    "active_bundles": check_active_bundles,
    "queue": check_queue,
    "worker": check_worker,
}
NON_CRITICAL = frozenset({"active_bundles", "queue", "worker"})
"""Without them photographs are still stored, and graded later. A restart of the web process would not help."""
