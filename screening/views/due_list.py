"""The due list: whom to invite, who is overdue, and why the others are not invited."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl
from uuid import UUID

from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from screening.access import Action, require, sites_for
from screening.forms.due_list import DueListForm
from screening.labels.recall import STATE_LABELS, STEP_LABELS
from screening.models import AuditEvent, Patient, Site
from screening.policy.recall import NextStep, RecallState
from screening.selectors.due_list import TO_CALL, DueFilters, count_states, due_list
from screening.selectors.list_rows import load_rows
from screening.services.audit import record_event
from screening.views.decorators import AuthenticatedRequest, login_required, searches_by_post
from screening.views.due_list_filters import PARAMETERS, query_of, read_filters
from screening.views.list_pages import PAGE_PARAMETERS, page_of_list
from screening.views.parameters import require_parameters

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

PER_PAGE = 25
MAX_FOUND = 50
"""A search shows one page only: the address of a second page would contain the search text."""


@dataclass(frozen=True, slots=True)
class DueRow:
    """A person of the list; ``step`` is empty if nothing is to be done today."""

    patient: Patient
    state: "_StrPromise"
    code: str
    step: "_StrPromise | str"


@login_required
@require_safe
def due_list_sites(request: AuthenticatedRequest) -> HttpResponseBase:
    """The sites of the user, or the list of the only one."""
    require_parameters(request, known=())
    require(request.user, Action.MANAGE_REGISTER)
    sites = sites_for(request.user, Action.MANAGE_REGISTER).order_by("name", "pk")
    first_two = list(sites[:2])
    if len(first_two) == 1:
        return redirect("screening:site-due-list", first_two[0].pk)
    return render(request, "screening/due_list/sites.html", {"section": "patients", "sites": sites})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@searches_by_post
def site_due_list(request: AuthenticatedRequest, site_id: UUID) -> HttpResponseBase:
    """People of a site, the longest due first, with the filters of the address (GET) or of the form (POST).

    A search text is never part of an address; a form without one is redirected to the address of its filters.
    """
    require_parameters(request, known={*PARAMETERS, *PAGE_PARAMETERS})
    site = get_object_or_404(sites_for(request.user), pk=site_id)
    require(request.user, Action.MANAGE_REGISTER, site)
    filters = read_filters(request.POST if request.method == "POST" else request.GET)
    counts = count_states(user=request.user, site=site)
    query = query_of(filters)
    form = DueListForm(request.POST or None, initial=_initial(filters), counts=counts)
    if form.is_valid() and not form.cleaned_data["text"].strip():
        return redirect(f"{reverse('screening:site-due-list', args=[site.pk])}?{query}")
    context = {
        **_people(request, site, form, filters, counts),
        "section": "patients",
        "site": site,
        "form": form,
        "query": query,
        "export_filters": dict(parse_qsl(query)),
        "export_text": form["text"].value() if form.is_valid() else "",
        "rules": site.recall_rules,
        "tabs": [(state.value, STATE_LABELS[state], counts[state], state is filters.state) for state in _TABS],
        "n_people": sum(counts.values()),
        "is_filtered": filters != DueFilters(),
        "shows_all": filters.state is None,
    }
    return render(request, "screening/due_list/list.html", context, status=422 if form.errors else 200)


_TABS = (*TO_CALL, RecallState.BOOKED, RecallState.IN_PROGRESS, RecallState.LOST, RecallState.NOT_DUE)


def _people(
    request: AuthenticatedRequest, site: Site, form: DueListForm, filters: DueFilters, counts: dict[RecallState, int]
) -> dict[str, Any]:
    """A page of the list, or the people whom the search found; audited with their number."""
    user, today = request.user, timezone.localdate(timezone=site.zone)
    if form.is_valid():
        text = form.cleaned_data["text"]
        found = load_rows(due_list(user=user, site=site, filters=filters, text=text), 0, MAX_FOUND + 1)
        context: dict[str, Any] = {"is_search": True, "is_cut": len(found) > MAX_FOUND, "max_found": MAX_FOUND}
        people = found[:MAX_FOUND]
    else:
        rows = due_list(user=user, site=site, filters=filters)
        page = page_of_list(request, rows, per_page=PER_PAGE, n_known=_n_known(filters, counts))
        context = {"page": page}
        people = list(page.object_list)
    data: dict[str, str | float | bool | None] = {"route": "screening:site-due-list", "n_found": len(people)}
    record_event(verb=AuditEvent.Verb.PATIENTS_SEARCHED, subject=None, site=site, data=data, by=user)
    return context | {"rows": [_row(patient, today) for patient in people]}


def _n_known(filters: DueFilters, counts: dict[RecallState, int]) -> int | None:
    """Number of people in the list, if it follows from those in each state."""
    if filters == DueFilters():
        return sum(counts.values())
    return counts[filters.state] if filters.state and filters == DueFilters(state=filters.state) else None


def _row(patient: Any, today: Any) -> DueRow:
    state = RecallState(patient.state)
    is_to_do = state in TO_CALL and patient.next_step_on is not None and patient.next_step_on <= today
    step = STEP_LABELS[NextStep(patient.next_step)] if is_to_do else ""
    return DueRow(patient, STATE_LABELS[state], state.value, step)


def _initial(filters: DueFilters) -> dict[str, Any]:
    return {
        "state": filters.state,
        "step": filters.step,
        "due_by": filters.due_by,
        "never": filters.is_never_screened,
    }
