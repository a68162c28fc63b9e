"""Base classes of the admin panel.

A search is sent by POST and stored in the session. Django's search (``?q=``) would put names of patients into URLs,
and so into browser histories and access logs.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from django.contrib import admin, messages
from django.contrib.admin.views.main import PAGE_VAR, SEARCH_VAR, ChangeList
from django.contrib.admin.widgets import AdminSplitDateTime
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext_lazy as _

from screening.access import without_hidden_people
from screening.models import AuditEvent, Site, User
from screening.selectors.gradings import unread_by
from screening.services.audit import record_event

M = TypeVar("M", bound=Model)
if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin
else:

    class _ModelAdmin(admin.ModelAdmin, Generic[M]):
        """ModelAdmin, generic at run time too."""


_SESSION_KEY = "admin_search"
_SEARCH_FIELD = "search"
_CHANNEL = {"channel": "admin"}
_MAX_SEARCH_CHARS = 100


@admin.display(description=_("id"), ordering="pk")
def short_id(obj: Model) -> str:
    """Column of a list: the first characters of the id, which are enough for a search."""
    return str(obj.pk)[:8]


@admin.display(description=_("exam"), ordering="exam")
def short_exam(obj: Any) -> str:
    """Column of a list: the first characters of the id of the exam."""
    return str(obj.exam_id)[:8]


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

    ``viewed_verb`` and ``searched_verb`` record views of a record and of the list, if set.
    """

    list_per_page = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    viewed_verb: ClassVar[AuditEvent.Verb | None] = None
    searched_verb: ClassVar[AuditEvent.Verb | None] = None

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
        response = super().changelist_view(request, extra_context)
        if request.method == "GET" and self.has_view_permission(request):
            self._record_search(request)
        return response

    def _store_search(self, request: HttpRequest) -> HttpResponse:
        text = request.POST[_SEARCH_FIELD].replace("\x00", "").strip()  # PostgreSQL refuses NUL
        searches = {**request.session.get(_SESSION_KEY, {}), self.opts.label_lower: text[:_MAX_SEARCH_CHARS]}
        request.session[_SESSION_KEY] = searches
        self._record_search(request)
        return _redirect_without_search(request)

    def _record_search(self, request: HttpRequest) -> None:
        if self.searched_verb is not None:
            record_event(verb=self.searched_verb, subject=None, site=None, data=_CHANNEL, by=user_of(request))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        response = super().change_view(request, object_id, form_url, extra_context)
        if self.viewed_verb is not None and request.method == "GET":
            obj = self.get_object(request, object_id)
            if obj is not None:
                self._record(request, self.viewed_verb, obj)
        return response

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


class BlindAdmin(ReadOnlyAdmin[M]):
    """Base of records with results, without those of exams that the superuser reads blind and has yet to read.

    ``exam_path`` is the path from a row to its exam.
    """

    exam_path: ClassVar[str]

    def get_queryset(self, request: HttpRequest) -> QuerySet[M]:
        rows, user = super().get_queryset(request), user_of(request)
        if user is None:
            return rows.none()
        unread = unread_by(super().get_queryset(request), user, exam=self.exam_path)
        return rows.exclude(pk__in=unread.order_by().values("pk"))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        user = user_of(request)
        rows = super().get_queryset(request)
        if user is not None and unread_by(rows, user, exam=self.exam_path).exists():
            text = str(_("Results of exams that you have not read yet are not listed: you read blind at their site."))
            messages.info(request, text)
        return super().changelist_view(request, extra_context)


def _redirect_without_search(request: HttpRequest) -> HttpResponse:
    """Redirect to the list with its filters and order, without search and page."""
    query = request.GET.copy()
    for name in (SEARCH_VAR, PAGE_VAR):
        query.pop(name, None)
    return HttpResponseRedirect(f"{request.path}?{query.urlencode()}" if query else request.path)


def user_of(request: HttpRequest) -> User | None:
    """The superuser who is logged in."""
    return request.user if isinstance(request.user, User) else None


def _site_of(obj: Model) -> Site | None:
    site = obj if isinstance(obj, Site) else getattr(obj, "site", None)
    return site if isinstance(site, Site) else None
