"""Columns of the audit trail: who did what at a site, as sentences."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from django.utils.translation import gettext_lazy as _

from screening.models import Site, User
from screening.selectors.audit import AuditFilters, list_events
from screening.selectors.audit_lines import lines_of_events
from screening.services.exports.columns import ListColumns, column, day_of, moment_of
from screening.services.exports.files import ExportFile, export_rows
from screening.spreadsheets.cells import Value
from screening.spreadsheets.writing import FileFormat


class AuditColumns(ListColumns):
    """Lines of the audit page, with what identifies each event and its request."""

    id = column(_("Id"), "event__pk")
    at = column(_("At"), lambda one: moment_of(one.event.at, one.event.site))
    person = column(_("Who"), lambda one: one.event.actor or "")
    username = column(_("User name"), lambda one: one.event.actor.get_username() if one.event.actor else "")
    role = column(_("Role"), "event__role")
    sentence = column(_("What"), "sentence")
    details = column(_("Details"), "details")
    mrn = column(_("Medical record number"), lambda one: one.patient.mrn if one.patient else "")
    exam = column(_("Visit"), lambda one: day_of(one.exam.created_at, one.event.site) if one.exam else None)
    purpose = column(_("Purpose"), lambda one: one.event.get_purpose_display())
    address = column(_("IP address"), lambda one: one.event.address or "")
    code = column(_("Code"), "event__verb")
    record = column(_("Id of the record"), "event__object_id")

    def __init__(self, user: User) -> None:
        super().__init__()
        self.user = user

    def rows(self, found: Any, chunk_size: int) -> Iterator[list[Value]]:
        """The cells of each row; what the events are about is read once for a chunk."""
        events = found.iterator(chunk_size=chunk_size)
        while chunk := list(islice(events, chunk_size)):
            yield from self.cells(lines_of_events(chunk, user=self.user))


def export_audit(*, site: Site, filters: AuditFilters, file_format: FileFormat, by: User) -> ExportFile:
    """The events of the page of a site. Raises ExportRefused. NB: the caller has checked access."""
    rows = list_events(user=by, site=site, filters=filters).select_related("actor", "site")
    return export_rows(
        code="audit",
        columns=AuditColumns(by),
        rows=rows,
        file_format=file_format,
        site=site,
        filters={
            "person": filters.person.pk if filters.person else None,
            "patient": filters.patient.pk if filters.patient else None,
            "action": filters.group,
            "from": filters.from_on,
            "to": filters.to_on,
        },
        by=by,
    )
