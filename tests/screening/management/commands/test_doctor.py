"""Every failed check is reported with its fix, and sets the exit code."""

import datetime
import socket
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from ml.errors import BundleError
from screening.health import checks
from screening.management.commands import doctor
from tests.builders import FakeGrader
from tests.screening.factories import GradingFactory

STRONG = "q8ZrV1nXw5tKc3LyPb7HdMf2SgJa9UeTo4RiNxWk6BvCz0YhQmDs"
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def healthy(settings: Any, fake_grader: FakeGrader, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settings.SECRET_KEY = STRONG
    settings.SITE_IS_DEMO = True  # for its queue inside the process
    settings.CELERY_BROKER_URL = "memory://"
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    settings.VAR_DIR = tmp_path
    monkeypatch.setattr("screening.services.inference.read_own_bundle", lambda *, verify: fake_grader.bundle)


def visit() -> tuple[int, dict[str, str], str]:
    """Exit code, OK or FAIL by part, everything said."""
    said = StringIO()
    code = 0
    try:
        call_command("doctor", stdout=said)
    except SystemExit as end:
        code = int(end.code or 0)
    message = [line.split() for line in said.getvalue().splitlines()]
    return code, {line[1]: line[0] for line in message if line and line[0] in {"OK", "FAIL"}}, said.getvalue()


def test_a_healthy_installation_gets_a_line_a_part_and_exit_code_0(media_root: Path) -> None:
    code, found, said = visit()
    assert code == 0, said
    parts = "settings database migrations broker storage bundle clock disk worker queue mail"
    assert found == dict.fromkeys(parts.split(), "OK")
    assert [file for file in media_root.rglob("*") if file.is_file()] == [], "what it wrote is gone"


def lose_the_key(settings: Any, _patch: pytest.MonkeyPatch, _folder: Path) -> None:
    settings.SECRET_KEY = "short"


def lose_the_broker(settings: Any, _patch: pytest.MonkeyPatch, _folder: Path) -> None:
    settings.CELERY_BROKER_URL = "redis://:hunter2hunter2@127.0.0.1:1/0"


def forget_the_broker(settings: Any, _patch: pytest.MonkeyPatch, _folder: Path) -> None:
    settings.SITE_IS_DEMO = False


def forget_a_migration(_settings: Any, _patch: pytest.MonkeyPatch, _folder: Path) -> None:
    MigrationRecorder.Migration.objects.filter(app="screening").order_by("-id")[:1].get().delete()


def put_a_file_where_photographs_go(settings: Any, _patch: pytest.MonkeyPatch, folder: Path) -> None:
    (folder / "file").write_text("no folder")
    settings.MEDIA_ROOT = folder / "file"


def alter_the_weights(_settings: Any, patch: pytest.MonkeyPatch, _folder: Path) -> None:
    def fail(*, verify: bool) -> None:
        if verify:
            raise BundleError("its weights are not those it names")

    patch.setattr("screening.services.inference.read_own_bundle", fail)


def fill_the_disk(_settings: Any, patch: pytest.MonkeyPatch, _folder: Path) -> None:
    class Usage:
        free = 1_000_000

    patch.setattr("screening.health.checks.shutil.disk_usage", lambda _worker_slot: Usage)


def leave_a_photograph_waiting(_settings: Any, _patch: pytest.MonkeyPatch, _folder: Path) -> None:
    GradingFactory(queued_at=timezone.now() - datetime.timedelta(hours=1))


def lose_the_mail_server(settings: Any, _patch: pytest.MonkeyPatch, _folder: Path) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        settings.EMAIL_HOST, settings.EMAIL_PORT = closed.getsockname()


def lose_the_database(_settings: Any, patch: pytest.MonkeyPatch, _folder: Path) -> None:
    def fail(*_args: Any, **_kwargs: Any) -> None:
        raise OperationalError("password authentication failed for user dr")

    patch.setattr(connection, "cursor", fail)


@pytest.mark.parametrize(
    ("harm", "broken", "fix"),
    [
        (lose_the_key, {"settings"}, "manage.py check"),
        (lose_the_broker, {"broker", "worker"}, "REDIS_PASSWORD"),
        (forget_the_broker, {"broker"}, "REDIS_URL"),
        (forget_a_migration, {"migrations"}, "manage.py migrate"),
        (put_a_file_where_photographs_go, {"storage", "settings"}, "MEDIA_ROOT"),
        (alter_the_weights, {"bundle", "settings"}, "MODEL_BUNDLE"),
        (fill_the_disk, {"disk", "storage"}, "enlarge"),
        (leave_a_photograph_waiting, {"queue"}, "add a worker"),
        (lose_the_mail_server, {"mail"}, "EMAIL_URL"),
        (lose_the_database, {"database", "migrations", "queue"}, "DATABASE_PASSWORD"),
    ],
)
def test_each_broken_part_is_named_with_what_to_do(
    harm: Callable[..., None],
    broken: set[str],
    fix: str,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    harm(settings, monkeypatch, tmp_path)
    code, found, said = visit()
    failed = {name for name, state in found.items() if state == "FAIL"}
    is_clock_asked = connection.vendor == "postgresql" and "database" in broken
    assert failed == broken | ({"clock"} if is_clock_asked else set()), said
    assert code == 1
    assert fix in said
    assert not any(secret in said for secret in ("hunter2", "password authentication", STRONG))


@pytest.mark.parametrize(("gap_s", "is_ok"), [(0, True), (4, True), (-7, False), (3600, False)])
def test_the_clock_is_compared_with_the_databases(gap_s: int, is_ok: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no clock of its own")
    with monkeypatch.context() as patch:
        real = timezone.now
        patch.setattr(
            "screening.management.commands.doctor.timezone.now", lambda: real() + datetime.timedelta(seconds=gap_s)
        )
        if is_ok:
            assert "within" in doctor.diagnose_clock()
        else:
            with pytest.raises(checks.HealthCheckError, match="from the database's"):
                doctor.diagnose_clock()
