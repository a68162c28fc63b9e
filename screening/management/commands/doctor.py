"""``manage.py doctor``: checks of an installation, one line each, with advice on how to fix what failed."""

import datetime
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.checks import run_checks
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.mail import get_connection
from django.core.management.base import BaseCommand
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from screening.health import checks, worker_heartbeat
from screening.health.checks import HealthCheckError

MAX_CLOCK_SKEW_S = 5.0
"""A difference that never matters to gradings, and that any time service stays far below."""
_DUMMY_MAIL = "django.core.mail.backends.dummy.EmailBackend"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """``check`` returns a short text or raises; ``fix`` is what to do then."""

    name: str
    check: Callable[[], str]
    fix: str


class Command(BaseCommand):
    """Exit code 0 when everything is in order, else 1."""

    help = "Checks what this installation needs, with advice on how to fix it. Exit code 1 when a check fails."
    requires_system_checks: list[str] = []  # reported among the rest

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Run every check, also after one failed."""
        n_broken = sum(not self._run(one) for one in DIAGNOSTICS)
        if n_broken:
            self.stdout.write(f"{n_broken} of {len(DIAGNOSTICS)} checks failed.")
            raise SystemExit(1)
        self.stdout.write(f"All {len(DIAGNOSTICS)} checks passed.")

    def _run(self, one: Diagnostic) -> bool:
        try:
            message, is_ok = one.check(), True
        except HealthCheckError as error:
            message, is_ok = str(error), False
        except Exception as error:
            message, is_ok = type(error).__name__, False
        self.stdout.write(f"{'OK  ' if is_ok else 'FAIL'}  {one.name:<11} {message}")
        if not is_ok:
            self.stdout.write(f"      {'':<11} {one.fix}")
        return is_ok


def diagnose_settings() -> str:
    """Django's and our own checks, as ``manage.py check``; warnings are for ``check --deploy``."""
    found = [one for one in run_checks() if one.is_serious()]
    if found:
        raise HealthCheckError(" ".join(f"{one.id}: {one.msg}" for one in found))
    return "no errors"


def diagnose_migrations() -> str:
    """Whether the database's tables are those of this version."""
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if missing:
        raise HealthCheckError(f"{len(missing)} not applied, the first is {missing[0][0]}")
    return f"{len(executor.loader.applied_migrations)} applied"


def diagnose_broker() -> str:
    """A queue inside one process serves the demo and nothing else."""
    if not worker_heartbeat.broker_is_shared() and not (settings.DEBUG or settings.SITE_IS_DEMO):
        raise HealthCheckError("REDIS_URL is not set, so no photograph would ever be graded")
    return checks.check_broker()


def diagnose_storage() -> str:
    """Write, read and delete a few bytes, as a photograph is."""
    message = checks.check_storage()
    content = uuid.uuid4().bytes
    try:
        name = default_storage.save(f"doctor/{uuid.uuid4().hex}", ContentFile(content))
        try:
            with default_storage.open(name) as file:
                is_same = file.read() == content
        finally:
            default_storage.delete(name)
        is_left = default_storage.exists(name)
    except Exception as error:
        raise HealthCheckError(f"writing, reading or deleting failed ({type(error).__name__})") from error
    if not is_same or is_left:
        raise HealthCheckError(
            "what was written is not what was read" if not is_same else "a deleted file is still there"
        )
    return f"written, read, deleted; {message}"


def diagnose_clock() -> str:
    """This machine's clock against the database's: gradings are called lost by comparing times of several machines."""
    if connection.vendor != "postgresql":
        return f"no other machine to compare with ({connection.vendor})"
    with connection.cursor() as cursor:
        before = timezone.now()
        cursor.execute("SELECT clock_timestamp()")
        theirs: datetime.datetime = cursor.fetchone()[0]
        after = timezone.now()
    gap_s = max((before - theirs).total_seconds(), (theirs - after).total_seconds(), 0.0)
    if gap_s > MAX_CLOCK_SKEW_S:
        raise HealthCheckError(f"{gap_s:.0f} s from the database's")
    return f"within {max(gap_s, 0.1):.1f} s of the database's"


def diagnose_mail() -> str:
    """Whether the mail server takes a connection and knows the password; nothing is sent."""
    if settings.EMAIL_BACKEND == _DUMMY_MAIL:
        return "not set up, and not needed: the site sends none"
    try:
        with get_connection():
            return f"{settings.EMAIL_HOST} answers"
    except OSError as error:  # smtplib's errors are OSErrors too
        raise HealthCheckError(f"{settings.EMAIL_HOST} refuses our connection ({type(error).__name__})") from error


def diagnose_database() -> str:
    """The server's version."""
    message = checks.check_database()
    if connection.vendor != "postgresql":
        return message
    major, minor, *_rest = connection.get_database_version()
    return f"PostgreSQL {major}.{minor}"


_SEE_LOG = "Its log says what happened."
DIAGNOSTICS = (
    Diagnostic("settings", diagnose_settings, "Run `manage.py check`: each finding comes with a hint."),
    Diagnostic(
        "database",
        diagnose_database,
        f"Start PostgreSQL, then compare DATABASE_URL and DATABASE_PASSWORD with what it expects. {_SEE_LOG}",
    ),
    Diagnostic("migrations", diagnose_migrations, "Run `manage.py migrate`; make a backup of the database first."),
    Diagnostic(
        "broker",
        diagnose_broker,
        f"Start Redis, then compare REDIS_URL and REDIS_PASSWORD with what it expects. {_SEE_LOG}",
    ),
    Diagnostic(
        "storage",
        diagnose_storage,
        "Free some space, or give MEDIA_ROOT to the user that runs the site; with S3, check S3_BUCKET, "
        "S3_ENDPOINT_URL, the keys and what they allow.",
    ),
    Diagnostic(
        "bundle",
        checks.check_bundle_hash,
        "Restore the model folder from the release, or point MODEL_BUNDLE at a whole one.",
    ),
    Diagnostic(
        "clock", diagnose_clock, "Switch on time synchronisation (chrony or systemd-timesyncd) on both machines."
    ),
    Diagnostic("disk", checks.check_disk, "Delete what is not needed on this disk, or enlarge it: never photographs."),
    Diagnostic(
        "worker",
        checks.check_worker,
        f"Start a worker: `celery -A drsite worker`, or `docker compose up -d worker`. {_SEE_LOG}",
    ),
    Diagnostic(
        "queue",
        checks.check_queue,
        "See whether a worker is alive and the beat runs (`celery -A drsite beat`); if both do, add a worker.",
    ),
    Diagnostic(
        "mail", diagnose_mail, "Compare EMAIL_URL with the mail server's address, port, user and password, or empty it."
    ),
)
