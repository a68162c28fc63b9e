"""Exported files: bytes as a stream, with the audit event of who exported what."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils import timezone, translation
from django.utils.translation import ngettext

from screening.models import AuditEvent, Site, User
from screening.services.audit import record_event
from screening.services.exports.columns import ListColumns
from screening.spreadsheets.writing import MAX_XLSX_ROWS, FileFormat, write_table

CHUNK_ROWS = 1000


class ExportRefused(ValueError):
    """The list cannot be exported. The message is for the user."""


@dataclass(frozen=True, slots=True)
class ExportFile:
    """A file to send. ``name`` has nothing of a patient."""

    name: str
    content_type: str
    chunks: Iterator[bytes]


def export_rows(
    *,
    code: str,
    columns: ListColumns,
    rows: Any,
    file_format: FileFormat,
    site: Site | None,
    filters: Mapping[str, object],
    is_search: bool = False,
    by: User,
) -> ExportFile:
    """A file with the rows of a list. NB: the caller has checked access and restricted the rows.

    The audit event has the list, the filters that are set and the number of rows; never the search text.
    Raises ExportRefused for more rows than a sheet has.
    """
    n_rows = rows.count()
    if file_format is FileFormat.XLSX and n_rows > MAX_XLSX_ROWS:
        text = ngettext(
            "An XLSX sheet has at most %(n)d row. Export CSV, or choose filters.",
            "An XLSX sheet has at most %(n)d rows. Export CSV, or choose filters.",
            MAX_XLSX_ROWS,
        )
        raise ExportRefused(text % {"n": MAX_XLSX_ROWS})
    chosen = ",".join(f"{name}={value}" for name, value in filters.items() if value)
    data: dict[str, str | float | bool | None] = {
        "list": code,
        "format": file_format.value,
        "n_found": n_rows,
        "filters": chosen,
        "is_search": is_search,
    }
    record_event(verb=AuditEvent.Verb.LIST_EXPORTED, subject=site, site=site, data=data, by=by)
    day = timezone.localdate(timezone=site.zone) if site is not None else timezone.localdate()
    name = "-".join(filter(None, (code, site.code if site is not None else "", str(day))))
    chunks = _in_language(write_table(file_format, columns.head(), columns.rows(rows, CHUNK_ROWS)))
    return ExportFile(f"{name}.{file_format}", file_format.content_type, chunks)


def _in_language(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The chunks in the language of the request: they are made after the middleware has ended it."""
    language = translation.get_language()

    def made() -> Iterator[bytes]:
        with translation.override(language):
            yield from chunks

    return made()
