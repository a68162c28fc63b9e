"""The page of readers who read exams again, for managers."""

from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from screening.access import Action, require, sites_for
from screening.selectors.repeat_agreement import repeat_agreements, repeat_readers
from screening.views.decorators import AuthenticatedRequest, login_required
from screening.views.parameters import page_number, require_parameters

PER_PAGE = 25


@login_required
@require_safe
def site_repeats(request: AuthenticatedRequest, site_id: UUID) -> HttpResponseBase:
    """Agreement of each reader of a site with the own first readings."""
    require_parameters(request, known={"page"})
    site = get_object_or_404(sites_for(request.user), pk=site_id)
    require(request.user, Action.MANAGE_SITE, site)
    page = Paginator(repeat_readers(user=request.user, site=site), PER_PAGE).get_page(page_number(request))
    context = {
        "section": "outcomes",
        "site": site,
        "page": page,
        "rows": repeat_agreements(user=request.user, site=site, readers=list(page.object_list)),
    }
    return render(request, "screening/sites/repeats.html", context)
