"""The audit trail of a site, for its managers and for superusers: who did what, as sentences."""

import uuid
from typing import Any

from django.http import Http404, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from screening.access import Action, require, sites_for, sites_to_audit
from screening.forms.audit import AuditFilterForm, AuditPatientForm
from screening.forms.worklist import ANY
from screening.models import AuditEvent, Patient, Site, User
from screening.policy.audit import AuditGroup
from screening.selectors import find_patients, get_patient
from screening.selectors.audit import AuditFilters, get_actor, list_events, page_of_events, people_to_filter
from screening.selectors.audit_lines import lines_of_events
from screening.services.audit import record_event
from screening.views.decorators import AuthenticatedRequest, login_required
from screening.views.parameters import InvalidParameter, day_value, require_parameters, value_of

PER_PAGE = 50
PARAMETERS = ("person", "patient", "action", "from_on", "to_on")
_MAX_DIGITS = 18


@login_required
@require_safe
def audit_sites(request: AuthenticatedRequest) -> HttpResponseBase:
    """The sites whose audit trail the user may see, or the trail of the only one."""
    require_parameters(request, known=())
    sites = list(sites_to_audit(request.user).order_by("name", "pk"))
    if not sites:
        require(request.user, Action.VIEW_AUDIT)
    if len(sites) == 1:
        return redirect("screening:site-audit", sites[0].pk)
    return render(request, "screening/audit/sites.html", {"section": "audit", "sites": sites})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def site_audit(request: AuthenticatedRequest, site_id: uuid.UUID) -> HttpResponseBase:
    """The events with the filters of the address (GET); find a patient by number, to filter by it (POST)."""
    require_parameters(request, known={*PARAMETERS, "before", "after"})
    site = site_to_audit(request, site_id)
    filters = read_filters(request.GET, site, request.user)
    form = AuditPatientForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        patient = _find_patient(request, site, form.cleaned_data["mrn"])
        if patient is not None:
            query = urlencode(values_of(filters) | {"patient": str(patient.pk)})
            return redirect(f"{reverse('screening:site-audit', args=[site.pk])}?{query}")
        form.add_error("mrn", _("No patient of this site has this number. Check it, and enter the whole number."))
    context = _page(request, site, filters) | {"patient_form": form}
    return render(request, "screening/audit/list.html", context, status=422 if form.errors else 200)


def site_to_audit(request: AuthenticatedRequest, site_id: uuid.UUID) -> Site:
    """A site whose audit trail the user may see. Raises Http404, AccessDenied."""
    site = sites_to_audit(request.user).filter(pk=site_id).first()
    if site is None:
        site = get_object_or_404(sites_for(request.user), pk=site_id)
        require(request.user, Action.VIEW_AUDIT, site)
    return site


def read_filters(data: Any, site: Site, user: User) -> AuditFilters:
    """The filters of an address or a form. Raises InvalidParameter, Http404."""
    group = value_of(data, "action", values=[ANY, *AuditGroup], default=ANY)
    person, patient_id = _id(data, "person"), _id(data, "patient")
    patient = None if patient_id is None else get_patient(user=user, patient_id=patient_id)
    if patient is not None and patient.site_id != site.pk:
        raise Http404
    return AuditFilters(
        person=None if person is None else get_actor(site=site, user_id=person),
        patient=patient,
        group=None if group == ANY else AuditGroup(group),
        from_on=day_value(data, "from_on"),
        to_on=day_value(data, "to_on"),
    )


def values_of(filters: AuditFilters) -> dict[str, str]:
    """The values of an address or of hidden fields of a form."""
    values = {
        "person": filters.person and filters.person.pk,
        "patient": filters.patient and filters.patient.pk,
        "action": filters.group,
        "from_on": filters.from_on,
        "to_on": filters.to_on,
    }
    return {name: str(value) for name, value in values.items() if value is not None}


def _page(request: AuthenticatedRequest, site: Site, filters: AuditFilters) -> dict[str, Any]:
    """What the page shows; the look is recorded."""
    rows = list_events(user=request.user, site=site, filters=filters)
    before, after = _event_id(request, "before"), _event_id(request, "after")
    page = page_of_events(rows, site=site, before=before, after=after, per_page=PER_PAGE)
    lines = lines_of_events(page.events, user=request.user)
    values = values_of(filters)
    data: dict[str, str | float | bool | None] = {"n_found": len(lines), "filters": ",".join(values)}
    verb = AuditEvent.Verb.AUDIT_VIEWED
    record_event(verb=verb, subject=filters.patient or site, site=site, data=data, by=request.user)
    people = {str(one.pk): str(one) for one in people_to_filter(site)}
    if filters.person is not None:
        people.setdefault(str(filters.person.pk), str(filters.person))
    return {
        "section": "audit",
        "site": site,
        "page": page,
        "lines": lines,
        "form": AuditFilterForm(initial=values, people=list(people.items())),
        "patient": filters.patient,
        "values": values,
        "query": urlencode(values),
        "without_patient": urlencode({name: value for name, value in values.items() if name != "patient"}),
    }


def _find_patient(request: AuthenticatedRequest, site: Site, mrn: str) -> Patient | None:
    found = find_patients(user=request.user, mrn=mrn).filter(site=site).first()
    data: dict[str, str | float | bool | None] = {"route": "screening:site-audit", "n_found": int(found is not None)}
    record_event(verb=AuditEvent.Verb.PATIENTS_SEARCHED, subject=None, site=site, data=data, by=request.user)
    return found


def _id(data: Any, name: str) -> uuid.UUID | None:
    text = data.get(name, "")
    if text in {"", ANY}:
        return None
    try:
        return uuid.UUID(text)
    except ValueError as error:
        message = _("“%(name)s” is the id of a record. Choose it on the page.")
        raise InvalidParameter(message % {"name": name}) from error


def _event_id(request: AuthenticatedRequest, name: str) -> int | None:
    text = request.GET.get(name, "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS):
        raise InvalidParameter(_("“%(name)s” is the number of an event. Open the first page again.") % {"name": name})
    return int(text)
