"""Exams, their photographs and the model's gradings in the admin panel: to look at."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from screening.admin.base import ReadOnlyAdmin
from screening.models import AuditEvent, Exam, FundusImage, Grading
from screening.templatetags.gradings import percent

_IS_WITHDRAWN = ("withdrawn_at", admin.EmptyFieldListFilter)
_SITE = "image__exam__site"
_BY_ID = _("An id, or its first letters.")


@admin.register(Exam)
class ExamAdmin(ReadOnlyAdmin[Exam]):
    """Exams, named by ids: a patient's name stands on the patient's own page."""

    list_display = ["id", "site", "patient", "status", "opened_by", "created_at", "submitted_at"]
    list_filter = ["site", "status", "created_at", "submitted_at"]
    list_select_related = ["site", "patient", "opened_by"]
    search_fields = ["id__istartswith", "patient__id__istartswith"]
    search_help_text = _BY_ID
    date_hierarchy = "created_at"
    viewed_verb = AuditEvent.Verb.EXAM_VIEWED


@admin.register(FundusImage)
class FundusImageAdmin(ReadOnlyAdmin[FundusImage]):
    """Photographs' records. The photographs themselves are shown by the pages, which check access."""

    list_display = ["id", "exam", "laterality", "field", "format", "width_px", "height_px", "camera", "withdrawn_at"]
    list_filter = [
        "exam__site",
        "laterality",
        "field",
        "format",
        "is_synthetic",
        ("withdrawn_at", admin.EmptyFieldListFilter),
    ]
    list_select_related = ["exam"]
    search_fields = ["id__istartswith", "exam__id__istartswith", "sha256__istartswith"]
    search_help_text = _("An id of the photograph or its exam, or the SHA-256 of the file; the first letters do.")
    exclude = ["file"]  # there is no address that serves it
    viewed_verb = AuditEvent.Verb.IMAGE_VIEWED


@admin.register(Grading)
class GradingAdmin(ReadOnlyAdmin[Grading]):
    """Results of the model."""

    list_display = [
        "first_letters",
        "queued_at",
        "eye",
        "status",
        "is_gradable",
        "grade",
        "chance",
        "is_referable",
        "model_version",
        "duration_ms",
        "n_attempts",
        "failure_code",
    ]
    list_filter = [
        "status",
        "is_gradable",
        "grade",
        "is_referable",
        "failure_code",
        "model_version",
        "image__exam__site",
    ]
    list_select_related = ["image"]
    search_fields = ["id__istartswith", "image__id__istartswith", "image__exam__id__istartswith"]
    search_help_text = _BY_ID
    exclude = ["heatmap"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Grading]:
        """Without the heatmaps, which no list and no form here shows."""
        return super().get_queryset(request).defer("heatmap")

    @admin.display(description=_("id"), ordering="id")
    def first_letters(self, row: Grading) -> str:
        """Enough of the id to search by; the whole one stands on the row's own page."""
        return str(row.pk)[:8]

    @admin.display(description=_("eye"), ordering="image__laterality")
    def eye(self, row: Grading) -> str:
        return row.image.laterality

    @admin.display(description=_("chance of a referable eye"), ordering="p_referable")
    def chance(self, row: Grading) -> str:
        return percent(row.p_referable)
