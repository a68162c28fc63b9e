"""Signed results of the user's sites, newest first."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpResponseBase
from django.shortcuts import render
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from screening.access import Action, can, require, sites_for
from screening.forms.results import ResultListForm
from screening.forms.worklist import ANY
from screening.models import AuditEvent, Site
from screening.policy import Outcome
from screening.selectors.results import ResultFilters, list_results
from screening.services.audit import record_event
from screening.views.decorators import AuthenticatedRequest, login_required
from screening.views.list_pages import PAGE_PARAMETERS, page_of_list
from screening.views.parameters import day_value, require_parameters, value_of

PER_PAGE = 25
PARAMETERS = ("site", "outcome", "from_on", "to_on")


@login_required
@require_safe
def result_list(request: AuthenticatedRequest) -> HttpResponseBase:
    """The signed results with the filters of the address."""
    require_parameters(request, known={*PARAMETERS, *PAGE_PARAMETERS})
    user = request.user
    require(user, Action.VIEW_PATIENT)
    sites = list(sites_for(user))
    filters = read_filters(request.GET, sites)
    page = page_of_list(request, list_results(user=user, filters=filters), per_page=PER_PAGE)
    data: dict[str, str | float | bool | None] = {"route": "screening:results", "n_found": len(page.object_list)}
    record_event(verb=AuditEvent.Verb.PATIENTS_SEARCHED, subject=None, site=filters.site, data=data, by=user)
    values = values_of(filters)
    context = {
        "section": "patients",
        "page": page,
        "form": ResultListForm(initial=values, sites=[(site.code, site.name) for site in sites]),
        "query": urlencode(values),
        "filters": values,
        "may_make_letters": can(user, Action.MANAGE_REGISTER),
        "shows_site": len(sites) > 1,
        "is_filtered": filters != ResultFilters(),
    }
    return render(request, "screening/results/list.html", context)


def read_filters(data: Any, sites: Sequence[Site]) -> ResultFilters:
    """The filters of an address or a form. Raises InvalidParameter for a value that a filter does not have."""
    by_code = {site.code: site for site in sites}
    outcome = value_of(data, "outcome", values=[ANY, *Outcome], default=ANY)
    return ResultFilters(
        site=by_code.get(value_of(data, "site", values=[ANY, *by_code], default=ANY)),
        outcome=None if outcome == ANY else outcome,
        from_on=day_value(data, "from_on"),
        to_on=day_value(data, "to_on"),
    )


def values_of(filters: ResultFilters) -> dict[str, str]:
    """The values of an address or of hidden fields of a form."""
    values = {
        "site": filters.site.code if filters.site else None,
        "outcome": filters.outcome,
        "from_on": filters.from_on,
        "to_on": filters.to_on,
    }
    return {name: str(value) for name, value in values.items() if value is not None}
