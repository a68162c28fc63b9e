"""Exams, photographs and gradings, read-only."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from screening.admin.base import BlindAdmin, ReadOnlyAdmin, short_exam, short_id, user_of
from screening.models import AuditEvent, Exam, FundusImage, Grading
from screening.selectors.gradings import unread_by
from screening.templatetags.gradings import percent

_RESULTS = ("worklist_rank", "grade_rank", "is_oedema_suspected", "worst_grade", "max_p_referable")
"""Fields of an exam that follow from the model's results."""
_BY_ID = _("An id, or its first characters.")


@admin.register(Exam)
class ExamAdmin(ReadOnlyAdmin[Exam]):
    """Exams. The list has ids of patients, not names."""

    list_display = [short_id, "site", "short_patient", "status", "opened_by", "created_at", "submitted_at"]
    list_filter = ["site", "status", "created_at", "submitted_at"]
    list_select_related = ["site", "opened_by"]
    search_fields = ["id__istartswith", "patient__id__istartswith"]
    search_help_text = _BY_ID
    date_hierarchy = "created_at"
    viewed_verb = AuditEvent.Verb.EXAM_VIEWED

    @admin.display(description=_("patient"), ordering="patient")
    def short_patient(self, obj: Exam) -> str:
        """The first characters of the id of the patient."""
        return str(obj.patient_id)[:8]

    def get_exclude(self, request: HttpRequest, obj: Exam | None = None) -> tuple[str, ...]:
        """Without results if the superuser has yet to read the exam blind."""
        user = user_of(request)
        is_unread = user is None or (obj is not None and unread_by(Exam.objects.filter(pk=obj.pk), user).exists())
        return _RESULTS if is_unread else ()

    def lookup_allowed(self, lookup: str, value: object, request: HttpRequest | None = None) -> bool:
        """Not by results, which would reveal them."""
        return lookup.partition("__")[0] not in _RESULTS and super().lookup_allowed(lookup, str(value), request)  # type: ignore[arg-type]


@admin.register(FundusImage)
class FundusImageAdmin(ReadOnlyAdmin[FundusImage]):
    """Records of photographs. The photographs are on the pages, which check access."""

    list_display = [
        short_id,
        short_exam,
        "laterality",
        "field",
        "format",
        "width_px",
        "height_px",
        "camera",
        "withdrawn_at",
    ]
    list_filter = [
        "exam__site",
        "laterality",
        "field",
        "format",
        "is_synthetic",
        ("withdrawn_at", admin.EmptyFieldListFilter),
    ]
    search_fields = ["id__istartswith", "exam__id__istartswith", "sha256__istartswith"]
    search_help_text = _("The id of the photograph or its exam, or the SHA-256 of the file; or the first characters.")
    exclude = ["file"]  # no URL serves it
    viewed_verb = AuditEvent.Verb.IMAGE_VIEWED


@admin.register(Grading)
class GradingAdmin(BlindAdmin[Grading]):
    """Gradings."""

    exam_path = "image__exam"

    list_display = [
        short_id,
        "queued_at",
        "eye",
        "status",
        "quality_level",
        "grade",
        "probability",
        "is_referable",
        "suspects_oedema",
        "model_version",
        "failure_code",
    ]
    list_filter = [
        "status",
        "quality_level",
        "grade",
        "is_referable",
        "suspects_oedema",
        "failure_code",
        "model",
        "model_version",
        "image__exam__site",
    ]
    list_select_related = ["image"]
    search_fields = ["id__istartswith", "image__id__istartswith", "image__exam__id__istartswith"]
    search_help_text = _BY_ID
    exclude = ["heatmap", "oedema_heatmap"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Grading]:
        """Without heatmaps, which are not shown."""
        return super().get_queryset(request).defer("heatmap", "oedema_heatmap")

    @admin.display(description=_("eye"), ordering="image__laterality")
    def eye(self, obj: Grading) -> str:
        return obj.image.laterality

    @admin.display(description=_("probability that the eye is referable"), ordering="p_referable")
    def probability(self, obj: Grading) -> str:
        return percent(obj.p_referable)
