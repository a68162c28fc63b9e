"""The doctor reports each failed check with its fix, and sets the exit code."""

import datetime
import socket
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import call_command
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from ml.errors import BundleError
from ml.vocabulary import ServedModel
from screening.health import checks, programme
from screening.management.commands import doctor
from screening.models import CountRun, DataImport, DriftCheck, Exam, LateReferralRun, Site
from screening.reports import engine
from screening.services.bookings import close_past_bookings
from screening.services.daily_counts import update_counts
from screening.services.drift_checks import check_drift
from screening.services.late_referrals import report_late_referrals
from tests.builders import FakeGrader
from tests.screening.factories import (
    BookingFactory,
    DataImportFactory,
    ExamFactory,
    GradingFactory,
    ReferralFactory,
    SiteFactory,
    SiteThresholdFactory,
)

STRONG = "q8ZrV1nXw5tKc3LyPb7HdMf2SgJa9UeTo4RiNxWk6BvCz0YhQmDs"
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def healthy(settings: Any, fake_grader: FakeGrader, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settings.SECRET_KEY = STRONG
    settings.SITE_IS_DEMO = True  # its broker is in the process
    settings.CELERY_BROKER_URL = "memory://"
    settings.VAR_DIR = tmp_path
    monkeypatch.setattr(engine, "missing_libraries", tuple)
    monkeypatch.setattr(engine, "missing_letters", lambda _text: set())
    monkeypatch.setattr("screening.services.inference.read_own_bundle", lambda _model, *, verify: fake_grader.bundle)


def run_doctor() -> tuple[int, dict[str, str], str]:
    """Exit code, OK or FAIL by component, and the output."""
    stdout, code = StringIO(), 0
    try:
        call_command("doctor", stdout=stdout)
    except SystemExit as end:
        code = int(end.code or 0)
    lines = [line.split() for line in stdout.getvalue().splitlines()]
    return code, {line[1]: line[0] for line in lines if line[0] in {"OK", "FAIL"}}, stdout.getvalue()


def test_a_healthy_installation_passes_every_check(media_root: Path) -> None:
    code, states, output = run_doctor()
    assert code == 0, output
    names = "settings database migrations broker storage bundle activations thresholds readings clock disk worker queue"
    assert states == dict.fromkeys(
        [
            *names.split(),
            "referrals",
            "recall",
            "bookings",
            "imports",
            "letters",
            "dashboard",
            "drift",
            "messages",
            "documents",
            "mail",
        ],
        "OK",
    )
    assert not [file for file in media_root.rglob("*") if file.is_file()], "its test file is deleted"


def remove_pango(_settings: Any, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(engine, "missing_libraries", lambda: ("Pango",))


def remove_fonts(_settings: Any, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(engine, "missing_letters", lambda text: set() if text.isascii() else set(text))


def weaken_key(settings: Any, _patch: pytest.MonkeyPatch) -> None:
    settings.SECRET_KEY = "short"


def stop_beat(_settings: Any, _patch: pytest.MonkeyPatch) -> None:
    LateReferralRun.objects.create(ran_at=timezone.now() - datetime.timedelta(hours=25))


def stop_broker(settings: Any, _patch: pytest.MonkeyPatch) -> None:
    settings.CELERY_BROKER_URL = "redis://:hunter2hunter2@127.0.0.1:1/0"


def unset_broker(settings: Any, _patch: pytest.MonkeyPatch) -> None:
    settings.SITE_IS_DEMO = False


def revert_migration(_settings: Any, _patch: pytest.MonkeyPatch) -> None:
    MigrationRecorder.Migration.objects.filter(app="screening").order_by("-name")[:1].get().delete()


def replace_media_root_by_a_file(settings: Any, _patch: pytest.MonkeyPatch) -> None:
    settings.MEDIA_ROOT = settings.VAR_DIR / "file"
    settings.MEDIA_ROOT.touch()


def alter_weights(_settings: Any, patch: pytest.MonkeyPatch) -> None:
    def read(_model: ServedModel, *, verify: bool) -> None:
        if verify:
            raise BundleError("its weights have another hash")

    patch.setattr("screening.services.inference.read_own_bundle", read)


def keep_threshold_of_another_model(_settings: Any, _patch: pytest.MonkeyPatch) -> None:
    SiteThresholdFactory(model_version="other-1")


def fill_disk(_settings: Any, patch: pytest.MonkeyPatch) -> None:
    patch.setattr("screening.health.checks.shutil.disk_usage", lambda _folder: SimpleNamespace(free=1_000_000))


def delay_queue(_settings: Any, _patch: pytest.MonkeyPatch) -> None:
    GradingFactory(queued_at=timezone.now() - datetime.timedelta(hours=1))


def stop_mail_server(settings: Any, _patch: pytest.MonkeyPatch) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        settings.EMAIL_HOST, settings.EMAIL_PORT = closed.getsockname()


def stop_database(_settings: Any, patch: pytest.MonkeyPatch) -> None:
    def fail(*_args: Any, **_kwargs: Any) -> None:
        raise OperationalError("password authentication failed for user dr")

    patch.setattr(connection, "cursor", fail)


@pytest.mark.parametrize(
    ("harm", "failed", "fix"),
    [
        (weaken_key, {"settings"}, "manage.py check"),
        (stop_broker, {"broker", "worker"}, "REDIS_PASSWORD"),
        (unset_broker, {"broker"}, "REDIS_URL"),
        (revert_migration, {"migrations"}, "manage.py migrate"),
        (replace_media_root_by_a_file, {"storage", "settings"}, "MEDIA_ROOT"),
        (alter_weights, {"bundle", "settings"}, "MODEL_BUNDLE"),
        (keep_threshold_of_another_model, {"thresholds"}, "site-threshold"),
        (fill_disk, {"disk", "storage"}, "enlarge"),
        (delay_queue, {"queue"}, "add a worker"),
        (stop_beat, {"referrals"}, "beat and a worker"),
        (remove_pango, {"documents"}, "libpangoft2-1.0-0"),
        (remove_fonts, {"documents"}, "fonts-lohit-deva"),
        (stop_mail_server, {"mail"}, "EMAIL_URL"),
        (
            stop_database,
            {
                "database",
                "migrations",
                "activations",
                "thresholds",
                "readings",
                "queue",
                "referrals",
                "recall",
                "bookings",
                "imports",
                "letters",
                "dashboard",
                "drift",
                "messages",
            },
            "DATABASE_PASSWORD",
        ),
    ],
)
def test_a_failed_check_is_reported_with_its_fix(
    harm: Callable[..., None], failed: set[str], fix: str, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    harm(settings, monkeypatch)
    code, states, output = run_doctor()
    if connection.vendor == "postgresql" and "database" in failed:
        failed = failed | {"clock"}
    assert {name for name, state in states.items() if state == "FAIL"} == failed, output
    assert code == 1
    assert fix in output
    assert not any(secret in output for secret in ("hunter2", "password authentication", STRONG))


@pytest.mark.parametrize(("skew_s", "is_ok"), [(0, True), (4, True), (-7, False), (3600, False)])
def test_the_clock_is_compared_with_that_of_the_database(
    skew_s: int, is_ok: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has the clock of this host")
    real = timezone.now
    monkeypatch.setattr(
        "screening.management.commands.doctor.timezone.now", lambda: real() + datetime.timedelta(seconds=skew_s)
    )
    if is_ok:
        assert "within" in doctor.diagnose_clock()
    else:
        with pytest.raises(checks.HealthCheckError, match="from the clock of the database"):
            doctor.diagnose_clock()


def test_referrals_without_any_search_for_late_ones_are_reported() -> None:
    assert programme.check_referrals() == "there is none"
    ReferralFactory()
    with pytest.raises(checks.HealthCheckError, match="has never run"):
        programme.check_referrals()
    report_late_referrals()
    assert programme.check_referrals() == "late ones were searched 0 h ago"


def test_a_dashboard_that_is_not_counted_is_reported(site: Site) -> None:
    assert programme.check_counts() == "there is no exam yet"
    ExamFactory(patient__site=site)
    Exam.objects.update(created_at=timezone.now() - datetime.timedelta(hours=1))
    with pytest.raises(checks.HealthCheckError, match="never counted"):
        programme.check_counts()
    update_counts()
    assert programme.check_counts() == "counted 0 min ago; 0 days have still to be counted"
    CountRun.objects.update(ran_at=timezone.now() - datetime.timedelta(hours=1))
    with pytest.raises(checks.HealthCheckError, match="60 minutes ago"):
        programme.check_counts()


def test_a_week_that_was_not_compared_is_reported(site: Site) -> None:
    assert programme.check_drift() == "the photographs of the last whole week were compared"
    Site.objects.update(created_at=timezone.now() - datetime.timedelta(days=30))
    with pytest.raises(checks.HealthCheckError, match="not compared at 1 sites"):
        programme.check_drift()
    check_drift()
    assert DriftCheck.objects.get(site=site).changed == [], "without photographs nothing changed"
    assert programme.check_drift() == "the photographs of the last whole week were compared"


def test_bookings_that_no_task_closed_are_reported() -> None:
    today = timezone.localdate(timezone=(site := SiteFactory(timezone="Pacific/Auckland")).zone)
    booked = BookingFactory(patient__site=site, day=today - datetime.timedelta(days=1))
    BookingFactory(patient__site=site, day=today - datetime.timedelta(days=2), status="did_not_attend")
    BookingFactory(patient__site__is_active=False, day=today - datetime.timedelta(days=9))
    assert programme.check_bookings() == "none of a day that has passed is open"
    booked.day = today - datetime.timedelta(days=2)
    booked.save()
    code, states, output = run_doctor()
    assert (code, states["bookings"]) == (1, "FAIL")
    assert "1 are still “booked” more than 1 day after their day" in output
    assert "beat and a worker" in output
    close_past_bookings()
    assert programme.check_bookings() == "none of a day that has passed is open"


def test_imports_that_stopped_are_reported() -> None:
    DataImportFactory(state="checking")
    DataImportFactory(state="checked")  # a person decides, who may take longer
    DataImport.objects.update(worked_at=timezone.now() - datetime.timedelta(minutes=14))
    assert programme.check_imports() == "none has stopped"
    DataImport.objects.update(worked_at=timezone.now() - datetime.timedelta(minutes=16))
    code, states, output = run_doctor()
    assert (code, states["imports"]) == (1, "FAIL")
    assert "1 stopped: no worker had them for 15 minutes" in output
    assert "read the log of the worker" in output
