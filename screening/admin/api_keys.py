"""API keys: issuing, revoking."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from screening.admin.base import BaseAdmin
from screening.models import ApiKey, User
from screening.services.api_keys import issue_key, revoke_key
from screening.services.exports.panel import ApiKeyColumns

_NEW_FIELDS = ["user", "name", "expires_at"]
_FIELDS = ["user", "name", "prefix", "created_at", "last_used_at", "expires_at", "revoked_at"]


@admin.register(ApiKey)
class ApiKeyAdmin(BaseAdmin[ApiKey]):
    """A key is issued and revoked, not changed or deleted."""

    export_columns = ApiKeyColumns
    list_display = ["name", "user", "prefix", "created_at", "last_used_at", "expires_at", "revoked_at"]
    list_filter = [("revoked_at", admin.EmptyFieldListFilter), "expires_at", "last_used_at"]
    list_select_related = ["user"]
    search_fields = ["name__icontains", "prefix__istartswith", "user__username__istartswith"]
    search_help_text = _("Name, first characters of the key, or user name.")
    actions = ["revoke"]

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> Any:
        return _NEW_FIELDS if obj is None else _FIELDS

    def get_readonly_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> Any:
        return [] if obj is None else _FIELDS

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: Any) -> None:
        """Issue the key. ``response_add`` renders its text."""
        if change:
            return
        by = request.user if isinstance(request.user, User) else None
        issued, text = issue_key(user=obj.user, name=obj.name, expires_at=obj.expires_at, by=by)
        obj.__dict__.update(issued.__dict__, text_shown_once=text)

    def response_add(self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None) -> HttpResponse:
        """Show the key once. NB: a message would store it in a cookie or the session."""
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("API key issued"),
            "key": obj,
            "key_text": vars(obj).pop("text_shown_once"),
        }
        return TemplateResponse(request, "admin/screening/apikey/issued.html", context)

    @admin.action(description=_("Revoke the selected keys"), permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        """Revoke the selected keys."""
        if not isinstance(request.user, User):
            return
        for key in queryset:
            revoke_key(key=key, by=request.user)
        n_keys = len(queryset)
        message = ngettext("%(n)d key is revoked.", "%(n)d keys are revoked.", n_keys) % {"n": n_keys}
        self.message_user(request, message, messages.SUCCESS)
