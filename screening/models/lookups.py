"""Lookups of queries."""

from typing import TYPE_CHECKING, Any

from django.db.models import CharField, Lookup

if TYPE_CHECKING:
    _Lookup = Lookup[Any]
else:
    _Lookup = Lookup
_LAST_CHAR = "\U0010ffff"


@CharField.register_lookup
class Prefix(_Lookup):
    """``prefix``: the text starts with a value, case-sensitive, with the same results and an index on all databases.

    On PostgreSQL the index needs the operator class ``varchar_pattern_ops``.
    NB: SQLite's LIKE, to which ``startswith`` compiles, ignores case and uses no index.
    """

    lookup_name = "prefix"

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[str | int, ...]]:
        """LIKE."""
        column, params = self.process_lhs(compiler, connection)
        return f"{column} LIKE %s", (*params, connection.ops.prep_for_like_query(self.rhs) + "%")

    def as_sqlite(self, compiler: Any, connection: Any) -> tuple[str, tuple[str | int, ...]]:
        """A range."""
        column, params = self.process_lhs(compiler, connection)
        return f"({column} >= %s AND {column} < %s)", (*params, str(self.rhs), *params, f"{self.rhs}{_LAST_CHAR}")
