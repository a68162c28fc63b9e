"""Users, sites and who works where, in the admin panel."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from screening.admin.base import BaseAdmin
from screening.models import Membership, Site, User

admin.site.unregister(Group)  # rights come from memberships alone (access.py)


@admin.register(User)
class PersonAdmin(BaseAdmin[User], UserAdmin):  # type: ignore[type-arg]
    """People who log in. Whoever leaves is made inactive: what they did stays theirs."""

    list_display = ["username", "first_name", "last_name", "is_active", "is_superuser", "last_login"]
    list_filter = ["is_active", "is_superuser", "memberships__site", "memberships__role"]
    search_fields = ["username__istartswith", "first_name__istartswith", "last_name__istartswith"]
    search_help_text = _("User name, first or last name.")
    ordering = ["username"]
    filter_horizontal = []
    fieldsets = [
        (None, {"fields": ["username", "password"]}),
        (_("Person"), {"fields": ["first_name", "last_name", "email"]}),
        (_("May log in"), {"fields": ["is_active", "must_change_password"]}),
        (_("May use this panel (tick both)"), {"fields": ["is_staff", "is_superuser"]}),
        (_("Times"), {"fields": ["last_login", "date_joined"]}),
    ]
    add_fieldsets = [
        (None, {"fields": ["username", "usable_password", "password1", "password2", "must_change_password"]}),
    ]
    readonly_fields = ["last_login", "date_joined"]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Whoever makes an account knows its first password."""
        return {**super().get_changeform_initial_data(request), "must_change_password": True}


@admin.register(Site)
class SiteAdmin(BaseAdmin[Site]):
    """Clinics. A site that closes is made inactive: its rows stay."""

    list_display = ["name", "code", "timezone", "reading_mode", "is_active"]
    list_filter = ["is_active", "reading_mode"]
    search_fields = ["name__icontains", "code__istartswith"]
    search_help_text = _("Name or code.")
    prepopulated_fields = {"code": ["name"]}


@admin.register(Membership)
class MembershipAdmin(BaseAdmin[Membership]):
    """Who may do what where. Taking a role away is the one deletion of this panel; the trail keeps it."""

    list_display = ["user", "site", "role", "created_at"]
    list_filter = ["site", "role"]
    list_select_related = ["user", "site"]
    search_fields = ["user__username__istartswith", "user__last_name__istartswith", "site__name__icontains"]
    search_help_text = _("User name, last name or site.")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return admin.ModelAdmin.has_delete_permission(self, request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A role is given or taken away, so that the trail shows when."""
        return False
