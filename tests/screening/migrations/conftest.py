"""Fixtures of the tests of migrations."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.migrations.executor import MigrationExecutor


@pytest.fixture
def copied_database(transactional_db: None, django_db_blocker: Any) -> Iterator[None]:
    """A copy of the migrated test database in its place: to undo a few migrations is faster than to apply all."""
    full: Any = connections[DEFAULT_DB_ALIAS]
    is_sqlite, name = full.vendor == "sqlite", full.settings_dict["NAME"]
    copy = type(full)({**full.settings_dict, "NAME": ":memory:" if is_sqlite else f"{name}_copy"})
    with django_db_blocker.unblock():
        if is_sqlite:
            full.ensure_connection()
            copy.ensure_connection()
            full.connection.backup(copy.connection)
        else:
            full.close()  # PostgreSQL copies no database that is in use
            with full._nodb_cursor() as cursor:
                cursor.execute(f'DROP DATABASE IF EXISTS "{name}_copy"')  # of a run that was killed
                cursor.execute(f'CREATE DATABASE "{name}_copy" TEMPLATE "{name}"')
        connections[DEFAULT_DB_ALIAS] = copy
        yield
        connections[DEFAULT_DB_ALIAS] = full
        copy.close()
        if not is_sqlite:
            with full._nodb_cursor() as cursor:
                cursor.execute(f'DROP DATABASE "{name}_copy"')


@pytest.fixture
def migrate(copied_database: None) -> Callable[[str | None], Any]:
    """Migrate the copy to a migration of the app, None is before the first; returns its models."""

    def to(name: str | None) -> Any:
        executor = MigrationExecutor(connection)
        executor.migrate([("screening", name)])
        return MigrationExecutor(connection).loader.project_state([("screening", name)]).apps if name else None

    return to
