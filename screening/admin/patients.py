"""Patients."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from screening.admin.base import BaseAdmin
from screening.admin.changed_fields import ChangedFieldsForm
from screening.admin.columns import moment_column
from screening.models import AuditEvent, Patient
from screening.selectors.patients import birth_order, matching_ids
from screening.services.exports.panel import PatientColumns
from screening.services.patient_details import InvalidPatient, clean_patient
from screening.services.patient_questions import PatientNotConfirmed
from screening.services.patients import confirm_patient, save_patient


class PatientAdminForm(ChangedFieldsForm):
    """Checks the details as the pages do. A question about a similar patient is answered there, not here."""

    def clean(self) -> dict[str, Any]:
        """Raises ValidationError for invalid details and for patients who could be registered already."""
        cleaned = super().clean()
        patient = self.instance
        for name, value in cleaned.items():
            setattr(patient, name, value)
        if self.errors or patient.site_id is None:
            return cleaned
        try:
            clean_patient(patient)
            confirm_patient(patient, set(self.changed_data), ())
        except InvalidPatient as error:
            self.add_error(error.field, str(error))
        except PatientNotConfirmed as error:
            raise forms.ValidationError(f"{error} {_('Make this change on the page of the patient.')}") from error
        return {name: getattr(patient, name) for name in cleaned}


@admin.register(Patient)
class PatientAdmin(BaseAdmin[Patient]):
    """Details can be corrected. The site cannot: exams, reviews and access depend on it."""

    form = PatientAdminForm
    list_display = [
        "mrn",
        "family_name",
        "given_name",
        "birth",
        "sex",
        "diabetes_type",
        "site",
        moment_column(Patient, "created_at"),
    ]
    export_columns = PatientColumns
    list_filter = ["site", "sex", "diabetes_type", "created_at"]
    list_select_related = ["site"]
    search_fields = ["id__iexact"]
    search_help_text = _(
        "Medical record number, family name or given name. The search is not part of the page's address."
    )
    viewed_verb = AuditEvent.Verb.PATIENT_VIEWED
    searched_verb = AuditEvent.Verb.PATIENTS_SEARCHED

    @admin.display(description=_("birth date"), ordering="birth_order")
    def birth(self, patient: Patient) -> str:
        """As exact as it is known."""
        return patient.birth_text

    def get_queryset(self, request: HttpRequest) -> QuerySet[Patient]:
        """Patients that can be sorted by birth."""
        return super().get_queryset(request).annotate(birth_order=birth_order())

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Patient], search_term: str
    ) -> tuple[QuerySet[Patient], bool]:
        """By id, or by number and names as on the pages."""
        found, may_have_duplicates = super().get_search_results(request, queryset, search_term)
        if search_term.strip():
            found |= queryset.filter(pk__in=matching_ids(search_term))
        return found, may_have_duplicates

    def save_model(self, request: HttpRequest, obj: Patient, form: Any, change: bool) -> None:
        """Store the search terms too."""
        save_patient(obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Patient | None = None) -> list[str]:
        return [
            "id",
            "created_at",
            "merged_into",
            "register_status",
            "register_until",
            *([] if obj is None else ["site"]),
        ]
