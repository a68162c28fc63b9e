"""Patients: list and search, registration, correction, history."""

import datetime
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from screening.access import Action, can, require, sites_for
from screening.forms.patients import PatientForm, PatientSearchForm
from screening.forms.stored_values import show_stored
from screening.labels.register import STATUS_LABELS
from screening.models import AuditEvent, Patient
from screening.policy.register import RegisterStatus
from screening.selectors import (
    MAX_CORRECTIONS,
    corrections_of_patient,
    due_on,
    get_patient,
    get_patient_history,
    list_patients,
    search_patients,
)
from screening.selectors.list_rows import load_rows
from screening.selectors.register import list_register_entries
from screening.services.audit import record_event
from screening.services.patient_details import InvalidPatient
from screening.services.patient_questions import PatientNotConfirmed, record_similar
from screening.services.patients import register_patient, update_patient
from screening.stored_values import ValuesChanged
from screening.views.decorators import AuthenticatedRequest, login_required, searches_by_post
from screening.views.list_pages import PAGE_PARAMETERS, page_of_list
from screening.views.parameters import require_parameters

PER_PAGE = 25
MAX_FOUND = 50
"""A search shows one page only: the address of a second page would contain the search text."""


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@searches_by_post
def patient_list(request: AuthenticatedRequest) -> HttpResponseBase:
    """All patients by name (GET), or a search (POST, so that no name is in an address or a log)."""
    require_parameters(request, known=PAGE_PARAMETERS)
    require(request.user, Action.VIEW_PATIENT)
    form = PatientSearchForm(request.POST if request.method == "POST" else None)
    context = {
        "section": "patients",
        "form": form,
        "may_register": can(request.user, Action.REGISTER_PATIENT),
    }
    if request.method == "POST" and form.is_valid() and form.cleaned_data["text"].strip():
        found = load_rows(search_patients(user=request.user, text=form.cleaned_data["text"]), 0, MAX_FOUND + 1)
        n_found = len(found)
        context |= {"found": found[:MAX_FOUND], "is_search": True, "is_cut": n_found > MAX_FOUND}
        context["export_text"] = form.cleaned_data["text"]
    else:
        page = page_of_list(request, list_patients(user=request.user), per_page=PER_PAGE)
        n_found = len(page.object_list)
        context |= {"found": page.object_list, "page": page}
    record_event(
        verb=AuditEvent.Verb.PATIENTS_SEARCHED, subject=None, site=None, data={"n_found": n_found}, by=request.user
    )
    return render(request, "screening/patients/list.html", context, status=422 if form.errors else 200)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def patient_create(request: AuthenticatedRequest) -> HttpResponseBase:
    """Register a patient."""
    require(request.user, Action.REGISTER_PATIENT)
    form = PatientForm(request.POST or None, sites=sites_for(request.user, Action.REGISTER_PATIENT))
    return _save(request, form, register_patient, _("The patient is registered. You can start an exam now."))


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def patient_update(request: AuthenticatedRequest, patient_id: UUID) -> HttpResponseBase:
    """Correct a patient's details."""
    patient = get_patient(user=request.user, patient_id=patient_id)
    require(request.user, Action.UPDATE_PATIENT, patient.site)
    form = PatientForm.of(patient, request.POST or None)
    service = partial(update_patient, patient=patient, base=form.opened_with if form.is_valid() else {})
    return _save(request, form, service, _("The details are saved."), patient)


def _save(
    request: AuthenticatedRequest,
    form: PatientForm,
    service: Callable[..., Patient],
    success: str,
    patient: Patient | None = None,
) -> HttpResponseBase:
    """The form, or the page of the patient once the details are saved.

    409 with the similar patients if a question must be answered; the page then has a second button that confirms.
    """
    context: dict[str, Any] = {"section": "patients", "form": form, "patient": patient}
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            saved = service(**form.cleaned_data, confirm=request.POST.get("confirm", "").split(), by=request.user)
        except PatientNotConfirmed as error:
            record_similar(error, by=request.user)
            context["unconfirmed"], status = error, 409
        except ValuesChanged as error:
            stored = PatientForm.of(Patient.objects.get(pk=patient.pk)) if patient else form
            show_stored(form, error, stored, entered=[*form.cleaned_data])
        except InvalidPatient as error:
            form.add_error(error.field, str(error))
            context["existing"] = getattr(error, "existing", None)
        else:
            messages.success(request, success)
            return redirect("screening:patient-detail", saved.pk)
    return render(request, "screening/patients/form.html", context, status=422 if form.errors else status)


@login_required
@require_safe
def patient_detail(request: AuthenticatedRequest, patient_id: UUID) -> HttpResponseBase:
    """A patient with all exams and their signed reviews."""
    history = get_patient_history(user=request.user, patient_id=patient_id)
    patient = history.patient
    record_event(verb=AuditEvent.Verb.PATIENT_VIEWED, subject=patient, site=patient.site, by=request.user)
    today = timezone.localdate(timezone=patient.site.zone)
    context = {
        "section": "patients",
        "patient": patient,
        "register_status": patient.register_status_on(today),
        "register_label": STATUS_LABELS[patient.register_status_on(today)],
        "register_entry": list_register_entries(user=request.user, patient=patient).first(),
        "may_manage_register": patient.merged_into is None and can(request.user, Action.MANAGE_REGISTER, patient.site),
        "exams": history.exams,
        "age": patient.age_text_on(today),
        "open_exam": next((exam for exam in history.exams if exam.is_open), None),
        "due_on": due_on(patient),
        "is_late": _is_late(patient, today),
        "today": today,
        "corrections": corrections_of_patient(patient),
        "max_corrections": MAX_CORRECTIONS,
        "merged_from": patient.merged_from.all(),
        "may_open": patient.merged_into is None and can(request.user, Action.OPEN_EXAM, patient.site),
        "may_correct": can(request.user, Action.CORRECT_RECORD, patient.site),
        "may_edit": can(request.user, Action.UPDATE_PATIENT, patient.site),
    }
    return render(request, "screening/patients/detail.html", context)


def _is_late(patient: Patient, today: datetime.date) -> bool:
    """Whether the patient is invited and due."""
    day = due_on(patient)
    return patient.register_status_on(today) is RegisterStatus.ELIGIBLE and day is not None and day <= today
