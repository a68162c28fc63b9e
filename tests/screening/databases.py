"""The database of a test."""

import fcntl
import hashlib
import os
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection, transaction
from django.db.backends.base.operations import BaseDatabaseOperations
from django.db.backends.sqlite3.base import DatabaseWrapper
from django.db.backends.sqlite3.creation import DatabaseCreation

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("screening/migrations/**/*.py", "screening/append_only.py", "screening/folding.py", "requirements/serve.txt")


_CREATE = DatabaseCreation.create_test_db
_FLUSH = BaseDatabaseOperations.execute_sql_flush


def create_from_copy(creation: DatabaseCreation, *args: Any, **options: Any) -> str:
    """Create the test database on SQLite from a copy of one that was migrated before, by any process.

    The copy is kept in a temporary folder under the hash of the migrations and of what they import: all of them take
    several seconds. Django migrates what it is given and finds nothing left to do.
    """
    digest = hashlib.sha256(b"".join(path.read_bytes() for name in SOURCES for path in sorted(ROOT.glob(name))))
    folder = Path(tempfile.gettempdir()) / f"screening_tests_{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    kept = folder / f"{digest.hexdigest()[:16]}.sqlite3"

    def prepare(wrapper: DatabaseWrapper) -> None:
        if kept.exists():
            wrapper.ensure_connection()
            with closing(sqlite3.connect(kept)) as source:
                source.backup(wrapper.connection)

    with kept.with_suffix(".lock").open("w") as lock, pytest.MonkeyPatch.context() as patch:
        fcntl.flock(lock, fcntl.LOCK_EX)  # other processes wait for the first
        patch.setattr(DatabaseWrapper, "prepare_database", prepare)
        name = _CREATE(creation, *args, **options)
        if not kept.exists():
            _keep(kept, creation.connection)
    return name


def _keep(file: Path, wrapper: Any) -> None:
    """Store the database; those of earlier migrations are deleted after a day."""
    for earlier in file.parent.glob("*"):
        if earlier.stat().st_mtime < time.time() - 86_400:
            earlier.unlink(missing_ok=True)
    new = file.with_suffix(".new")
    with closing(sqlite3.connect(new)) as target:
        wrapper.connection.backup(target)
    new.replace(file)


def flush_without_triggers(operations: BaseDatabaseOperations, sql_list: list[str]) -> None:
    """Empty the tables, those too whose rows may not be deleted."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal")
            tables = [table for (table,) in cursor.fetchall()]
            without = [f"ALTER TABLE {table} DISABLE TRIGGER USER" for table in tables]
            again = [f"ALTER TABLE {table} ENABLE TRIGGER USER" for table in tables]
        else:
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
            triggers = cursor.fetchall()
            without, again = [f"DROP TRIGGER {name}" for name, _sql in triggers], [sql for _name, sql in triggers]
        for statement in without:
            cursor.execute(statement)
        _FLUSH(operations, sql_list)
        for statement in again:
            cursor.execute(statement)


@contextmanager
def rolled_back() -> Iterator[None]:
    """What is stored inside is rolled back, as after a test: for cases that change the same records in one test."""
    block: Any = transaction.atomic()
    block._from_testcase = True  # as of Django's TestCase: blocks that must be the outermost can be inside
    with block:
        yield
        transaction.set_rollback(True)
    cache.clear()
