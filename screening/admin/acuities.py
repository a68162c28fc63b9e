"""Visual acuities, read-only."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from screening.admin.base import ReadOnlyAdmin, short_exam, short_id
from screening.models import VisualAcuity


@admin.register(VisualAcuity)
class VisualAcuityAdmin(ReadOnlyAdmin[VisualAcuity]):
    """Every acuity that was recorded, newest first; the newest of an exam and eye counts."""

    list_display = [short_id, short_exam, "laterality", "entered", "logmar", "correction", "created_at", "recorded_by"]
    list_filter = ["exam__site", "laterality", "correction", "created_at"]
    list_select_related = ["exam", "recorded_by"]
    search_fields = ["id__istartswith", "exam__id__istartswith", "recorded_by__username__istartswith"]
    search_help_text = _("The id of the acuity or its exam, or the user name of who recorded it.")
