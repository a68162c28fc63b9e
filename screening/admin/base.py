"""Base classes of the admin panel.

A search is sent by POST and stored in the session. Django's search (``?q=``) would put names of patients into URLs,
and so into browser histories and access logs.
"""

from collections.abc import Iterator
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, cast

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import PAGE_VAR, SEARCH_VAR, ChangeList
from django.contrib.admin.widgets import AdminSplitDateTime
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import SimpleTemplateResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from screening.access import without_hidden_people
from screening.admin.columns import record_text
from screening.models import AuditEvent, Site, User
from screening.services.audit import record_event
from screening.services.exports.columns import ListColumns
from screening.services.exports.files import export_rows
from screening.site_paths import SITE_PATHS, site_of
from screening.spreadsheets.writing import FileFormat
from screening.views.exports import file_response

M = TypeVar("M", bound=Model)
if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin
else:

    class _ModelAdmin(admin.ModelAdmin, Generic[M]):
        """ModelAdmin, generic at run time too."""


_SESSION_KEY = "admin_search"
_SEARCH_FIELD = "search"
_EXPORT_FIELD = "export"
_CHANNEL = {"channel": "admin"}
_MAX_SEARCH_CHARS = 100


class AllValuesFilter(admin.AllValuesFieldListFilter):
    """Filter by the values that occur, with a name for the empty one: its link would have no text."""

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        for choice in super().choices(changelist):
            yield {**choice, "display": choice["display"] or str(_("None"))}


class PostSearchChangeList(ChangeList):
    """A change list filtered by the search in the session."""

    def get_queryset(self, request: HttpRequest, exclude_parameters: list[str | None] | None = None) -> QuerySet[Any]:
        self.query = request.session.get(_SESSION_KEY, {}).get(self.opts.label_lower, "")
        return super().get_queryset(request, exclude_parameters)


class BaseAdmin(_ModelAdmin[M]):
    """Base of all admin classes: search by POST, no deletion, an audit event for each change.

    ``viewed_verb`` and ``searched_verb`` record views of a record and of the list, if set. ``export_columns`` are those
    of the list as a CSV file, if it can be exported.
    """

    list_per_page = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    viewed_verb: ClassVar[AuditEvent.Verb | None] = None
    searched_verb: ClassVar[AuditEvent.Verb | None] = None
    export_columns: ClassVar[type[ListColumns] | None] = None

    def has_delete_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return False

    def formfield_for_dbfield(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        """The field of a form; date and time of a moment have a label each."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and isinstance(field.widget, AdminSplitDateTime):
            for widget, name in zip(field.widget.widgets, (str(_("date")), str(_("time"))), strict=True):
                widget.attrs["aria-label"] = f"{field.label}: {name}"
        return field

    def get_queryset(self, request: HttpRequest) -> QuerySet[M]:
        """Without people of sites that hide them from this superuser, who reads there as an outside reader."""
        return without_hidden_people(super().get_queryset(request), user_of(request))

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return PostSearchChangeList

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if request.method == "POST" and _SEARCH_FIELD in request.POST and self.has_view_permission(request):
            return self._store_search(request)
        if SEARCH_VAR in request.GET:
            return _redirect_without_search(request)
        if request.method == "POST" and _EXPORT_FIELD in request.POST and self.has_view_permission(request):
            return cast("HttpResponse", self._export(request))
        site = _filtered_site(request)
        with timezone.override(site.zone) if site else nullcontext():
            context = {
                **(extra_context or {}),
                "can_export": self.export_columns is not None,
                "zone_of_days": timezone.get_current_timezone_name() if self._has_days() else "",
                "site_of_days": site,
            }
            response = super().changelist_view(request, context)
            if isinstance(response, SimpleTemplateResponse):
                response.render()
        if request.method == "GET" and self.has_view_permission(request):
            self._record_search(request)
        return response

    def _has_days(self) -> bool:
        """Whether a filter of the list is of a moment, whose day depends on the time zone."""
        names = [*(name for name in self.list_filter if isinstance(name, str)), self.date_hierarchy or ""]
        return any(name.endswith("_at") or name == "at" for name in names)

    def _store_search(self, request: HttpRequest) -> HttpResponse:
        text = request.POST[_SEARCH_FIELD].replace("\x00", "").strip()  # PostgreSQL refuses NUL
        searches = {**request.session.get(_SESSION_KEY, {}), self.opts.label_lower: text[:_MAX_SEARCH_CHARS]}
        request.session[_SESSION_KEY] = searches
        self._record_search(request)
        return _redirect_without_search(request)

    def _record_search(self, request: HttpRequest) -> None:
        if self.searched_verb is not None:
            record_event(verb=self.searched_verb, subject=None, site=None, data=_CHANNEL, by=user_of(request))

    def _export(self, request: HttpRequest) -> HttpResponseBase:
        """The list in view, with its filters and search, as a CSV file."""
        user = user_of(request)
        if self.export_columns is None or user is None:
            return _redirect_without_search(request)
        try:
            found: Any = self.get_changelist_instance(request)
        except IncorrectLookupParameters:
            return HttpResponseRedirect(request.path)
        names = {name for one in found.filter_specs for name in one.expected_parameters()}
        file = export_rows(
            code=f"panel-{self.opts.model_name}",
            columns=self.export_columns(),
            rows=found.queryset,
            file_format=FileFormat.CSV,
            site=None,
            filters={name: request.GET.get(name) for name in sorted(filter(None, names))},
            is_search=bool(found.query),
            by=user,
        )
        return file_response(file)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The page of a record, with moments in the time zone of its site."""
        obj = self.get_object(request, object_id)
        site = _site_of(obj)
        context = {**(extra_context or {}), **({"subtitle": record_text(obj)} if obj else {})}
        with timezone.override(site.zone) if site else nullcontext():
            response = super().change_view(request, object_id, form_url, context)
            if isinstance(response, SimpleTemplateResponse):
                response.render()
        if self.viewed_verb is not None and request.method == "GET" and obj is not None:
            self._record(request, self.viewed_verb, obj)
        return response

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The history of a record under what a person calls it."""
        obj = self.get_object(request, object_id)
        if obj is not None:
            names = {"title": self.opts.verbose_name, "subtitle": record_text(obj)}
            extra_context = {**(extra_context or {}), **names}
        return super().history_view(request, object_id, extra_context)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self._record(request, AuditEvent.Verb.ROW_ADDED, obj)
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self._record(request, AuditEvent.Verb.ROW_CHANGED, obj)
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        for obj in queryset:
            self._record(request, AuditEvent.Verb.ROW_REMOVED, obj)
        return super().log_deletions(request, queryset)

    def _record(self, request: HttpRequest, verb: AuditEvent.Verb, obj: Model) -> None:
        record_event(verb=verb, subject=obj, site=_site_of(obj), by=user_of(request))


class ReadOnlyAdmin(BaseAdmin[M]):
    """Base of read-only admin classes, for records that only services write."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return False


def _redirect_without_search(request: HttpRequest) -> HttpResponse:
    """Redirect to the list with its filters and order, without search and page."""
    query = request.GET.copy()
    for name in (SEARCH_VAR, PAGE_VAR):
        query.pop(name, None)
    return HttpResponseRedirect(f"{request.path}?{query.urlencode()}" if query else request.path)


def user_of(request: HttpRequest) -> User | None:
    """The superuser who is logged in."""
    return request.user if isinstance(request.user, User) else None


def _filtered_site(request: HttpRequest) -> Site | None:
    """The only site of the rows, if the list is filtered by one: its days are those of the filters by date."""
    ids: list[Any] = [value for name, value in request.GET.items() if name.endswith("site__id__exact")]
    try:
        return Site.objects.filter(pk=ids[0]).first() if ids else None
    except ValidationError:  # Django's list answers it
        return None


def _site_of(obj: Model | None) -> Site | None:
    return None if obj is None or type(obj) not in SITE_PATHS else site_of(obj)
