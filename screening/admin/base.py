"""What every list of the admin panel has in common.

Searching is by POST: Django's own box puts the words into the address (``?q=``), and with them a patient's name into
browser histories and access logs. Here they are kept in the session, and the list stays at its plain address.
"""

from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from django.contrib import admin
from django.contrib.admin.views.main import SEARCH_VAR, ChangeList
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from screening.models import AuditEvent, Site, User
from screening.services.audit import record_event

M = TypeVar("M", bound=Model)
if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin
else:

    class _ModelAdmin(admin.ModelAdmin, Generic[M]):
        """Django's class says its type of row to the type checker alone."""


_SESSION_KEY = "admin_search"
_SEARCH_FIELD = "search"
_CHANNEL = {"channel": "admin"}
_MAX_SEARCH_CHARS = 100


class PostSearchChangeList(ChangeList):
    """A list narrowed by the words that were last posted to it."""

    def get_queryset(self, request: HttpRequest, exclude_parameters: list[str | None] | None = None) -> QuerySet[Any]:
        self.query = request.session.get(_SESSION_KEY, {}).get(self.opts.label_lower, "")
        return super().get_queryset(request, exclude_parameters)


class BaseAdmin(_ModelAdmin[M]):
    """Rows that are not deleted here, searched by POST, every change and every look at a person in the audit trail."""

    list_per_page = 50
    show_full_result_count = False
    viewed_verb: ClassVar[AuditEvent.Verb | None] = None
    searched_verb: ClassVar[AuditEvent.Verb | None] = None

    def has_delete_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return False

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return PostSearchChangeList

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if request.method == "POST" and _SEARCH_FIELD in request.POST and self.has_view_permission(request):
            return self._keep_search(request)
        if SEARCH_VAR in request.GET:
            return _redirect_without_search(request)
        response = super().changelist_view(request, extra_context)
        if self.searched_verb is not None and request.method == "GET" and self.has_view_permission(request):
            record_event(verb=self.searched_verb, subject=None, site=None, data=_CHANNEL, by=_person(request))
        return response

    def _keep_search(self, request: HttpRequest) -> HttpResponse:
        kept = request.session.get(_SESSION_KEY, {})
        kept[self.opts.label_lower] = (
            request.POST[_SEARCH_FIELD].replace("\x00", "").strip()[:_MAX_SEARCH_CHARS]
        )  # PostgreSQL knows no NUL
        request.session[_SESSION_KEY] = kept
        if self.searched_verb is not None:
            record_event(verb=self.searched_verb, subject=None, site=None, data=_CHANNEL, by=_person(request))
        return _redirect_without_search(request)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        response = super().change_view(request, object_id, form_url, extra_context)
        row = self.get_object(request, object_id) if self.viewed_verb is not None else None
        if row is not None and self.viewed_verb is not None and request.method == "GET":
            record_event(verb=self.viewed_verb, subject=row, site=_site_of(row), by=_person(request))
        return response

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self._record(request, AuditEvent.Verb.ROW_ADDED, obj)
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self._record(request, AuditEvent.Verb.ROW_CHANGED, obj)
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        for row in queryset:
            self._record(request, AuditEvent.Verb.ROW_REMOVED, row)
        return super().log_deletions(request, queryset)

    def _record(self, request: HttpRequest, verb: AuditEvent.Verb, row: Model) -> None:
        record_event(verb=verb, subject=row, site=_site_of(row), by=_person(request))


class ReadOnlyAdmin(BaseAdmin[M]):
    """Rows that only services write: results of the model, what was signed, what happened."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return False


def _redirect_without_search(request: HttpRequest) -> HttpResponse:
    """Back to the list; filters and order stay in the address, words and the page's number do not."""
    rest = request.GET.copy()
    for name in (SEARCH_VAR, "p"):
        rest.pop(name, None)
    return HttpResponseRedirect(f"{request.path}?{rest.urlencode()}" if rest else request.path)


def _person(request: HttpRequest) -> User | None:
    return request.user if isinstance(request.user, User) else None


def _site_of(row: Model) -> Site | None:
    site = row if isinstance(row, Site) else getattr(row, "site", None)
    return site if isinstance(site, Site) else None
