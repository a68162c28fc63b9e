"""Messages to one person: their log, and a form to send one that does not follow from the due list."""

from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from screening.access import Action, require
from screening.forms.messages import MessageForm
from screening.labels.messages import CHANNEL_LABELS, REASON_LABELS
from screening.models import AuditEvent
from screening.policy.messages import MessageReason
from screening.selectors import get_patient
from screening.selectors.bookings import next_booking
from screening.selectors.messages import messages_of_patient
from screening.services.audit import record_event
from screening.services.message_plans import channel_to, site_facts
from screening.services.messages import MessageRefused, queue_message
from screening.views.decorators import AuthenticatedRequest, login_required
from screening.views.parameters import page_number, require_parameters

PER_PAGE = 25


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def patient_messages(request: AuthenticatedRequest, patient_id: UUID) -> HttpResponseBase:
    """Messages to a person (GET); queue one (POST)."""
    require_parameters(request, known={"page"})
    patient = get_patient(user=request.user, patient_id=patient_id)
    require(request.user, Action.MANAGE_REGISTER, patient.site)
    today = timezone.localdate(timezone=patient.site.zone)
    booked = next_booking(user=request.user, patient=patient, today=today)
    initial = {} if booked is None else {"day": booked.day, "time": booked.time}
    form = MessageForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            queue_message(patient=patient, **form.values(patient.site), by=request.user)
        except MessageRefused as error:
            form.add_error(error.field or None, str(error))
        else:
            messages.success(request, _("The message is queued."))
            return redirect("screening:patient-messages", patient.pk)
    if request.method != "POST":
        record_event(verb=AuditEvent.Verb.PATIENT_VIEWED, subject=patient, site=patient.site, by=request.user)
    channel = channel_to(patient, site_facts(patient.site))
    rows = Paginator(messages_of_patient(user=request.user, patient=patient), PER_PAGE)
    context = {
        "section": "patients",
        "patient": patient,
        "form": form,
        "channel": None if isinstance(channel, MessageReason) else CHANNEL_LABELS[channel],
        "reason": REASON_LABELS[channel] if isinstance(channel, MessageReason) else None,
        "may_send": not isinstance(channel, MessageReason) and patient.merged_into_id is None,
        "page": rows.get_page(page_number(request)),
    }
    return render(request, "screening/messages/patient.html", context, status=422 if form.errors else 200)
