"""Base classes of records of exams: the person in lists and searches, and results that are hidden."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from screening.admin.base import M, ReadOnlyAdmin, user_of
from screening.admin.columns import link_to
from screening.models import AuditEvent
from screening.selectors.gradings import unread_by
from screening.selectors.patients import matching_ids
from screening.services.audit import record_event

_LINKED = {"exam", "image", "amends"}
PERSON_HELP = _("Medical record number or name of the patient, or an id. The search is not part of the page's address.")


class PersonAdmin(ReadOnlyAdmin[M]):
    """Base of records of exams, which are searched by the number and the name of the patient too.

    ``exam_path`` is the path from a row to its exam; empty: they are exams.
    """

    exam_path: ClassVar[str] = "exam"
    search_help_text = PERSON_HELP
    readonly_fields = ["person"]

    @admin.display(description=_("patient"))
    def person(self, obj: Any) -> str:
        """Medical record number and initials, on the page of a record."""
        for name in filter(None, self.exam_path.split("__")):
            obj = getattr(obj, name)
        return link_to(obj.patient)

    @admin.display(description=_("exam"))
    def exam_link(self, obj: Any) -> str:
        """The exam, on the page of a record."""
        return link_to(obj.exam)

    @admin.display(description=_("photograph"))
    def image_link(self, obj: Any) -> str:
        """The photograph of a grading, on its page."""
        return link_to(obj.image)

    @admin.display(description=_("amends"))
    def amends_link(self, obj: Any) -> str:
        """The earlier review, on the page of an amendment."""
        return link_to(obj.amends) if obj.amends else "–"

    def get_fields(self, request: HttpRequest, obj: M | None = None) -> Any:
        """The person first; other records by what a person calls them."""
        names = (name for name in super().get_fields(request, obj) if name != "person")
        return ["person", *(f"{name}_link" if name in _LINKED else name for name in names)]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[M], search_term: str
    ) -> tuple[QuerySet[M], bool]:
        """By ids, or by number and names of the patient as on the pages."""
        found, may_have_duplicates = super().get_search_results(request, queryset, search_term)
        if not search_term.strip():
            return found, may_have_duplicates
        patient = "__".join(filter(None, (self.exam_path, "patient")))
        by_person = Q(**{f"{patient}__pk__in": matching_ids(search_term)})
        return queryset.filter(Q(pk__in=found.order_by().values("pk")) | by_person), False

    def _store_search(self, request: HttpRequest) -> HttpResponse:
        """A search for patients, which is audited as one."""
        data = {"channel": "admin"}
        record_event(verb=AuditEvent.Verb.PATIENTS_SEARCHED, subject=None, site=None, data=data, by=user_of(request))
        return super()._store_search(request)


class BlindAdmin(PersonAdmin[M]):
    """Base of records with results, without those of exams that the superuser reads blind and has yet to read."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[M]:
        rows, user = super().get_queryset(request), user_of(request)
        if user is None:
            return rows.none()
        unread = unread_by(super().get_queryset(request), user, exam=self.exam_path)
        return rows.exclude(pk__in=unread.order_by().values("pk"))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        user = user_of(request)
        rows = super().get_queryset(request)
        if request.method == "GET" and user is not None and unread_by(rows, user, exam=self.exam_path).exists():
            text = str(_("Results of exams that you have not read yet are not listed: you read blind at their site."))
            messages.info(request, text)
        return super().changelist_view(request, extra_context)
