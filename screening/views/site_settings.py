"""The settings of a site on one page: what each is now, and who changed it."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from screening.access import Action, require, sites_for
from screening.labels.protocols import PROTOCOL_KIND_LABELS
from screening.models import Site, User
from screening.selectors.documents import letterhead_of
from screening.selectors.messages import newest_text_of_site
from screening.selectors.outcome_tables import outcome_table_in_force
from screening.selectors.protocols import newest_protocol, protocol_in_force
from screening.selectors.staff import count_active_staff, list_staff_changes
from screening.views.decorators import AuthenticatedRequest, login_required
from screening.views.parameters import page_number, require_parameters

PER_PAGE = 25
SECTION = "site"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One page of settings. ``change``: the newest stored version, with who stored it and when; None: no change yet."""

    title: str
    address: str
    value: str
    change: Any


@login_required
@require_safe
def site_list(request: AuthenticatedRequest) -> HttpResponseBase:
    """The sites that the user manages, or the page of the only one."""
    require_parameters(request, known={"page"})
    require(request.user, Action.MANAGE_SITE)
    sites = sites_for(request.user, Action.MANAGE_SITE).order_by("name", "pk")
    first_two = list(sites[:2])
    if len(first_two) == 1:
        return redirect("screening:site", first_two[0].pk)
    page = Paginator(sites, PER_PAGE).get_page(page_number(request))
    return render(request, "screening/sites/list.html", {"section": SECTION, "page": page})


@login_required
@require_safe
def site_settings(request: AuthenticatedRequest, site_id: UUID) -> HttpResponseBase:
    """All pages of settings of a site, each with one line."""
    require_parameters(request, known=())
    site = get_object_or_404(sites_for(request.user), pk=site_id)
    require(request.user, Action.MANAGE_SITE, site)
    rows = [
        _staff(request.user, site),
        _protocol(site),
        _outcomes(site),
        _letterhead(site),
        _texts(request.user, site),
    ]
    return render(request, "screening/sites/settings.html", {"section": SECTION, "site": site, "rows": rows})


def _staff(user: User, site: Site) -> Setting:
    n_active = count_active_staff(user=user, site=site)
    return Setting(
        title=_("Staff"),
        address=reverse("screening:site-staff", args=[site.pk]),
        value=ngettext("%(n)d person is active", "%(n)d persons are active", n_active) % {"n": n_active},
        change=list_staff_changes(user=user, site=site).first(),
    )


def _protocol(site: Site) -> Setting:
    return Setting(
        title=_("Reading protocol"),
        address=reverse("screening:site-protocol", args=[site.pk]),
        value=str(PROTOCOL_KIND_LABELS[protocol_in_force(site).kind]),
        change=newest_protocol(site),
    )


def _outcomes(site: Site) -> Setting:
    stored = outcome_table_in_force(site).stored
    own = _("Version %(number)d of this site") % {"number": stored.number} if stored is not None else ""
    return Setting(
        title=_("Outcome rules"),
        address=reverse("screening:site-outcomes", args=[site.pk]),
        value=own or _("The built-in rules"),
        change=stored,
    )


def _letterhead(site: Site) -> Setting:
    stored = letterhead_of(site)
    return Setting(
        title=_("Letterhead"),
        address=reverse("screening:site-letterhead", args=[site.pk]),
        value=stored.name if stored is not None else _("The name of the site, without an address"),
        change=stored,
    )


def _texts(user: User, site: Site) -> Setting:
    stored = newest_text_of_site(user=user, site=site)
    return Setting(
        title=_("Texts of messages and letters"),
        address=reverse("screening:site-message-texts", args=[site.pk]),
        value=_("Some are those of this site") if stored is not None else _("The built-in texts"),
        change=stored,
    )
