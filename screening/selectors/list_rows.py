"""Parts of long lists: counts up to a limit, rows of a page, and the rows after one.

The time of none of them depends on the length of the list, if an index has its order.
"""

import uuid
from typing import Any, TypeVar

from django.db.models import F, Model, OrderBy, Q, QuerySet
from django.db.models.sql.where import WhereNode

M = TypeVar("M", bound=Model)

MAX_COUNTED = 1000
"""A list with more rows has "more than" so many: counting all of them takes longer than showing a page."""


def count_up_to_limit(rows: QuerySet[Any, Any]) -> int:
    """Number of rows, at most ``MAX_COUNTED + 1``."""
    return rows.order_by().values("pk")[: MAX_COUNTED + 1].count()


def load_rows(rows: QuerySet[M], start: int, stop: int) -> list[M]:
    """The rows from ``start`` to ``stop``; two queries and the prefetched ones.

    The first finds the ids alone. NB: in one query, PostgreSQL may compute what is shown of each row by reading whole
    tables, because it does not expect that a limit ends it.
    """
    return rows_of_ids(rows, list(rows.prefetch_related(None).values_list("pk", flat=True)[start:stop]))


def rows_of_ids(rows: QuerySet[M], ids: list[Any]) -> list[M]:
    """The rows of these ids, in their order. Those that were deleted meanwhile are missing.

    NB: the filters of ``rows`` have found the ids, and are not asked again, which would take as long as finding them.
    """
    shown = rows.order_by()
    shown.query.where = WhereNode()
    found = shown.in_bulk(ids)
    return [found[pk] for pk in ids if pk in found]


def rows_after(rows: QuerySet[M], row_id: uuid.UUID) -> QuerySet[M]:
    """The rows after the one of an id, which may have left the list meanwhile; none for an unknown id.

    NB: of an order that may be null, only one with ``nulls_last`` is right.
    """
    keys = [_order_by(one) for one in rows.query.order_by]
    names = [f"order_{number}" for number, _key in enumerate(keys)]
    expressions = {name: key.expression for name, key in zip(names, keys, strict=True)}
    values = QuerySet(rows.model).filter(pk=row_id).annotate(**expressions).values_list(*names).first()
    if values is None:
        return rows.none()
    is_after, is_equal = Q(pk__in=()), Q()
    for name, key, value in zip(names, keys, values, strict=True):
        is_after |= is_equal & _is_beyond(name, key, value)
        is_equal &= Q(**{f"{name}__isnull": True}) if value is None else Q(**{name: value})
    ordered: QuerySet[M] = rows.alias(**expressions)
    return ordered.filter(_is_from(names[0], keys[0], values[0]), is_after)


def _order_by(key: Any) -> OrderBy:
    if isinstance(key, OrderBy):
        return key
    if isinstance(key, str):
        return OrderBy(F(key.removeprefix("-")), descending=key.startswith("-"))
    return OrderBy(key)


def _is_beyond(name: str, key: OrderBy, value: Any) -> Q:
    """Rows whose value comes after ``value``."""
    if value is None:
        return Q(pk__in=())
    beyond = Q(**{f"{name}__{'lt' if key.descending else 'gt'}": value})
    return beyond | Q(**{f"{name}__isnull": True}) if key.nulls_last else beyond


def _is_from(name: str, key: OrderBy, value: Any) -> Q:
    """Rows whose first value is ``value`` or comes after it: implied, but an index can use it."""
    if value is None:
        return Q(**{f"{name}__isnull": True})
    return (
        Q(**{name: value}) | _is_beyond(name, key, value)
        if key.nulls_last
        else Q(**{f"{name}__{'lte' if key.descending else 'gte'}": value})
    )
