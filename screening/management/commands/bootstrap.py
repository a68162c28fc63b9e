"""``manage.py bootstrap``: migrates the database and creates the first administrator."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from screening.services.accounts import create_first_administrator

LOCK = 4_120_577_301
"""Key of the PostgreSQL advisory lock: any number that no other program uses in this database."""


class Command(BaseCommand):
    """May run in several containers at once: they wait for each other."""

    help = "Migrate the database and create the first administrator (ADMIN_USERNAME, ADMIN_PASSWORD)."

    def handle(self, *_args: Any, **options: Any) -> None:
        with exclusive_lock():
            call_command("migrate", interactive=False, verbosity=options["verbosity"])
            self._create_administrator()

    def _create_administrator(self) -> None:
        if not settings.ADMIN_PASSWORD:
            return
        try:
            user = create_first_administrator(username=settings.ADMIN_USERNAME, password=settings.ADMIN_PASSWORD)
        except ValidationError as error:
            raise CommandError(f"The administrator was not created: {' '.join(error.messages)}") from error
        if user is not None:
            self.stdout.write("The first administrator was created. The password must be changed at the first log-in.")


@contextmanager
def exclusive_lock() -> Iterator[None]:
    """Advisory lock on PostgreSQL, which also ends with the connection; no lock on SQLite."""
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
