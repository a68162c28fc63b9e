"""Patients in the admin panel."""

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from screening.admin.base import BaseAdmin
from screening.models import AuditEvent, Patient


@admin.register(Patient)
class PatientAdmin(BaseAdmin[Patient]):
    """A patient's details can be corrected; the site stays, as exams, reviews and access hang on it."""

    list_display = ["mrn", "family_name", "given_name", "born_on", "sex", "diabetes_type", "site", "created_at"]
    list_filter = ["site", "sex", "diabetes_type", "created_at"]
    list_select_related = ["site"]
    search_fields = ["mrn__istartswith", "family_name__istartswith", "given_name__istartswith", "id__iexact"]
    search_help_text = _("Number, family name or given name. What you search is not put into the page's address.")
    readonly_fields = ["id", "created_at"]
    viewed_verb = AuditEvent.Verb.PATIENT_VIEWED
    searched_verb = AuditEvent.Verb.PATIENTS_SEARCHED

    def get_readonly_fields(self, request: HttpRequest, obj: Patient | None = None) -> list[str]:
        return ["id", "created_at", *([] if obj is None else ["site"])]
