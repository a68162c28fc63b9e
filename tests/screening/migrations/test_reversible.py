"""Every migration can be undone."""

from collections.abc import Callable
from typing import Any

from django.db import connection


def test_every_migration_can_be_undone(migrate: Callable[[str | None], Any]) -> None:
    assert any(table.startswith("screening_") for table in connection.introspection.table_names())
    migrate(None)
    assert not [table for table in connection.introspection.table_names() if table.startswith("screening_")]
