"""``manage.py doctor``: checks an installation, one line for each component, with a fix for each failure."""

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

from screening.health import checks, programme, worker_heartbeat
from screening.health.checks import HealthCheckError
from screening.models import Message, Site
from screening.policy.messages import WAITING_STATES, MessageChannel, MessageMode
from screening.reports import engine
from screening.selectors.thresholds import unused_thresholds
from screening.services import inference
from screening.services.message_channels import available_channels, sms_hook

MAX_MESSAGE_DELAY_H = 2
_CHANNELS = {MessageChannel.EMAIL: "no mail server", MessageChannel.SMS: "no SMS_BACKEND"}
FONT_SAMPLES = {
    "Latin": "Łódź",
    "Greek": "Ω",
    "Cyrillic": "Ж",
    "Arabic": "محمد",
    "Devanagari": "सुनीता",
    "Chinese": "王小明",
}
"""Of the scripts for which the image has fonts."""
MAX_CLOCK_SKEW_S = 5.0
"""Far below GRADING_STALE_AFTER_S, and far above what a time service allows."""


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """``check`` returns a short text or raises; ``fix`` is the advice after a failure."""

    name: str
    check: Callable[[], str]
    fix: str


class Command(BaseCommand):
    """Run all checks; the exit code is 1 if one fails."""

    help = "Checks this installation, and prints how to fix what fails. Exit code 1 if a check fails."
    requires_system_checks: list[str] = []  # diagnose_settings runs them

    def handle(self, *_args: Any, **_options: Any) -> None:
        n_failed = sum(not self._run(diagnostic) for diagnostic in DIAGNOSTICS)
        if n_failed:
            self.stdout.write(f"{n_failed} of {len(DIAGNOSTICS)} checks failed.")
            raise SystemExit(1)
        self.stdout.write(f"All {len(DIAGNOSTICS)} checks passed.")

    def _run(self, diagnostic: Diagnostic) -> bool:
        try:
            message, is_ok = diagnostic.check(), True
        except HealthCheckError as error:
            message, is_ok = str(error), False
        except Exception as error:
            message, is_ok = type(error).__name__, False  # its message may hold a password
        self.stdout.write(f"{'OK  ' if is_ok else 'FAIL'}  {diagnostic.name:<11} {message}")
        if not is_ok:
            self.stdout.write(f"      {'':<11} {diagnostic.fix}")
        return is_ok


def diagnose_settings() -> str:
    """Errors of Django's system checks."""
    found = [message for message in run_checks() if message.is_serious()]
    if found:
        raise HealthCheckError(" ".join(f"{message.id}: {message.msg}" for message in found))
    return "no errors"


def diagnose_database() -> str:
    """Version of the database server."""
    vendor = checks.check_database()
    if vendor != "postgresql":
        return vendor
    major, minor, *_rest = connection.get_database_version()
    return f"PostgreSQL {major}.{minor}"


def diagnose_migrations() -> str:
    """Migrations that are not applied."""
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if missing:
        raise HealthCheckError(f"{len(missing)} not applied, the first is {missing[0][0]}")
    return f"{len(executor.loader.applied_migrations)} applied"


def diagnose_broker() -> str:
    """Connection to the broker. Without Redis only the demo grades photographs."""
    if not worker_heartbeat.broker_is_shared() and not (settings.DEBUG or settings.SITE_IS_DEMO):
        raise HealthCheckError("REDIS_URL is not set, so no photograph is graded")
    return checks.check_broker()


def diagnose_storage() -> str:
    """Write, read and delete a small file."""
    message = checks.check_storage()
    content = uuid.uuid4().bytes
    try:
        name = default_storage.save(f"doctor/{uuid.uuid4().hex}", ContentFile(content))
        try:
            with default_storage.open(name) as file:
                is_same = file.read() == content
        finally:
            default_storage.delete(name)
        is_deleted = not default_storage.exists(name)
    except Exception as error:
        raise HealthCheckError(f"writing, reading or deleting failed ({type(error).__name__})") from error
    if not is_same:
        raise HealthCheckError("a file was read with another content than was written")
    if not is_deleted:
        raise HealthCheckError("a deleted file still exists")
    return f"written, read, deleted; {message}"


def diagnose_clock() -> str:
    """Clock of this host against that of the database: stale gradings are found by their times."""
    if connection.vendor != "postgresql":
        return f"no other host to compare with ({connection.vendor})"
    with connection.cursor() as cursor:
        before = timezone.now()
        cursor.execute("SELECT clock_timestamp()")
        of_database: datetime.datetime = cursor.fetchone()[0]
        after = timezone.now()
    skew_s = max((before - of_database).total_seconds(), (of_database - after).total_seconds(), 0.0)
    if skew_s > MAX_CLOCK_SKEW_S:
        raise HealthCheckError(f"{skew_s:.0f} s from the clock of the database")
    return f"within {max(skew_s, 0.1):.1f} s of the clock of the database"


def diagnose_thresholds() -> str:
    """Thresholds of sites that belong to another version of the model than the one in use."""
    versions = {model: inference.current_bundle(model).model_version for model in settings.GRADING_MODELS}
    unused = [str(threshold.site) for threshold in unused_thresholds(versions)]
    if unused:
        raise HealthCheckError(f"not in use, fitted to or chosen for another model: {', '.join(unused)}")
    return "none is for another model"


def diagnose_messages() -> str:
    """Channels of sites that send messages, and messages that wait although they are due."""
    sites = [str(site) for site in Site.objects.filter(is_active=True).exclude(message_mode=MessageMode.OFF.value)]
    if not sites:
        return "switched off at each site"
    found = available_channels()
    if settings.SMS_BACKEND:
        sms_hook()
    if not found:
        raise HealthCheckError(f"no mail server and no SMS_BACKEND is set, but messages are on at: {', '.join(sites)}")
    late_at = timezone.now() - datetime.timedelta(hours=MAX_MESSAGE_DELAY_H)
    n_late = Message.objects.filter(state__in=WAITING_STATES, due_at__lt=late_at).count()
    if n_late:
        raise HealthCheckError(f"{n_late} wait for more than {MAX_MESSAGE_DELAY_H} hours")
    missing = [label for channel, label in _CHANNELS.items() if channel not in found]
    return f"on at {len(sites)} sites" + "".join(f"; {label} is set" for label in missing)


def diagnose_documents() -> str:
    """Libraries that make documents, and fonts for the scripts of names."""
    missing = engine.missing_libraries()
    if missing:
        raise HealthCheckError(f"documents cannot be made: {', '.join(missing)} cannot be loaded")
    without_font = [name for name, letters in FONT_SAMPLES.items() if engine.missing_letters(letters)]
    if without_font:
        raise HealthCheckError(f"no font for names in {', '.join(without_font)}")
    return f"Pango, and fonts for {', '.join(FONT_SAMPLES)}"


def diagnose_mail() -> str:
    """Log-in at the mail server. Sends nothing."""
    backend = settings.EMAIL_BACKEND.split(".")[-2]
    if backend != "smtp":
        return f"no mail server is set (backend: {backend})"
    server = f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}"
    try:
        with get_connection():
            return f"{server} accepts connections"
    except OSError as error:  # smtplib.SMTPException is an OSError
        raise HealthCheckError(f"{server} does not accept the connection ({type(error).__name__})") from error


DIAGNOSTICS = (
    Diagnostic("settings", diagnose_settings, "Run `manage.py check`: it prints a hint for each error."),
    Diagnostic(
        "database",
        diagnose_database,
        "Start PostgreSQL; correct DATABASE_URL and DATABASE_PASSWORD; read the log of the server.",
    ),
    Diagnostic("migrations", diagnose_migrations, "Back up the database, then run `manage.py migrate`."),
    Diagnostic(
        "broker", diagnose_broker, "Start Redis; correct REDIS_URL and REDIS_PASSWORD; read the log of the server."
    ),
    Diagnostic(
        "storage",
        diagnose_storage,
        "Free disk space; let the user of the site write to MEDIA_ROOT. With S3: correct S3_BUCKET, S3_ENDPOINT_URL "
        "and the keys, and allow reading, writing and deleting.",
    ),
    Diagnostic(
        "bundle",
        checks.check_bundle_hash,
        "Restore the bundle of the release, or correct ACCURATE_MODEL_BUNDLE and FAST_MODEL_BUNDLE.",
    ),
    Diagnostic(
        "activations",
        checks.check_active_bundles,
        "Restore the folder of the bundle in MODELS_DIR, or go back to the released model: Models, Model in use.",
    ),
    Diagnostic(
        "thresholds",
        diagnose_thresholds,
        "These sites use that of the model. Fit theirs again (`python -m ml site-threshold`), or choose one of "
        "the table, in the administration panel.",
    ),
    Diagnostic(
        "readings",
        programme.check_readings,
        "Give another person the role of a reviewer, or of a senior reviewer, at these sites. Who has read an exam "
        "does not decide on it.",
    ),
    Diagnostic("clock", diagnose_clock, "Start time synchronisation (chrony or systemd-timesyncd) on both hosts."),
    Diagnostic("disk", checks.check_disk, "Free disk space or enlarge the disk. Do not delete photographs."),
    Diagnostic(
        "worker",
        checks.check_worker,
        "Start a worker: `docker compose up -d worker` or `celery -A drsite worker`; read its log. If one cannot load "
        "its model, restore the model bundle of the release there.",
    ),
    Diagnostic("queue", checks.check_queue, "Check that beat runs (`celery -A drsite beat`), then add a worker."),
    Diagnostic(
        "referrals",
        programme.check_referrals,
        "Check that beat and a worker run. Then late referrals are reported within six hours: missed runs are made up.",
    ),
    Diagnostic(
        "recall",
        programme.check_recall,
        "Check that beat and a worker run. The next run makes up what was missed.",
    ),
    Diagnostic(
        "bookings",
        programme.check_bookings,
        "Check that beat and a worker run. The next run, within six hours, records who did not attend; record by hand "
        "who did.",
    ),
    Diagnostic(
        "imports",
        programme.check_imports,
        "Check that beat and a worker run, and read the log of the worker. They go on where they stopped, or are "
        "refused after three tries. One that is not written yet can be cancelled on its page.",
    ),
    Diagnostic(
        "letters",
        programme.check_letters,
        "Check that beat and a worker run, and read the log of the worker. The next run, within an hour, deletes them.",
    ),
    Diagnostic(
        "dashboard",
        programme.check_counts,
        "Check that beat and a worker run, and read the log of the worker. The next run makes up what was missed.",
    ),
    Diagnostic(
        "drift",
        programme.check_drift,
        "Check that beat and a worker run, and read the log of the worker. The next run, within six hours, compares "
        "the last whole week.",
    ),
    Diagnostic(
        "messages",
        diagnose_messages,
        "Set EMAIL_URL or SMS_BACKEND, or switch messages off at the sites. If messages wait, check that beat and a "
        "worker run.",
    ),
    Diagnostic(
        "documents",
        diagnose_documents,
        "On Debian: apt-get install libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core fonts-lohit-deva "
        "fonts-wqy-microhei. Without them everything else works.",
    ),
    Diagnostic("mail", diagnose_mail, "Correct EMAIL_URL (host, port, user, password), or leave it empty."),
)
