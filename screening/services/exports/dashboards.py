"""Columns of the tables of the dashboard: a proportion or an estimate has a column for each of its numbers."""

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from screening.models import Site, User
from screening.policy.daily_counts import Period
from screening.policy.dashboard_tables import Cell, Estimate, Table
from screening.policy.proportions import Proportion
from screening.services.exports.columns import ListColumns
from screening.services.exports.files import ExportFile, export_rows
from screening.spreadsheets.cells import Value
from screening.spreadsheets.writing import FileFormat


class TableColumns(ListColumns):
    """The columns of a table."""

    def __init__(self, table: Table) -> None:
        super().__init__()
        self.table = table
        self.kinds = [_kind([row[index] for row in table.rows]) for index in range(len(table.head))]

    def head(self) -> list[str]:
        """The names of the columns; those of a proportion or an estimate follow its name."""
        return [name for title, kind in zip(self.table.head, self.kinds, strict=True) for name in _names(title, kind)]

    def rows(self, found: Any, chunk_size: int) -> Iterator[list[Value]]:
        """The cells of each row."""
        for row in self.table.rows:
            yield [value for cell, kind in zip(row, self.kinds, strict=True) for value in _values(cell, kind)]


class _Rows:
    """The rows of a table, with their number as a query has it."""

    def __init__(self, table: Table) -> None:
        self.table = table

    def count(self) -> int:
        return len(self.table.rows)


def export_table(*, table: Table, site: Site | None, period: Period, file_format: FileFormat, by: User) -> ExportFile:
    """A table of the page. ``site`` is None for several. Raises ExportRefused. NB: the caller has checked access."""
    return export_rows(
        code=f"dashboard-{table.code}",
        columns=TableColumns(table),
        rows=_Rows(table),
        file_format=file_format,
        site=site,
        filters={"from": period.from_on, "to": period.to_on},
        by=by,
    )


def _kind(cells: list[Cell]) -> type:
    """Proportion or Estimate if the column has one, else str."""
    return next((type(cell) for cell in cells if isinstance(cell, Proportion | Estimate)), str)


def _names(title: str, kind: type) -> list[str]:
    limits = [
        _("%(what)s, lower limit (95 %%)") % {"what": title},
        _("%(what)s, upper limit (95 %%)") % {"what": title},
    ]
    if kind is Proportion:
        return [_("%(what)s, number") % {"what": title}, _("%(what)s, of") % {"what": title}, title, *limits]
    return [title, *limits] if kind is Estimate else [title]


def _values(cell: Cell, kind: type) -> list[Value]:
    if isinstance(cell, Proportion):
        return [cell.n_positive, cell.n, cell.value, *(cell.interval or (None, None))]
    if isinstance(cell, Estimate):
        return [cell.value, *(cell.interval or (None, None))]
    n_more = {Proportion: 4, Estimate: 2}.get(kind, 0)
    return [cell, *[None] * n_more]
