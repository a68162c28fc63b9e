"""Contacts with a person: their history, and a form to record one."""

import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from screening.access import Action, require
from screening.forms.contacts import ContactForm
from screening.models import AuditEvent
from screening.policy.recall import KIND_OF_STEP, RESULTS, ContactChannel, ContactKind, NextStep
from screening.policy.register import RegisterStatus
from screening.selectors import get_patient
from screening.selectors.contacts import list_contacts, may_see_next_step
from screening.services.audit import record_event
from screening.services.contacts import ContactRefused, newest_contact_of, record_contact
from screening.views.decorators import AuthenticatedRequest, login_required
from screening.views.parameters import page_number, require_parameters

PER_PAGE = 25


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def patient_contacts(request: AuthenticatedRequest, patient_id: UUID) -> HttpResponseBase:
    """The contacts with a person (GET); record one (POST). The form begins with the next step."""
    require_parameters(request, known={"page"})
    patient = get_patient(user=request.user, patient_id=patient_id)
    require(request.user, Action.MANAGE_REGISTER, patient.site)
    today = timezone.localdate(timezone=patient.site.zone)
    is_invited = patient.register_status_on(today) is RegisterStatus.ELIGIBLE
    shows_next_step = is_invited and may_see_next_step(user=request.user, patient=patient)
    newest = newest_contact_of(patient)
    initial = {**_initial(patient.next_step if shows_next_step else "", today), "base": newest.pk if newest else ""}
    form = ContactForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            record_contact(patient=patient, **form.values, by=request.user)
        except ContactRefused as error:
            form.add_error(error.field if error.field in form.fields else "contact", str(error))
        else:
            messages.success(request, _("The contact is recorded."))
            return redirect("screening:patient-contacts", patient.pk)
    if request.method != "POST":
        record_event(verb=AuditEvent.Verb.PATIENT_VIEWED, subject=patient, site=patient.site, by=request.user)
    contacts = Paginator(list_contacts(user=request.user, patient=patient), PER_PAGE)
    context = {
        "section": "patients",
        "patient": patient,
        "form": form,
        "page": contacts.get_page(page_number(request)),
        "shows_next_step": shows_next_step,
    }
    return render(request, "screening/patients/contacts.html", context, status=422 if form.errors else 200)


def _initial(next_step: str, today: datetime.date) -> dict[str, Any]:
    """The contact that is the next step, made today; an invitation without one."""
    kind = KIND_OF_STEP.get(NextStep(next_step)) if next_step else None
    kind = kind or ContactKind.INVITATION
    channel = ContactChannel.PHONE if kind is ContactKind.PHONE_CALL else ContactChannel.LETTER
    return {"contact": f"{kind}:{RESULTS[kind][0]}", "channel": channel.value, "on": today}
