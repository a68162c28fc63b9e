"""Exams, photographs and gradings, read-only."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from screening.admin.base import user_of
from screening.admin.columns import GradeFilter, grade, moment_column, person_column, photo, size
from screening.admin.exam_records import BlindAdmin, PersonAdmin
from screening.admin.inlines import (
    AcuityInline,
    FirstReadingInline,
    GradedPhotographInline,
    PhotographInline,
    ReviewInline,
)
from screening.labels.grades import GRADE_LABELS
from screening.models import AuditEvent, Exam, FundusImage, Grading
from screening.selectors.exams import with_may_see_photo
from screening.selectors.gradings import unread_by
from screening.services.exports.panel import ExamColumns, GradingColumns, PhotographColumns
from screening.templatetags.gradings import percent

_RESULTS = ("worklist_rank", "grade_rank", "is_oedema_suspected", "worst_grade", "max_p_referable")
"""Fields of an exam that follow from the model's results."""
_MAIN = ("person", "site", "status", "created_at", "opened_by", "submitted_at", "reading_urgency", "due_at", "quality")
_OF_IMAGE = person_column("exam__patient")


@admin.register(Exam)
class ExamAdmin(PersonAdmin[Exam]):
    """Exams, with all that belongs to one on its page. The list has nothing of the model."""

    exam_path = ""
    export_columns = ExamColumns
    list_display = [
        person_column("patient"),
        "site",
        "status",
        moment_column(Exam, "created_at"),
        "opened_by",
        moment_column(Exam, "submitted_at"),
        "reading_urgency",
    ]
    list_filter = ["site", "status", "reading_urgency", "created_at", "submitted_at"]
    list_select_related = ["site", "opened_by", "patient"]
    search_fields = ["id__istartswith", "patient__id__istartswith"]
    date_hierarchy = "created_at"
    viewed_verb = AuditEvent.Verb.EXAM_VIEWED

    @admin.display(description=_("worst grade by the model"))
    def worst_grade_text(self, obj: Exam) -> str | None:
        return None if obj.worst_grade is None else str(GRADE_LABELS[obj.worst_grade])

    @admin.display(description=_("largest probability of a referable eye"))
    def largest_probability(self, obj: Exam) -> str:
        return percent(obj.max_p_referable)

    def get_exclude(self, request: HttpRequest, obj: Exam | None = None) -> tuple[str, ...]:
        """Without results if the superuser has yet to read the exam blind."""
        return ("patient", *_RESULTS) if _is_unread(request, obj) else ("patient", "worst_grade", "max_p_referable")

    def get_readonly_fields(self, request: HttpRequest, obj: Exam | None = None) -> Any:
        shown = ["person", "site", "created_at"]
        return shown if _is_unread(request, obj) else [*shown, "worst_grade_text", "largest_probability"]

    def get_fieldsets(self, request: HttpRequest, obj: Exam | None = None) -> Any:
        """What identifies the exam; then the model's result; the rest is closed at first."""
        known = self.get_fields(request, obj)
        result = [name for name in known if name in {"worst_grade_text", "largest_probability", "is_oedema_suspected"}]
        rest = [name for name in known if name not in {*_MAIN, *result}]
        return [
            (None, {"fields": [*(name for name in _MAIN if name in known), *result]}),
            (_("Further details"), {"fields": rest, "classes": ["collapse"]}),
        ]

    def get_inlines(self, request: HttpRequest, obj: Exam | None) -> Any:
        """Without grades of the model and of readers if the superuser has yet to read the exam blind."""
        if _is_unread(request, obj):
            return [PhotographInline, AcuityInline]
        return [GradedPhotographInline, ReviewInline, FirstReadingInline, AcuityInline]

    def lookup_allowed(self, lookup: str, value: object, request: HttpRequest | None = None) -> bool:
        """Not by results, which would reveal them."""
        return lookup.partition("__")[0] not in _RESULTS and super().lookup_allowed(lookup, str(value), request)  # type: ignore[arg-type]


def _is_unread(request: HttpRequest, exam: Exam | None) -> bool:
    """Whether the superuser has yet to read the exam blind. Asked once for each request, of which ``exam`` is."""
    user = user_of(request)
    if user is None or exam is None:
        return user is None
    known = vars(exam)
    if "is_unread" not in known:
        known["is_unread"] = unread_by(Exam.objects.filter(pk=exam.pk), user).exists()
    return bool(known["is_unread"])


@admin.register(FundusImage)
class FundusImageAdmin(PersonAdmin[FundusImage]):
    """Photographs: small ones, for those who may see them on the pages."""

    export_columns = PhotographColumns
    list_display = [
        photo,
        _OF_IMAGE,
        "laterality",
        "field",
        "captured_on",
        "camera",
        size,
        moment_column(FundusImage, "withdrawn_at"),
    ]
    list_display_links = [_OF_IMAGE]
    list_filter = [
        "exam__site",
        "laterality",
        "field",
        "format",
        "is_synthetic",
        ("withdrawn_at", admin.EmptyFieldListFilter),
    ]
    list_select_related = ["exam__patient", "exam__site"]
    search_fields = ["id__istartswith", "exam__id__istartswith", "sha256__istartswith"]
    readonly_fields = ["person", "photo"]
    exclude = ["file"]  # no URL serves it
    viewed_verb = AuditEvent.Verb.IMAGE_VIEWED

    def get_queryset(self, request: HttpRequest) -> QuerySet[FundusImage]:
        """With ``may_see_photo``."""
        rows, user = super().get_queryset(request), user_of(request)
        return rows.none() if user is None else with_may_see_photo(rows, user)

    @admin.display(description=_("photograph"))
    def photo(self, obj: FundusImage) -> str:
        """The thumbnail, on the page of a record."""
        return photo(obj)


@admin.register(Grading)
class GradingAdmin(BlindAdmin[Grading]):
    """Gradings."""

    exam_path = "image__exam"
    export_columns = GradingColumns

    list_display = [
        person_column("image__exam__patient"),
        "eye",
        "state",
        "quality_level",
        grade,
        "probability",
        "is_referable",
        "suspects_oedema",
        "model_version",
        moment_column(Grading, "queued_at"),
    ]
    list_filter = [
        "status",
        "quality_level",
        ("grade", GradeFilter),
        "is_referable",
        "suspects_oedema",
        "failure_code",
        "model",
        "model_version",
        "image__exam__site",
    ]
    list_select_related = ["image__exam__patient", "image__exam__site"]
    search_fields = ["id__istartswith", "image__id__istartswith", "image__exam__id__istartswith"]
    readonly_fields = ["person", "grade_text"]
    exclude = ["grade"]

    @admin.display(description=_("eye"), ordering="image__laterality")
    def eye(self, obj: Grading) -> str:
        return str(obj.image.get_laterality_display())

    @admin.display(description=_("status"), ordering="status")
    def state(self, obj: Grading) -> str:
        """The status, with why it failed."""
        return ": ".join(filter(None, (str(obj.get_status_display()), str(obj.get_failure_code_display()))))

    @admin.display(description=_("grade"))
    def grade_text(self, obj: Grading) -> str:
        return grade(obj)

    @admin.display(description=_("probability that the eye is referable"), ordering="p_referable")
    def probability(self, obj: Grading) -> str:
        return percent(obj.p_referable)
