"""Users, sites and memberships."""

from typing import Any, cast

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from screening.admin.base import BaseAdmin
from screening.admin.changed_fields import ChangedFieldsForm
from screening.admin.columns import moment_column
from screening.labels.visit_facts import REQUIRABLE_FACTS
from screening.models import Membership, Programme, Site, User
from screening.models.message_settings import MESSAGE_FIELDS
from screening.services.exam_locks import release_exams_of
from screening.services.exports.panel import MembershipColumns, SiteColumns, UserColumns
from screening.services.site_settings import record_panel_change
from screening.services.staff import record_added_membership, remove_memberships

admin.site.unregister(Group)  # roles come from memberships (access.py)


@admin.register(User)
class UserAdmin(BaseAdmin[User], DjangoUserAdmin):  # type: ignore[type-arg]  # not generic at run time
    """Users. A user who leaves is made inactive, not deleted."""

    export_columns = UserColumns
    list_display = ["username", "first_name", "last_name", "is_active", "is_superuser", "last_login"]
    list_filter = ["is_active", "is_superuser", "memberships__site", "memberships__role"]
    search_fields = ["username__istartswith", "first_name__istartswith", "last_name__istartswith"]
    search_help_text = _("User name, first or last name.")
    ordering = ["username"]
    filter_horizontal = []
    fieldsets = [
        (None, {"fields": ["username", "password"]}),
        (_("Personal details"), {"fields": ["first_name", "last_name", "email"]}),
        (_("Log-in"), {"fields": ["is_active", "must_change_password"]}),
        (_("Access to this administration panel (tick both)"), {"fields": ["is_staff", "is_superuser"]}),
        (_("Dates"), {"fields": ["last_login", "date_joined"]}),
    ]
    add_fieldsets = [
        (None, {"fields": ["username", "usable_password", "password1", "password2", "must_change_password"]}),
    ]
    readonly_fields = ["last_login", "date_joined"]

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """A person whose account is closed holds no exam."""
        super().save_model(request, obj, form, change)
        if change and not obj.is_active:
            release_exams_of(person=obj, by=cast("User", request.user))

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """The new user must change the password, which the creator of the account knows."""
        return {**super().get_changeform_initial_data(request), "must_change_password": True}


class SiteForm(ChangedFieldsForm):
    """A site; the required facts are chosen from a list."""

    required_facts = forms.MultipleChoiceField(
        label=_("Facts required of a visit"),
        choices=list(REQUIRABLE_FACTS.items()),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Without one of them an exam is submitted only after a confirmation."),
    )


@admin.register(Site)
class SiteAdmin(BaseAdmin[Site]):
    """Sites. A site that closes is made inactive, not deleted."""

    export_columns = SiteColumns
    list_select_related = ["programme"]
    list_display = ["name", "code", "timezone", "reading_mode", "scale", "model", "is_active"]
    list_filter = ["is_active", "reading_mode", "model"]
    search_fields = ["name__icontains", "code__istartswith"]
    search_help_text = _("Name or code.")
    prepopulated_fields = {"code": ["name"]}
    form = SiteForm

    def get_fields(self, request: HttpRequest, obj: Site | None = None) -> Any:
        """The settings of messages come last."""
        names = list(super().get_fields(request, obj))
        return [name for name in names if name not in MESSAGE_FIELDS] + list(MESSAGE_FIELDS)

    def save_model(self, request: HttpRequest, obj: Site, form: Any, change: bool) -> None:
        """The history of the settings has the change too."""
        before = Site.objects.get(pk=obj.pk) if change else None
        super().save_model(request, obj, form, change)
        if before is not None:
            record_panel_change(before=before, after=obj, by=cast("User", request.user))


@admin.register(Programme)
class ProgrammeAdmin(BaseAdmin[Programme]):
    """Programmes. Each site names its programme."""

    list_display = ["name", "created_at"]
    list_filter = ["sites__is_active"]
    search_fields = ["name__icontains"]
    search_help_text = _("Name.")


@admin.register(Membership)
class MembershipAdmin(BaseAdmin[Membership]):
    """Roles of users at sites. The only records that can be deleted here, with an audit event."""

    export_columns = MembershipColumns
    list_display = ["user", "site", "role", moment_column(Membership, "created_at")]
    list_filter = ["site", "role"]
    list_select_related = ["user", "site"]
    search_fields = ["user__username__istartswith", "user__last_name__istartswith", "site__name__icontains"]
    search_help_text = _("User name, last name or site.")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return admin.ModelAdmin.has_delete_permission(self, request, obj)

    def save_model(self, request: HttpRequest, obj: Membership, form: Any, change: bool) -> None:
        """The history of the site's staff has the change too."""
        super().save_model(request, obj, form, change)
        record_added_membership(membership=obj, by=cast("User", request.user))

    def delete_model(self, request: HttpRequest, obj: Membership) -> None:
        """The history of the site's staff has the change too."""
        remove_memberships(memberships=[obj], by=cast("User", request.user))

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        """The history of the site's staff has the changes too."""
        remove_memberships(memberships=list(queryset), by=cast("User", request.user))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A role is added or removed, not changed, so that the audit trail has the dates."""
        return False
