"""Audit events, read-only."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from screening.admin.base import AllValuesFilter, PostSearchChangeList, ReadOnlyAdmin, user_of
from screening.admin.columns import moment_column
from screening.models import AuditEvent, Referral, Review
from screening.selectors.audit_lines import lines_of_events
from screening.selectors.drafts import is_late_reader
from screening.selectors.gradings import unread_by


class AuditChangeList(PostSearchChangeList):
    """A page of events, each with its line as on the audit page of a site."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = list(self.result_list)
        _add_lines(self.result_list, request)


def _add_lines(events: list[AuditEvent], request: HttpRequest) -> None:
    user = user_of(request)
    lines = [] if user is None else lines_of_events(events, user=user)
    for event, line in zip(events, lines, strict=user is not None):
        vars(event)["line"] = line


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin[AuditEvent]):
    """Who did what, newest first."""

    list_display = [moment_column(AuditEvent, "at"), "sentence", "details", "object", "site", "roles"]
    list_display_links = ["sentence"]
    readonly_fields = ["sentence", "details"]
    list_filter = ["verb", ("object_type", AllValuesFilter), "purpose", "site", "at"]
    list_select_related = ["actor", "site"]
    search_fields = ["object_id__istartswith", "actor__username__istartswith"]
    search_help_text = _("The first characters of a record's id, or a user name.")
    date_hierarchy = "at"

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[AuditChangeList]:
        return AuditChangeList

    def get_fields(self, request: HttpRequest, obj: AuditEvent | None = None) -> Any:
        """The sentence first; the stored codes after it."""
        names = super().get_fields(request, obj)
        return [*self.readonly_fields, *(name for name in names if name not in self.readonly_fields)]

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> AuditEvent | None:
        """The event, with its line."""
        event = super().get_object(request, object_id, from_field)
        if event is not None:
            _add_lines([event], request)
        return event

    @admin.display(description=_("what happened"), ordering="verb")
    def sentence(self, obj: AuditEvent) -> str:
        return str(vars(obj)["line"].sentence)

    @admin.display(description=_("details"))
    def details(self, obj: AuditEvent) -> str:
        return vars(obj)["line"].details or "–"

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
