"""Messages of a site: the log with its filters, sending to the people of the due list, cancelling one that waits."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponseBase, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from screening.access import Action, can, require, sites_for
from screening.forms.due_list import ANY
from screening.forms.messages import BatchForm
from screening.labels.messages import CHANNEL_LABELS, KIND_LABELS, REASON_LABELS, STATE_LABELS
from screening.models import Site
from screening.policy.messages import MessageChannel, MessageKind, MessageReason, MessageState
from screening.selectors.messages import MessageFilters, count_message_states, get_message, list_messages
from screening.services.message_channels import available_channels
from screening.services.messages import MAX_BATCH, MessageRefused, cancel_message, preview_batch, queue_batch
from screening.views.decorators import AuthenticatedRequest, login_required
from screening.views.due_list_filters import PARAMETERS as DUE_LIST_PARAMETERS
from screening.views.due_list_filters import query_of
from screening.views.due_list_filters import read_filters as read_due_filters
from screening.views.list_pages import PAGE_PARAMETERS, page_of_list
from screening.views.parameters import require_parameters, value_of

PER_PAGE = 50
_FILTERS: dict[str, Any] = {
    "state": (MessageState, STATE_LABELS, gettext_lazy("State")),
    "kind": (MessageKind, KIND_LABELS, gettext_lazy("Message")),
    "channel": (MessageChannel, CHANNEL_LABELS, gettext_lazy("How")),
    "reason": (MessageReason, REASON_LABELS, gettext_lazy("Reason")),
}


@login_required
@require_safe
def site_messages(request: AuthenticatedRequest, site_id: UUID) -> HttpResponseBase:
    """The log of a site, newest first, with the filters of the address."""
    require_parameters(request, known={*_FILTERS, *PAGE_PARAMETERS})
    site = _site(request, site_id)
    filters = read_filters(request.GET)
    counts = count_message_states(user=request.user, site=site)
    page = page_of_list(request, list_messages(user=request.user, site=site, filters=filters), per_page=PER_PAGE)
    chosen = {name: getattr(filters, name) for name in _FILTERS}
    values = {name: value.value for name, value in chosen.items() if value is not None}
    context = {
        "section": "patients",
        "site": site,
        "page": page,
        "tabs": [(one.value, STATE_LABELS[one], n, one is filters.state) for one, n in counts.items()],
        "n_messages": sum(counts.values()),
        "selects": [
            (name, label, [(one.value, labels[one], one is chosen[name]) for one in codes])
            for name, (codes, labels, label) in _FILTERS.items()
        ],
        "query": urlencode(values),
        "values": values,
        "is_filtered": filters != MessageFilters(),
        "missing": _missing_channels(),
        "may_edit": can(request.user, Action.MANAGE_SITE, site),
    }
    return render(request, "screening/messages/log.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def site_due_list_messages(request: AuthenticatedRequest, site_id: UUID) -> HttpResponseBase:
    """How many people of the due list would get a message, and why others not (GET); queue them (POST)."""
    require_parameters(request, known=DUE_LIST_PARAMETERS)
    site, filters = _site(request, site_id), read_due_filters(request.GET)
    query = query_of(filters)
    form = BatchForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            batch = queue_batch(site=site, filters=filters, batch_id=form.cleaned_data["batch"], by=request.user)
        except MessageRefused as error:
            form.add_error(None, str(error))
        else:
            text = ngettext("%(n)d message is queued.", "%(n)d messages are queued.", batch.n_queued)
            messages.success(request, text % {"n": batch.n_queued})
            return redirect("screening:site-messages", site.pk)
    preview = preview_batch(site=site, filters=filters, by=request.user)
    context = {
        "section": "patients",
        "site": site,
        "form": form,
        "query": query,
        "preview": preview,
        "channels": [(CHANNEL_LABELS[one], n) for one, n in preview.channels.items()],
        "reasons": [(REASON_LABELS[one], n) for one, n in preview.reasons.items()],
        "max_batch": MAX_BATCH,
        "missing": _missing_channels(),
    }
    return render(request, "screening/messages/batch.html", context, status=422 if form.errors else 200)


@login_required
@require_POST
def message_cancel(request: AuthenticatedRequest, message_id: UUID) -> HttpResponseBase:
    """Cancel a message that waits, and return to the messages of its person."""
    message = get_message(user=request.user, message_id=message_id)
    try:
        cancel_message(message=message, by=request.user)
    except MessageRefused as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("The message is cancelled."))
    return redirect(reverse("screening:patient-messages", args=[message.patient_id]))


def _site(request: AuthenticatedRequest, site_id: UUID) -> Site:
    site = get_object_or_404(sites_for(request.user), pk=site_id)
    require(request.user, Action.MANAGE_REGISTER, site)
    return site


def _missing_channels() -> list[str]:
    """What this installation cannot send by, in words."""
    texts = {
        MessageChannel.EMAIL: _("No mail server is set: no e-mail can be sent."),
        MessageChannel.SMS: _("No provider of text messages is set: none can be sent."),
    }
    return [text for channel, text in texts.items() if channel not in available_channels()]


def read_filters(data: QueryDict) -> MessageFilters:
    """The filters of an address. Raises InvalidParameter for a value that a filter does not have."""
    found: dict[str, Any] = {}
    for name, (codes, *_labels) in _FILTERS.items():
        value = value_of(data, name, values=[ANY, *codes], default=ANY)
        found[name] = None if value == ANY else codes(value)
    return MessageFilters(**found)
