"""Reviews and first readings, read-only."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from screening.admin.base import BlindAdmin, short_exam, short_id
from screening.models import EyeFinding, FirstReading, Review


class EyeFindingInline(admin.StackedInline):  # type: ignore[type-arg]  # not generic at run time
    """Findings of a review."""

    model = EyeFinding
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Review)
class ReviewAdmin(BlindAdmin[Review]):
    """Signed reviews."""

    exam_path = "exam"

    list_display = [short_id, short_exam, "reviewer", "signed_at", "outcome", "urgency", "recall_on", "short_amends"]
    list_filter = ["exam__site", "outcome", "urgency", "signed_at", "recall_on"]
    list_select_related = ["reviewer"]
    search_fields = ["id__istartswith", "exam__id__istartswith", "reviewer__username__istartswith"]
    search_help_text = _("The id of the review or its exam, or the reviewer's user name.")
    date_hierarchy = "signed_at"
    inlines = [EyeFindingInline]

    @admin.display(description=_("amends"), ordering="amends")
    def short_amends(self, obj: Review) -> str | None:
        """The first characters of the id of the earlier review."""
        return str(obj.amends_id)[:8] if obj.amends_id else None


@admin.register(FirstReading)
class FirstReadingAdmin(BlindAdmin[FirstReading]):
    """Grades that reviewers recorded before the model's grade was revealed."""

    exam_path = "exam"
    list_display = [
        short_id,
        short_exam,
        "reviewer",
        "laterality",
        "is_gradable",
        "grade",
        "macular_oedema",
        "not_blind_reason",
        "created_at",
    ]
    list_filter = ["exam__site", "laterality", "is_gradable", "grade", "not_blind_reason"]
    list_select_related = ["reviewer"]
    search_fields = ["exam__id__istartswith", "reviewer__username__istartswith"]
    search_help_text = _("The id of the exam, or the reviewer's user name.")
