"""Audit events, read-only."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from screening.admin.base import AllValuesFilter, ReadOnlyAdmin, user_of
from screening.admin.columns import moment_column
from screening.models import AuditEvent, Referral, Review
from screening.selectors.drafts import is_late_reader
from screening.selectors.gradings import unread_by


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin[AuditEvent]):
    """Who did what, newest first."""

    list_display = [moment_column(AuditEvent, "at"), "actor", "verb", "object", "site", "roles", "data"]
    list_filter = ["verb", ("object_type", AllValuesFilter), "purpose", "site", "at"]
    list_select_related = ["actor", "site"]
    search_fields = ["object_id__istartswith", "actor__username__istartswith"]
    search_help_text = _("The first characters of a record's id, or a user name.")
    date_hierarchy = "at"

    @admin.display(description=_("object"), ordering="object_type")
    def object(self, obj: AuditEvent) -> str | None:
        """The type of the record and the first characters of its id."""
        return f"{obj.object_type} {obj.object_id[:8]}".strip() or None

    @admin.display(description=_("role"), ordering="role")
    def roles(self, obj: AuditEvent) -> str | None:
        return obj.role.replace(",", ", ") or None

    def get_queryset(self, request: HttpRequest) -> QuerySet[AuditEvent]:
        """Without outcomes and referrals that are hidden from a superuser who reads.

        Those that a colleague signed while the superuser was reading the exam, and earlier ones of an exam that the
        superuser reads again.
        """
        rows, user = super().get_queryset(request), user_of(request)
        if user is None:
            return rows.none()
        models: tuple[Any, ...] = (Review, Referral)
        for model in models:
            again = unread_by(model.objects.filter(exam__reading_round__gt=0), user, exam="exam").order_by()
            hidden = Q(is_late_reader(user, exam="exam")) | Q(pk__in=again.values("pk"))
            unread = model.objects.filter(hidden).values_list("pk", flat=True)
            rows = rows.exclude(object_type=model._meta.model_name, object_id__in=[str(pk) for pk in unread])
        return rows
