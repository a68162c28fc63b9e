"""Patients."""

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from screening.admin.base import BaseAdmin
from screening.models import AuditEvent, Patient


@admin.register(Patient)
class PatientAdmin(BaseAdmin[Patient]):
    """Details can be corrected. The site cannot: exams, reviews and access depend on it."""

    list_display = ["mrn", "family_name", "given_name", "born_on", "sex", "diabetes_type", "site", "created_at"]
    list_filter = ["site", "sex", "diabetes_type", "created_at"]
    list_select_related = ["site"]
    search_fields = ["mrn__istartswith", "family_name__istartswith", "given_name__istartswith", "id__iexact"]
    search_help_text = _(
        "Medical record number, family name or given name. The search is not part of the page's address."
    )
    viewed_verb = AuditEvent.Verb.PATIENT_VIEWED
    searched_verb = AuditEvent.Verb.PATIENTS_SEARCHED

    def get_readonly_fields(self, request: HttpRequest, obj: Patient | None = None) -> list[str]:
        return ["id", "created_at", *([] if obj is None else ["site"])]
