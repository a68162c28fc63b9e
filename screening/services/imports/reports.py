"""The report of an import: each row that is left out, what is wrong with it and what to do, as a file."""

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from screening.access import Action, require
from screening.labels.imports import ROW_LABELS
from screening.models import DataImport, User
from screening.policy.imports import RowAnswer, RowState
from screening.services.exports.columns import ListColumns
from screening.services.exports.files import ExportFile, export_rows
from screening.services.imports.kinds import staged_rows
from screening.spreadsheets.cells import Value
from screening.spreadsheets.writing import FileFormat

_LEFT_OUT = (RowState.REFUSED, RowState.QUESTION)


class ReportColumns(ListColumns):
    """One line for each problem. Nothing of a cell is in the texts."""

    def head(self) -> list[str]:
        return [_("Line"), _("Row"), _("Column"), _("What is wrong"), _("What to do")]

    def rows(self, found: Any, chunk_size: int) -> Iterator[list[Value]]:
        for row in found.iterator(chunk_size=chunk_size):
            for column, what, advice in row.problem_texts:
                yield [row.line, str(ROW_LABELS[RowState(row.state)]), column, what, advice]


def export_report(*, data_import: DataImport, file_format: FileFormat, by: User) -> ExportFile:
    """The rows that are refused or have an open question. Raises AccessDenied, ExportRefused."""
    require(by, Action.MANAGE_REGISTER, data_import.site)
    rows = staged_rows(data_import).filter(state__in=_LEFT_OUT).exclude(answer=RowAnswer.ACCEPT).order_by("line")
    return export_rows(
        code="import-report",
        columns=ReportColumns(),
        rows=rows,
        file_format=file_format,
        site=data_import.site,
        filters={"import": data_import.pk},
        by=by,
    )
