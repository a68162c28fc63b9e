"""Statements that copy staged rows to other tables within the database: no row passes through this process."""

from collections.abc import Mapping
from typing import Any

from django.db import connection
from django.db.models import F, Field, Model, QuerySet, Value


def insert_from(model: type[Model], rows: QuerySet[Any], values: Mapping[str, Any]) -> int:
    """Insert a row of ``model`` for each of ``rows``, and return how many.

    ``values`` has an expression or a constant for each field that is not its default.
    """
    fields = [field for field in model._meta.concrete_fields if field.name in values or not _is_counted(field)]
    expressions = {f"to_{field.name}": _expression(field, values) for field in fields}
    selected = rows.order_by().annotate(**expressions).values_list(*expressions)
    sql, parameters = selected.query.sql_with_params()
    quote = connection.ops.quote_name
    columns = ", ".join(quote(str(field.column)) for field in fields)
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {quote(model._meta.db_table)} ({columns}) {sql}", parameters)
        return int(cursor.rowcount)


def update_from(model: type[Model], rows: QuerySet[Any], fields: tuple[str, ...], *, key: str) -> int:
    """Set ``fields`` of the rows of ``model`` whose id is ``key`` of one of ``rows``, and return how many."""
    quote = connection.ops.quote_name
    sql, parameters = rows.order_by().values_list(key, *fields).query.sql_with_params()
    columns = ", ".join(f"{quote(name)} = staged.{quote(name)}" for name in fields)
    table = quote(model._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} SET {columns} FROM ({sql}) AS staged WHERE {table}.id = staged.{quote(key)}",  # noqa: S608
            parameters,
        )
        return int(cursor.rowcount)


def _is_counted(field: "Field[Any, Any]") -> bool:
    """Whether the database makes the value."""
    return field.get_internal_type() in {"AutoField", "BigAutoField"}


def _expression(field: "Field[Any, Any]", values: Mapping[str, Any]) -> Any:
    value = values[field.name] if field.name in values else field.get_default()
    if isinstance(value, F) or hasattr(value, "resolve_expression"):
        return value
    if isinstance(value, Model):
        value = value.pk
    target: Any = field.target_field if field.is_relation else field  # type: ignore[attr-defined]  # of a foreign key
    return Value(value, output_field=target)
