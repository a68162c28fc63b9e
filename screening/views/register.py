"""Status of a person in the register: history, and a form to change it."""

from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from screening.access import Action, can, require
from screening.forms.register import RegisterEntryForm
from screening.labels.register import STATUS_LABELS
from screening.models import AuditEvent
from screening.selectors import get_patient
from screening.selectors.register import list_register_entries
from screening.services.audit import record_event
from screening.services.register import (
    MergedRecord,
    RegisterChanged,
    RegisterEntryRefused,
    change_register_status,
    newest_entry_id,
)
from screening.views.decorators import AuthenticatedRequest, login_required
from screening.views.parameters import page_number, require_parameters

PER_PAGE = 25


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def patient_register(request: AuthenticatedRequest, patient_id: UUID) -> HttpResponseBase:
    """The history of a person in the register (GET), or a change of the status (POST)."""
    require_parameters(request, known={"page"})
    patient = get_patient(user=request.user, patient_id=patient_id)
    today = timezone.localdate(timezone=patient.site.zone)
    form = RegisterEntryForm(request.POST or None, initial={"from_on": today, "base": newest_entry_id(patient)})
    if request.method == "POST":
        require(request.user, Action.MANAGE_REGISTER, patient.site)
        if form.is_valid():
            try:
                change_register_status(patient=patient, **form.cleaned_data, by=request.user)
            except MergedRecord as error:
                messages.error(request, str(error))
                return redirect("screening:patient-detail", patient.pk)
            except RegisterChanged as error:
                patient.refresh_from_db()
                changed = request.POST.copy()  # sent again, the entry follows the newer one
                changed["base"] = newest_entry_id(patient)
                form.data = changed
                form.add_error(None, str(error))
            except RegisterEntryRefused as error:
                form.add_error(error.field, str(error))
            else:
                messages.success(request, _("The status in the register is changed."))
                return redirect("screening:patient-detail", patient.pk)
    else:
        record_event(verb=AuditEvent.Verb.PATIENT_VIEWED, subject=patient, site=patient.site, by=request.user)
    entries = Paginator(list_register_entries(user=request.user, patient=patient), PER_PAGE)
    context = {
        "section": "patients",
        "patient": patient,
        "today": today,
        "status_label": STATUS_LABELS[patient.register_status_on(today)],
        "form": form,
        "page": entries.get_page(page_number(request)),
        "may_manage": can(request.user, Action.MANAGE_REGISTER, patient.site) and patient.merged_into is None,
    }
    return render(request, "screening/patients/register.html", context, status=422 if form.errors else 200)
