"""INSERT ... SELECT statements that fill tables of PostgreSQL from numbers."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, models, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models.fields import NOT_PROVIDED

_NAMESPACE = uuid.UUID("6f1d5a5e-6a0e-4a58-9a51-7d5bb1c1d0a1")
_SETTINGS = (
    "session_replication_role = replica",
    "synchronous_commit = off",
    "work_mem = '256MB'",
    "maintenance_work_mem = '512MB'",
)
_INDEXES = """
SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index
WHERE indrelid::regclass::text LIKE 'screening\\_%'
    AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
"""
_FUNCTIONS = """
CREATE OR REPLACE FUNCTION pg_temp.row_id(kind text, n bigint, more int) RETURNS uuid LANGUAGE sql IMMUTABLE
    AS $$ SELECT md5(kind || n::text || '-' || more::text)::uuid $$;
CREATE OR REPLACE FUNCTION pg_temp.pick(n bigint, seed bigint, below int) RETURNS int LANGUAGE sql IMMUTABLE
    AS $$ SELECT mod(hashint8extended(n, seed) & 2147483647, below)::int $$;
CREATE OR REPLACE FUNCTION pg_temp.syllable(n int) RETURNS text LANGUAGE sql IMMUTABLE
    AS $$ SELECT substr('bdfgklmnprstvz', 1 + mod(n, 14), 1) || substr('aeiou', 1 + mod(n / 14, 5), 1) $$;
CREATE OR REPLACE FUNCTION pg_temp.word(n int) RETURNS text LANGUAGE sql IMMUTABLE
    AS $$ SELECT pg_temp.syllable(n) || pg_temp.syllable(n / 70) || pg_temp.syllable(n / 4900 + n) $$;
"""


def fixed_id(kind: str, number: int) -> uuid.UUID:
    """The id of a site or a user: always the same one."""
    return uuid.uuid5(_NAMESPACE, f"{kind} {number}")


@contextmanager
def loading() -> Iterator[CursorWrapper]:
    """A transaction with the functions ``row_id``, ``pick`` (a number below a limit) and ``word``.

    It does not check foreign keys, which needs a superuser of the database, and makes the indexes again at the end,
    which takes half the time of keeping them.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # indexes wait for no check
        for setting in _SETTINGS:
            cursor.execute(f"SET LOCAL {setting}")
        cursor.execute(_FUNCTIONS)
        cursor.execute(_INDEXES)
        indexes = cursor.fetchall()
        for name, _definition in indexes:
            cursor.execute(f"DROP INDEX {name}")
        yield cursor
        for _name, definition in indexes:
            cursor.execute(definition)


def insert(cursor: CursorWrapper, table: type[models.Model], source: str, /, **expressions: str) -> None:
    """Add a row for each one of ``source``. Columns without an expression have the default of their field.

    Raises ValueError for an expression of a column that the table does not have.
    """
    columns, selected, defaults = [], [], []
    for field in table._meta.concrete_fields:
        if field.primary_key and field.column not in expressions and field.default is NOT_PROVIDED:
            continue  # a serial number
        columns.append(f'"{field.column}"')
        expression = expressions.pop(str(field.column), None)
        selected.append("%s" if expression is None else expression)
        if expression is None:
            defaults.append(field.get_db_prep_save(field.get_default(), connection))
    if expressions:
        raise ValueError(f"{table.__name__} has no column {', '.join(expressions)}")
    into = f'INSERT INTO "{table._meta.db_table}" ({", ".join(columns)})'
    cursor.execute(f"{into} SELECT {', '.join(selected)} FROM {source}", defaults)  # noqa: S608 (names of columns)
