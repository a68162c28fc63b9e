"""Audit events, read-only."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from screening.admin.base import ReadOnlyAdmin
from screening.models import AuditEvent


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin[AuditEvent]):
    """Who did what, newest first."""

    list_display = ["at", "actor", "verb", "object_type", "object_id", "site", "role", "address", "data"]
    list_filter = ["verb", "object_type", "purpose", "site", "at"]
    list_select_related = ["actor", "site"]
    search_fields = ["object_id__istartswith", "actor__username__istartswith"]
    search_help_text = _("The first characters of a record's id, or a user name.")
    date_hierarchy = "at"
