"""Fixtures of the tests of migrations."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.migrations.executor import MigrationExecutor

EMPTY = "empty_schema"


@pytest.fixture
def empty_database(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """A database without tables in place of the test's: on SQLite in memory, on PostgreSQL a schema."""
    full: Any = connections[DEFAULT_DB_ALIAS]
    empty = type(full)({**full.settings_dict, **({"NAME": ":memory:"} if full.vendor == "sqlite" else {})})
    with django_db_blocker.unblock():
        connections[DEFAULT_DB_ALIAS] = empty
        if empty.vendor == "postgresql":
            with empty.cursor() as cursor:
                cursor.execute(f"CREATE SCHEMA {EMPTY}")
                cursor.execute(f"SET search_path TO {EMPTY}")
        yield
        if empty.vendor == "postgresql":
            with empty.cursor() as cursor:
                cursor.execute(f"DROP SCHEMA {EMPTY} CASCADE")
        empty.close()
        connections[DEFAULT_DB_ALIAS] = full


@pytest.fixture
def migrate(empty_database: None) -> Callable[[str | None], Any]:
    """Migrate an empty database to a migration of the app, None is before the first; returns its models."""

    def to(name: str | None) -> Any:
        executor = MigrationExecutor(connection)
        executor.migrate([("screening", name)])
        return MigrationExecutor(connection).loader.project_state([("screening", name)]).apps if name else None

    return to
