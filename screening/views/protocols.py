"""The reading protocol of a site: the version in force, its history, and the form with which a manager changes it."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from screening.access import Action, require, sites_for
from screening.forms.protocols import ProtocolForm
from screening.labels.protocols import PROTOCOL_KIND_LABELS, obstacle_text, sensitivity_text
from screening.models import Site
from screening.policy.protocols import triage_obstacle
from screening.selectors.protocols import (
    has_senior_reviewer,
    list_protocols,
    model_sensitivity,
    newest_protocol,
    protocol_in_force,
)
from screening.services.protocols import ProtocolRefused, save_protocol
from screening.views.decorators import AuthenticatedRequest, login_required
from screening.views.parameters import page_number, require_parameters

PER_PAGE = 10


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def site_protocol(request: AuthenticatedRequest, site_id: UUID) -> HttpResponseBase:
    """The protocol of a site; a POST stores a new version."""
    require_parameters(request, known={"page"})
    site = get_object_or_404(sites_for(request.user), pk=site_id)
    require(request.user, Action.MANAGE_SITE, site)
    if request.method != "POST":
        return _page(request, site, _form(site))
    form = _form(site, request.POST)
    if not form.is_valid():
        return _page(request, site, form, status=422)
    reason, base = form.cleaned_data["reason"], form.cleaned_data["base"]
    try:
        row = save_protocol(site=site, protocol=form.protocol, reason=reason, base_number=base, by=request.user)
    except ProtocolRefused as error:
        form.add_error(None, str(error))
        return _page(request, site, form, status=422)
    messages.success(request, _("Version %(number)d is stored.") % {"number": row.number})
    return redirect("screening:site-protocol", site.pk)


def _form(site: Site, data: Any = None) -> ProtocolForm:
    newest, protocol = newest_protocol(site), protocol_in_force(site)
    initial = {name: getattr(protocol, name) for name in ProtocolForm.Meta.fields if name != "reason"}
    return ProtocolForm(data, initial=initial | {"base": 0 if newest is None else newest.number})


def _page(request: AuthenticatedRequest, site: Site, form: ProtocolForm, *, status: int = 200) -> HttpResponseBase:
    sensitivity = model_sensitivity(site)
    obstacle = triage_obstacle(sensitivity)
    versions = Paginator(list_protocols(user=request.user, site=site), PER_PAGE)
    context = {
        "section": "site",
        "site": site,
        "form": form,
        "stored": newest_protocol(site),
        "kind_label": PROTOCOL_KIND_LABELS[protocol_in_force(site).kind],
        "sensitivity_text": sensitivity_text(sensitivity),
        "obstacle_text": obstacle_text(obstacle) if obstacle else "",
        "has_senior_reviewer": has_senior_reviewer(site),
        "page": versions.get_page(page_number(request)),
    }
    return render(request, "screening/sites/protocol.html", context, status=status)
