"""Reviews and first readings, read-only."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from ml.vocabulary import Laterality
from screening.admin.columns import GradeFilter, finding, moment_column, person_column
from screening.admin.exam_records import BlindAdmin
from screening.admin.inlines import EyeFindingInline
from screening.labels.eyes import EYE_LABELS
from screening.labels.findings import finding_text
from screening.models import FirstReading, Review
from screening.services.exports.exams import ResultColumns
from screening.services.exports.panel import FirstReadingColumns


def _finding_of(review: Review, eye: Laterality) -> str:
    return next((finding_text(one) for one in review.findings.all() if one.laterality == eye), "–")


@admin.display(description=EYE_LABELS[Laterality.RIGHT])
def right_eye(review: Review) -> str:
    """The signed finding of the right eye."""
    return _finding_of(review, Laterality.RIGHT)


@admin.display(description=EYE_LABELS[Laterality.LEFT])
def left_eye(review: Review) -> str:
    """The signed finding of the left eye."""
    return _finding_of(review, Laterality.LEFT)


@admin.register(Review)
class ReviewAdmin(BlindAdmin[Review]):
    """Signed reviews."""

    export_columns = ResultColumns
    list_display = [
        person_column("exam__patient"),
        right_eye,
        left_eye,
        "outcome",
        "urgency",
        "recall_on",
        "reviewer",
        moment_column(Review, "signed_at"),
        "is_amendment",
    ]
    list_filter = ["exam__site", "outcome", "urgency", "signed_at", "recall_on"]
    list_select_related = ["reviewer", "exam__patient", "exam__site"]
    search_fields = ["id__istartswith", "exam__id__istartswith", "reviewer__username__istartswith"]
    date_hierarchy = "signed_at"
    inlines = [EyeFindingInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Review]:
        """With their findings."""
        return super().get_queryset(request).prefetch_related("findings")

    @admin.display(description=_("Amended"), ordering="amends")
    def is_amendment(self, obj: Review) -> str:
        """Whether it replaces an earlier review."""
        return "–" if obj.amends_id is None else str(_("yes"))


@admin.register(FirstReading)
class FirstReadingAdmin(BlindAdmin[FirstReading]):
    """Grades that reviewers recorded before the model's grade was revealed."""

    export_columns = FirstReadingColumns
    list_display = [
        person_column("exam__patient"),
        "laterality",
        finding,
        "macular_oedema",
        "not_blind_reason",
        "reviewer",
        moment_column(FirstReading, "created_at"),
    ]
    list_filter = ["exam__site", "laterality", "is_gradable", ("grade", GradeFilter), "not_blind_reason"]
    list_select_related = ["reviewer", "exam__patient", "exam__site"]
    search_fields = ["exam__id__istartswith", "reviewer__username__istartswith"]
    readonly_fields = ["person", "grade_text"]
    exclude = ["grade"]

    @admin.display(description=_("grade"))
    def grade_text(self, obj: FirstReading) -> Any:
        """The finding in words."""
        return finding(obj)
