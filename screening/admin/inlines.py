"""Records under another one, read-only: photographs, acuities, readings and reviews of an exam; eyes of a review."""

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.db.models import Model, Prefetch, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _

from screening.admin.base import user_of
from screening.admin.columns import photo_of, size
from screening.labels.findings import finding_text
from screening.labels.grades import GRADE_LABELS
from screening.models import EyeFinding, FirstReading, FundusImage, Grading, Review, VisualAcuity
from screening.models.gradings import current_first
from screening.selectors.exams import with_may_see_photo

if TYPE_CHECKING:
    _Inline = admin.TabularInline[Any, Any]
else:
    _Inline = admin.TabularInline


class ReadOnlyInline(_Inline):
    """Base: rows that only services write. ``columns`` are fields, or methods of the class."""

    template = "admin/screening/inline.html"
    extra = 0
    can_delete = False
    show_change_link = True
    columns: ClassVar[tuple[str, ...]]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return self.columns

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return self.get_fields(request, obj)

    @admin.display(description=_("finding"))
    def finding(self, obj: Any) -> str:
        """The grade in words."""
        return finding_text(obj)


class PhotographInline(ReadOnlyInline):
    """Photographs, without the results of the model."""

    model = FundusImage
    columns: ClassVar[tuple[str, ...]] = (
        "photo",
        "laterality",
        "field",
        "captured_on",
        "camera",
        "size",
        "withdrawn_at",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[FundusImage]:
        """With ``may_see_photo``."""
        rows, user = super().get_queryset(request), user_of(request)
        return rows.none() if user is None else with_may_see_photo(rows, user)

    @admin.display(description=_("photograph"))
    def photo(self, obj: FundusImage) -> str:
        """The thumbnail."""
        return photo_of(obj)

    @admin.display(description=_("size"))
    def size(self, obj: FundusImage) -> str:
        """Width and height."""
        return size(obj)


class GradedPhotographInline(PhotographInline):
    """Photographs with the results of the model. NB: not for a superuser who has yet to read the exam blind."""

    columns = ("photo", "laterality", "field", "results", "captured_on", "camera", "size", "withdrawn_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[FundusImage]:
        """With gradings, the current one first."""
        gradings = current_first(Grading.objects.all())
        return super().get_queryset(request).prefetch_related(Prefetch("gradings", gradings))

    @admin.display(description=_("model"))
    def results(self, obj: FundusImage) -> str:
        """A line for each grading."""
        return format_html_join("", '<span class="admin-result">{} <small>{}</small></span>', _lines_of(obj))


def _lines_of(image: FundusImage) -> list[tuple[str, str]]:
    return [(_result(one), one.model_version) for one in image.gradings.all()]


def _result(grading: Grading) -> str:
    if grading.grade is not None:
        return str(GRADE_LABELS[grading.grade])
    done = grading.status == Grading.Status.DONE
    return str(grading.get_quality_level_display() if done else grading.get_status_display())


class AcuityInline(ReadOnlyInline):
    """Visual acuities."""

    model = VisualAcuity
    columns = ("laterality", "entered", "logmar", "correction", "created_at", "recorded_by")

    def get_queryset(self, request: HttpRequest) -> QuerySet[VisualAcuity]:
        return super().get_queryset(request).select_related("recorded_by")


class FirstReadingInline(ReadOnlyInline):
    """Blind readings of each eye."""

    model = FirstReading
    columns = ("laterality", "finding", "macular_oedema", "not_blind_reason", "reviewer", "created_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[FirstReading]:
        return super().get_queryset(request).select_related("reviewer")


class ReviewInline(ReadOnlyInline):
    """Signed reviews with the findings of both eyes."""

    model = Review
    columns = ("findings", "outcome", "urgency", "recall_on", "reviewer", "signed_at", "amend_reason")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Review]:
        return super().get_queryset(request).select_related("reviewer").prefetch_related("findings")

    @admin.display(description=_("findings"))
    def findings(self, obj: Review) -> str:
        """A line for each eye."""
        lines = [(one.get_laterality_display(), finding_text(one)) for one in obj.findings.all()]
        return format_html_join("", '<span class="admin-result">{}: {}</span>', lines)


class EyeFindingInline(ReadOnlyInline):
    """Findings of a review."""

    model = EyeFinding
    show_change_link = False
    columns = ("laterality", "finding", "macular_oedema", "lesions", "other_disease", "ungradable_reason")
