"""Fixtures of the tests of migrations."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor


@pytest.fixture
def migrate(transactional_db: None) -> Iterator[Callable[[str], Any]]:
    """Migrate to a migration of the app; returns its models. The newest state is restored in the end."""

    def to(name: str) -> Any:
        executor = MigrationExecutor(connection)
        executor.migrate([("screening", name)])
        return MigrationExecutor(connection).loader.project_state([("screening", name)]).apps

    yield to
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())
