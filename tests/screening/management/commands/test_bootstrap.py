"""``manage.py bootstrap`` creates the first administrator, once."""

import runpy
import threading
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from screening.management.commands.bootstrap import exclusive_lock
from screening.models import AuditEvent, User

pytestmark = pytest.mark.django_db


def bootstrap(settings: Any, password: str) -> str:
    settings.ADMIN_USERNAME, settings.ADMIN_PASSWORD = "admin", password
    out = StringIO()
    call_command("bootstrap", stdout=out, verbosity=0)
    return out.getvalue()


def test_the_first_administrator_is_created_once(settings: Any) -> None:
    assert "was created" in bootstrap(settings, "quiet-walnut-ferry")
    assert bootstrap(settings, "brisk-lantern-otter") == ""
    user = User.objects.get()
    assert user.is_superuser
    assert user.must_change_password
    assert user.check_password("quiet-walnut-ferry")
    assert AuditEvent.objects.filter(verb="row.added", object_id=str(user.pk)).count() == 1


def test_no_account_is_created_without_a_password_or_with_a_weak_one(settings: Any) -> None:
    bootstrap(settings, "")
    with pytest.raises(CommandError, match="too short"):
        bootstrap(settings, "short")
    assert not User.objects.exists()


def test_the_old_name_of_the_command_is_refused_with_the_new_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["manage.py", "prepare"])
    with pytest.raises(SystemExit, match="now called bootstrap"):
        runpy.run_path("manage.py", run_name="__main__")


@pytest.mark.django_db(transaction=True)
def test_a_second_container_waits_for_the_first() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("the lock is PostgreSQL's")
    got_in = threading.Event()

    def second() -> None:
        with exclusive_lock():
            got_in.set()
        connection.close()

    with exclusive_lock():
        other = threading.Thread(target=second)
        other.start()
        assert not got_in.wait(0.5)
    other.join(10)
    assert got_in.is_set()
