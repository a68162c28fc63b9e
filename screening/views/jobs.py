"""Long work of the sites that a user manages, in one list."""

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from screening.access import Action, require, sites_for
from screening.selectors.jobs import list_jobs, load_jobs
from screening.views.decorators import AuthenticatedRequest, login_required
from screening.views.parameters import page_number, require_parameters

PER_PAGE = 25


@login_required
@require_safe
def job_list(request: AuthenticatedRequest) -> HttpResponseBase:
    """Imports, letters and messages, newest first."""
    return render(request, "screening/jobs/list.html", _jobs(request))


@login_required
@require_safe
def job_list_status(request: AuthenticatedRequest) -> HttpResponseBase:
    """The list alone, which its page loads again while work goes on."""
    return render(request, "screening/jobs/_list.html", _jobs(request))


def _jobs(request: AuthenticatedRequest) -> dict[str, Any]:
    require_parameters(request, known={"page"})
    require(request.user, Action.MANAGE_SITE)
    page = Paginator(list_jobs(user=request.user), PER_PAGE).get_page(page_number(request))
    jobs = load_jobs(list(page.object_list), user=request.user)
    return {
        "section": "jobs",
        "page": page,
        "jobs": jobs,
        "is_working": any(job.is_working for job in jobs),
        "shows_site": sites_for(request.user, Action.MANAGE_SITE)[1:2].exists(),
    }
