"""Audit events, read-only."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from screening.admin.base import ReadOnlyAdmin, user_of
from screening.models import AuditEvent, Review
from screening.selectors.drafts import is_late_reader


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin[AuditEvent]):
    """Who did what, newest first."""

    list_display = ["at", "actor", "verb", "object_type", "object_id", "site", "role", "address", "data"]
    list_filter = ["verb", "object_type", "purpose", "site", "at"]
    list_select_related = ["actor", "site"]
    search_fields = ["object_id__istartswith", "actor__username__istartswith"]
    search_help_text = _("The first characters of a record's id, or a user name.")
    date_hierarchy = "at"

    def get_queryset(self, request: HttpRequest) -> QuerySet[AuditEvent]:
        """Without outcomes that a colleague signed while the superuser was reading the exam."""
        rows, user = super().get_queryset(request), user_of(request)
        if user is None:
            return rows.none()
        unread = Review.objects.filter(is_late_reader(user, exam="exam")).values_list("pk", flat=True)
        return rows.exclude(object_type="review", object_id__in=[str(pk) for pk in unread])
