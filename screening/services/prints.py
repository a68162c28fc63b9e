"""Prints: a browser reports that it prints a page."""

from django.http import Http404
from django.urls import Resolver404, resolve

from screening.models import AuditEvent, User
from screening.request_facts import current_facts
from screening.selectors.addressed_records import addressed_record, is_at_site_of, site_of_addressed
from screening.services.audit import record_event

_APPS = ("screening", "admin")


def record_print(*, path: str, by: User) -> AuditEvent:
    """Record that ``by`` prints the page at ``path``. Raises Http404 for no page, or one of another site's record."""
    try:
        match = resolve(path)
    except Resolver404:
        raise Http404 from None
    name, record_id = addressed_record(match.kwargs)
    is_panel = match.app_name == "admin"
    if match.app_name not in _APPS or (is_panel and not by.is_superuser) or not is_at_site_of(by, name, record_id):
        raise Http404
    facts = current_facts()
    if is_panel and facts is not None:
        facts.is_panel, facts.purpose = True, AuditEvent.Purpose.OPERATIONS.value
    data: dict[str, str | float | bool | None] = {"route": match.view_name}
    if name:
        data["record"] = record_id
    site = site_of_addressed(name, record_id)
    return record_event(verb=AuditEvent.Verb.PAGE_PRINTED, subject=None, site=site, data=data, by=by)
