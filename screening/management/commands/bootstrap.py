"""``manage.py bootstrap``: bring the database up to date and see that somebody can log in, before the site starts."""

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
"""Any number that nothing else in this database locks."""


class Command(BaseCommand):
    """Safe to run from several containers at once: one does it, the others wait and find nothing to do."""

    help = "Migrate the database and create the first administrator (ADMIN_USERNAME, ADMIN_PASSWORD)."

    def handle(self, *_args: Any, **options: Any) -> None:
        """Raises CommandError with a sentence when the administrator cannot be created."""
        with one_at_a_time():
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
            self.stdout.write("The first administrator was created; the first log-in asks for another password.")


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Wait for every other process in here that uses the same PostgreSQL. Ends with the connection at the latest."""
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
