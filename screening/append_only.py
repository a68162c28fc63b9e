"""Triggers that make tables append-only, for migrations.

They refuse UPDATE and DELETE, and TRUNCATE on PostgreSQL (SQLite has none), for every database user. With ``when``,
a condition on the row as it is stored (``OLD``), UPDATE and DELETE of other rows are allowed.
"""

from dataclasses import dataclass

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps


@dataclass(frozen=True)
class AppendOnlyTriggers:
    """Triggers of some tables, and the PostgreSQL function that they call."""

    tables: tuple[str, ...]
    function: str
    when: str = ""

    def create(self, _apps: StateApps | None, schema_editor: BaseDatabaseSchemaEditor) -> None:
        """Create the triggers. Raises NotImplementedError for a database other than PostgreSQL and SQLite."""
        vendor = schema_editor.connection.vendor
        if vendor not in {"postgresql", "sqlite"}:
            raise NotImplementedError(f"No append-only trigger is written for {vendor}; use PostgreSQL or SQLite.")
        if vendor == "postgresql":
            schema_editor.execute(self._function_sql(), None)  # None: the per cent sign is plpgsql's
        for table in self.tables:
            for statement in self._postgresql(table) if vendor == "postgresql" else self._sqlite(table):
                schema_editor.execute(statement)

    def drop(self, _apps: StateApps | None, schema_editor: BaseDatabaseSchemaEditor) -> None:
        """Drop the triggers."""
        is_postgresql = schema_editor.connection.vendor == "postgresql"
        for table in self.tables:
            if is_postgresql:
                schema_editor.execute(f"DROP TRIGGER IF EXISTS {table}_append_only ON {table}")
                schema_editor.execute(f"DROP TRIGGER IF EXISTS {table}_no_truncate ON {table}")
            else:
                schema_editor.execute(f"DROP TRIGGER IF EXISTS {table}_no_update")
                schema_editor.execute(f"DROP TRIGGER IF EXISTS {table}_no_delete")
        if is_postgresql:
            schema_editor.execute(f"DROP FUNCTION IF EXISTS {self.function}()")

    def _function_sql(self) -> str:
        return f"""
CREATE OR REPLACE FUNCTION {self.function}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$
"""

    def _postgresql(self, table: str) -> tuple[str, ...]:
        call = f"EXECUTE FUNCTION {self.function}()"
        each = f"FOR EACH ROW WHEN ({self.when})" if self.when else "FOR EACH ROW"
        return (
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} {each} {call}",
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT {call}",
        )

    def _sqlite(self, table: str) -> tuple[str, ...]:
        when = f"WHEN {self.when} " if self.when else ""
        return tuple(
            f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} {when}"
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            for verb in ("UPDATE", "DELETE")
        )
