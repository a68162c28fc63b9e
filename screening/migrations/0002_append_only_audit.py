"""Triggers that make audit events and first readings append-only.

They refuse UPDATE and DELETE, and TRUNCATE on PostgreSQL (SQLite has none), for every database user.
"""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

TABLES = ("screening_auditevent", "screening_firstreading")

_POSTGRESQL_FUNCTION = """
CREATE OR REPLACE FUNCTION screening_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$
"""


def create_triggers(_apps: StateApps | None, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Create the triggers. Raises NotImplementedError for a database other than PostgreSQL and SQLite."""
    vendor = schema_editor.connection.vendor
    if vendor == "postgresql":
        schema_editor.execute(_POSTGRESQL_FUNCTION, None)  # None: the per cent sign is plpgsql's
        for table in TABLES:
            schema_editor.execute(
                f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
                "FOR EACH ROW EXECUTE FUNCTION screening_refuse_change()"
            )
            schema_editor.execute(
                f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION screening_refuse_change()"
            )
    elif vendor == "sqlite":
        for table in TABLES:
            for verb in ("UPDATE", "DELETE"):
                schema_editor.execute(
                    f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                    f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
                )
    else:
        raise NotImplementedError(f"No append-only trigger is written for {vendor}; use PostgreSQL or SQLite.")


def drop_triggers(_apps: StateApps | None, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Drop the triggers."""
    if schema_editor.connection.vendor == "postgresql":
        for table in TABLES:
            schema_editor.execute(f"DROP TRIGGER IF EXISTS {table}_append_only ON {table}")
            schema_editor.execute(f"DROP TRIGGER IF EXISTS {table}_no_truncate ON {table}")
        schema_editor.execute("DROP FUNCTION IF EXISTS screening_refuse_change()")
    else:
        for table in TABLES:
            for verb in ("update", "delete"):
                schema_editor.execute(f"DROP TRIGGER IF EXISTS {table}_no_{verb}")


class Migration(migrations.Migration):
    dependencies = [("screening", "0001_initial")]

    operations = [migrations.RunPython(create_triggers, drop_triggers)]
