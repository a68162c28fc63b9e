"""Visual acuities, read-only."""

from django.contrib import admin

from screening.admin.columns import moment_column, person_column
from screening.admin.exam_records import PersonAdmin
from screening.models import VisualAcuity
from screening.services.exports.panel import AcuityColumns


@admin.register(VisualAcuity)
class VisualAcuityAdmin(PersonAdmin[VisualAcuity]):
    """Every acuity that was recorded, newest first; the newest of an exam and eye counts."""

    export_columns = AcuityColumns
    list_display = [
        person_column("exam__patient"),
        "laterality",
        "entered",
        "logmar",
        "correction",
        moment_column(VisualAcuity, "created_at"),
        "recorded_by",
    ]
    list_filter = ["exam__site", "laterality", "correction", "created_at"]
    list_select_related = ["exam__patient", "exam__site", "recorded_by"]
    search_fields = ["id__istartswith", "exam__id__istartswith", "recorded_by__username__istartswith"]
