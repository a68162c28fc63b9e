"""Referrals: the list with late ones first, one with its history, its steps and the result of the hospital."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from screening.access import Action, can, require, sites_for
from screening.forms.referrals import FeedbackForm, ReferralListForm, StepForm
from screening.forms.worklist import ANY
from screening.labels.referrals import STATE_LABELS, STEP_LABELS
from screening.models import AuditEvent, Referral, Site
from screening.policy import Urgency
from screening.policy.referrals import FEEDBACK_STATES, ReferralState, Step, step_of, steps_from
from screening.selectors.list_rows import load_rows
from screening.selectors.referral_metrics import metrics_of, referral_pairs
from screening.selectors.referrals import (
    ReferralCounts,
    ReferralFilters,
    count_referrals,
    events_of,
    feedback_of,
    get_referral,
    list_referrals,
    search_referrals,
)
from screening.services.audit import record_event
from screening.services.referrals import ReferralError, record_feedback, record_step
from screening.views.decorators import AuthenticatedRequest, login_required, require_form, searches_by_post
from screening.views.list_pages import PAGE_PARAMETERS, counted_text, page_of_list
from screening.views.parameters import require_parameters, value_of
from screening.views.worklist_filters import YES

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

PER_PAGE = 25
MAX_FOUND = 50
"""A search shows one page only: the address of a second page would contain the search text."""
SECTION, OPEN = "referrals", "open"
PARAMETERS = ("state", "site", "urgency", "late")


@dataclass(frozen=True, slots=True)
class Tab:
    """A link to the referrals in a state, with their number."""

    label: "_StrPromise | str"
    query: str
    n: str
    is_chosen: bool


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@searches_by_post
def referral_list(request: AuthenticatedRequest) -> HttpResponseBase:
    """The referrals with the filters of the address (GET), or of the form with a search text (POST)."""
    user = request.user
    require_parameters(request, known={*PARAMETERS, *PAGE_PARAMETERS})
    require(user, Action.VIEW_PATIENT)
    sites = list(sites_for(user))
    filters = read_filters(request.POST if request.method == "POST" else request.GET, sites)
    query = query_of(filters)
    form = ReferralListForm(
        request.POST if request.method == "POST" else None,
        initial=dict(parse_qsl(query)),
        sites=[(site.code, site.name) for site in sites],
    )
    if form.is_valid() and not form.cleaned_data["text"].strip():
        return redirect(f"{reverse('screening:referrals')}?{query}")
    counts = count_referrals(user=user, site=filters.site)
    context = {
        **_listed(request, form, filters, counts),
        "section": SECTION,
        "form": form,
        "query": query,
        "export_filters": dict(parse_qsl(query)),
        "export_text": form["text"].value() if form.is_valid() else "",
        "filters": filters,
        "tabs": _tabs(filters, counts),
        "counts": counts,
        "is_filtered": replace(filters, state=None) != ReferralFilters(),
        "shows_site": len(sites) > 1,
        "may_see_metrics": can(user, Action.MANAGE_SITE),
        "may_make_letters": can(user, Action.MANAGE_REGISTER) and filters.state in {None, ReferralState.MADE},
    }
    return render(request, "screening/referrals/list.html", context, status=422 if form.errors else 200)


@login_required
@require_safe
def referral_metrics(request: AuthenticatedRequest) -> HttpResponseBase:
    """How many referrals the hospitals confirmed, and how many of those that the model had flagged."""
    require_parameters(request, known=())
    require(request.user, Action.MANAGE_SITE)
    pairs = referral_pairs(user=request.user)
    versions = sorted({version for pair in pairs for version in pair.model_versions})
    context = {"section": SECTION, "metrics": metrics_of(pairs), "versions": versions}
    return render(request, "screening/referrals/metrics.html", context)


@login_required
@require_safe
def referral_detail(request: AuthenticatedRequest, referral_id: UUID) -> HttpResponseBase:
    """One referral: target days, history, what can be recorded next."""
    require_parameters(request, known=())
    return _page(request, get_referral(user=request.user, referral_id=referral_id))


@login_required
@require_form("screening:referral")
def referral_step(request: AuthenticatedRequest, referral_id: UUID) -> HttpResponseBase:
    """Record a step."""
    referral = get_referral(user=request.user, referral_id=referral_id)
    require(request.user, Action.UPDATE_REFERRAL, referral.site)
    to = value_of(request.POST, "to", values=list(ReferralState), default="")
    form = _step_form(referral, step_of(_posted_state(request), ReferralState(to)), request.POST)
    if form.is_valid():
        try:
            record_step(referral=referral, **form.cleaned_data, by=request.user)
        except ReferralError as error:
            form.add_error(error.field or None, str(error))
        else:
            messages.success(request, _("Recorded: %(state)s.") % {"state": STATE_LABELS[ReferralState(to)]})
            return redirect("screening:referral", referral_id)
    return _page(request, referral, refused=form)


@login_required
@require_form("screening:referral")
def referral_feedback(request: AuthenticatedRequest, referral_id: UUID) -> HttpResponseBase:
    """Record what the hospital found and did."""
    referral = get_referral(user=request.user, referral_id=referral_id)
    require(request.user, Action.UPDATE_REFERRAL, referral.site)
    form = FeedbackForm(request.POST)
    if form.is_valid():
        try:
            record_feedback(referral=referral, **form.result, by=request.user)
        except ReferralError as error:
            form.add_error("examined_on" if error.field == "happened_on" else error.field or None, str(error))
        else:
            text = _(
                "The result of the hospital is recorded, and the referral is closed. If the patient stays in the care "
                "of the hospital, suspend the patient in the register."
            )
            messages.success(request, text)
            return redirect("screening:referral", referral_id)
    return _page(request, referral, feedback_form=form)


def _posted_state(request: AuthenticatedRequest) -> ReferralState:
    return ReferralState(value_of(request.POST, "from_state", values=list(ReferralState), default=""))


def _page(
    request: AuthenticatedRequest,
    referral: Referral,
    *,
    refused: StepForm | None = None,
    feedback_form: FeedbackForm | None = None,
) -> HttpResponseBase:
    record_event(
        verb=AuditEvent.Verb.REFERRAL_VIEWED,
        subject=referral,
        site=referral.site,
        data={"exam": str(referral.exam_id)},
        by=request.user,
    )
    state = ReferralState(referral.state)
    may_update = can(request.user, Action.UPDATE_REFERRAL, referral.site)
    today = timezone.localdate(timezone=referral.site.zone)
    steps = [(STEP_LABELS[(one.state, one.to)], one, _step_form(referral, one)) for one in steps_from(state)]
    if may_update and state in FEEDBACK_STATES and feedback_form is None:
        feedback_form = FeedbackForm(initial={"from_state": state.value, "examined_on": today.isoformat()})
    feedback = list(feedback_of(referral))
    context = {
        "section": SECTION,
        "referral": referral,
        "patient": referral.exam.patient,
        "events": events_of(referral),
        "feedback": feedback,
        "steps": steps if may_update else [],
        "refused": refused,
        "feedback_form": feedback_form if may_update and state in FEEDBACK_STATES else None,
        "is_correction": bool(feedback),
    }
    is_refused = refused is not None or (feedback_form is not None and feedback_form.is_bound)
    return render(request, "screening/referrals/detail.html", context, status=422 if is_refused else 200)


def _step_form(referral: Referral, step: Step | None, data: Any = None) -> StepForm:
    """The form of a step. A date is proposed, except that of an appointment."""
    is_booking = step is not None and step.to is ReferralState.BOOKED
    initial = {"from_state": referral.state}
    if step is not None:
        initial["to"] = step.to.value
    if not is_booking:
        initial["happened_on"] = timezone.localdate(timezone=referral.site.zone).isoformat()
    prefix = f"id_{step.to}_%s" if step is not None else "id_step_%s"
    needs_note = step is not None and step.needs_note
    return StepForm(data, initial=initial, auto_id=prefix, is_booking=is_booking, needs_note=needs_note)


def _listed(
    request: AuthenticatedRequest, form: ReferralListForm, filters: ReferralFilters, counts: ReferralCounts
) -> dict[str, Any]:
    """A page of the list, or the referrals that the search found."""
    if not form.is_valid():
        rows = list_referrals(user=request.user, filters=filters)
        page = page_of_list(request, rows, per_page=PER_PAGE, n_known=_n_known(filters, counts))
        return {"referrals": page.object_list, "page": page}
    text = form.cleaned_data["text"]
    found = load_rows(search_referrals(user=request.user, filters=filters, text=text), 0, MAX_FOUND + 1)
    record_event(
        verb=AuditEvent.Verb.PATIENTS_SEARCHED,
        subject=None,
        site=None,
        data={"route": "screening:referrals", "n_found": len(found)},
        by=request.user,
    )
    return {"referrals": found[:MAX_FOUND], "is_search": True, "is_cut": len(found) > MAX_FOUND, "max_found": MAX_FOUND}


def _n_known(filters: ReferralFilters, counts: ReferralCounts) -> int | None:
    """Number of referrals in the list, if it follows from the counts, which are of its site."""
    if filters.urgency is not None or filters.is_late:
        return None
    return counts.open if filters.state is None else counts.states[filters.state]


def read_filters(data: Any, sites: Sequence[Site]) -> ReferralFilters:
    """The filters of an address or a form. Raises InvalidParameter for a value that a filter does not have."""
    by_code = {site.code: site for site in sites}
    state = value_of(data, "state", values=[OPEN, *ReferralState], default=OPEN)
    urgency = value_of(data, "urgency", values=[ANY, *Urgency], default=ANY)
    code = value_of(data, "site", values=[ANY, *by_code], default=ANY)
    return ReferralFilters(
        state=None if state == OPEN else ReferralState(state),
        site=by_code.get(code),
        urgency=None if urgency == ANY else urgency,
        is_late=value_of(data, "late", values=[ANY, YES], default=ANY) == YES,
    )


def query_of(filters: ReferralFilters) -> str:
    """The filters as parameters of an address."""
    values = {
        "state": filters.state or OPEN,
        "site": filters.site.code if filters.site else None,
        "urgency": filters.urgency,
        "late": YES if filters.is_late else None,
    }
    return urlencode({name: str(value) for name, value in values.items() if value is not None})


def _tabs(filters: ReferralFilters, counts: ReferralCounts) -> list[Tab]:
    """All open ones, then each state; a link keeps the site."""
    kept = ReferralFilters(site=filters.site)
    every_open = Tab(_("All open"), query_of(kept), counted_text(counts.open), is_chosen=filters.state is None)
    states = [
        Tab(
            STATE_LABELS[state], query_of(replace(kept, state=state)), counted_text(n), is_chosen=state is filters.state
        )
        for state, n in counts.states.items()
    ]
    return [every_open, *states]
