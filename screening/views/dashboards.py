"""The dashboard of a site, or of all sites of a manager: overview, agreement, staff and cameras."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.http import Http404, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from screening.access import Action, managed_sites, require, sites_for
from screening.models import Programme, Site, User
from screening.policy.daily_counts import Period
from screening.policy.dashboard_tables import Table
from screening.selectors.agreement_tables import agreement_tables
from screening.selectors.dashboards import Standing, last_count_run, standing_of
from screening.selectors.drift_checks import drift_alerts, drift_pictures, newest_checks
from screening.selectors.drift_tables import drift_by_site, drift_tables
from screening.selectors.overview_tables import overview_tables, site_table
from screening.selectors.staff_tables import camera_table, staff_tables
from screening.views.decorators import AuthenticatedRequest, login_required
from screening.views.parameters import InvalidParameter, day_value, page_number, require_parameters, value_of

SECTION = "dashboard"
PERIODS = {"28d": 28, "90d": 90, "12m": 365}
DEFAULT_PERIOD = "28d"
MAX_DAYS = 3660
SITES_PER_PAGE = 25
OVERVIEW, AGREEMENT, STAFF, DRIFT = "", "agreement", "staff", "drift"


@dataclass(frozen=True)
class Scope:
    """The sites that are counted together: one, those of a programme that the user may see, or all of the user.

    ``is_manager``: the user manages each of them, and sees the figures of persons.
    """

    site: Site | None
    sites: tuple[Site, ...]
    is_manager: bool
    programme: Programme | None = None

    @property
    def today(self) -> datetime.date:
        zones = [site.zone for site in self.sites] or [timezone.get_default_timezone()]
        return max(timezone.localdate(timezone=zone) for zone in zones)

    @cached_property
    def standing(self) -> Standing:
        """Register and backlog of the sites, asked once for a page."""
        return standing_of([site.pk for site in self.sites])


@login_required
@require_safe
def dashboard(
    request: AuthenticatedRequest, site_id: UUID | None = None, page_code: str = OVERVIEW
) -> HttpResponseBase:
    """One page of the dashboard; without ``site_id`` that of all sites of the user."""
    require_parameters(request, known={"period", "from_on", "to_on", "page", "programme"})
    scope = scope_of(request.user, site_id, request.GET)
    period = read_period(request.GET, scope)
    chosen = _chosen_period(request)
    days = {"from_on": period.from_on.isoformat(), "to_on": period.to_on.isoformat()}
    of_programme = {"programme": str(scope.programme.pk)} if scope.programme else {}
    query = urlencode(({"period": chosen} if chosen else days) | of_programme)
    context: dict[str, Any] = {
        "section": SECTION,
        "site": scope.site,
        "n_sites": len(scope.sites),
        "programme": scope.programme,
        "programmes": [] if scope.site else _programmes(request.user),
        "period": period,
        "run": last_count_run(),
        "zone": scope.sites[0].zone if scope.sites else timezone.get_default_timezone(),
        "drift_alerts": drift_alerts(scope.sites, scope.today),
        "tables": _tables(scope, period, page_code),
        "shows_period": page_code != DRIFT,
        "hides_persons": page_code == STAFF and not scope.is_manager,
        "period_links": _period_links(chosen),
        "page_links": _page_links(scope, page_code, query),
        "days": days,
        "export_filters": days | of_programme,
        "query": query,
        "keep": f"{query}&",
    }
    if scope.site is not None and page_code == DRIFT:
        check = newest_checks([scope.site], scope.today).get(scope.site.pk)
        context |= {"check": check, "pictures": drift_pictures(check, request.user)}
    if scope.site is None and page_code == OVERVIEW and len(scope.sites) > 1:
        page = Paginator(scope.sites, SITES_PER_PAGE).get_page(page_number(request))
        table = site_table(list(page.object_list), period, scope.standing)
        context |= {"page": page, "site_rows": list(zip(page.object_list, table.rows, strict=True)), "by_site": table}
    return render(request, "screening/dashboards/page.html", context)


def scope_of(user: User, site_id: UUID | None, data: Any) -> Scope:
    """The site, or all sites whose dashboard the user may see, or those of a programme.

    Raises Http404, AccessDenied, InvalidParameter.
    """
    sites, programme = managed_sites(user), None
    if site_id is None and data.get("programme"):
        programmes = {str(one.pk): one for one in _programmes(user)}
        programme = programmes[value_of(data, "programme", values=programmes, default="")]
        sites = sites.filter(programme=programme)
    if site_id is None:
        found = tuple(sites.order_by("name", "pk"))
        if not found:
            require(user, Action.MANAGE_SITE)
        site = None
    else:
        site = sites.filter(pk=site_id).first()
        if site is None:
            site = get_object_or_404(sites_for(user), pk=site_id)
            require(user, Action.MANAGE_SITE, site)
        found = (site,)
    managed = set(sites_for(user, Action.MANAGE_SITE).values_list("pk", flat=True))
    return Scope(site, found, is_manager=managed.issuperset(one.pk for one in found), programme=programme)


def _programmes(user: User) -> list[Programme]:
    """Programmes of the sites whose dashboard the user may see."""
    sites = managed_sites(user).order_by().values("programme")
    return list(Programme.objects.filter(pk__in=sites).order_by("name"))


def read_period(data: Any, scope: Scope) -> Period:
    """The days of an address or a form; by default the last 28. Raises InvalidParameter."""
    from_on, to_on = day_value(data, "from_on"), day_value(data, "to_on")
    code = value_of(data, "period", values=PERIODS, default=DEFAULT_PERIOD)
    if from_on is None and to_on is None:
        return Period(scope.today - datetime.timedelta(days=PERIODS[code] - 1), scope.today)
    if from_on is None or to_on is None:
        raise InvalidParameter(_("Choose both days, the first and the last one."))
    if from_on > to_on:
        raise InvalidParameter(_("The first day is after the last one. Exchange them."))
    if (to_on - from_on).days >= MAX_DAYS:
        raise InvalidParameter(_("A period has at most ten years. Choose a later first day."))
    return Period(from_on, to_on)


def find_table(scope: Scope, period: Period, code: str) -> Table:
    """A table of any page that the user may see. Raises Http404."""
    if code == "sites" and scope.site is None:
        return site_table(scope.sites, period, scope.standing)
    for page_code in (OVERVIEW, AGREEMENT, STAFF, DRIFT):
        for table in _tables(scope, period, page_code):
            if table.code == code:
                return table
    raise Http404


def _tables(scope: Scope, period: Period, page_code: str) -> list[Table]:
    if page_code == AGREEMENT:
        return agreement_tables(scope.sites, period)
    if page_code == DRIFT:
        checks = newest_checks(scope.sites, scope.today)
        if scope.site is None:
            return [drift_by_site(scope.sites, checks)]
        return [table for check in checks.values() for table in drift_tables(scope.site, check)]
    if page_code == STAFF:
        of_persons = staff_tables(scope.sites, period) if scope.is_manager else []
        return [camera_table(scope.sites, period), *of_persons]
    return overview_tables(scope.sites, period, scope.standing)


def _chosen_period(request: AuthenticatedRequest) -> str:
    """The code of the period; empty if its days are chosen."""
    has_days = request.GET.get("from_on") or request.GET.get("to_on")
    return "" if has_days else request.GET.get("period", DEFAULT_PERIOD)


def _period_links(chosen: str) -> Sequence[tuple[str, str, bool]]:
    labels = {"28d": _("Last 28 days"), "90d": _("Last 90 days"), "12m": _("Last 12 months")}
    return [(code, label, code == chosen) for code, label in labels.items()]


def _page_links(scope: Scope, page_code: str, query: str) -> Sequence[tuple[str, str, bool]]:
    """Address, name and whether it is this one, of each page."""
    labels = {OVERVIEW: _("Overview"), AGREEMENT: _("Agreement"), STAFF: _("Cameras and staff"), DRIFT: _("Drift")}
    prefix, ids = ("screening:site-dashboard", [scope.site.pk]) if scope.site else ("screening:dashboard", [])
    found = []
    for code, label in labels.items():
        address = reverse(f"{prefix}-page", args=[*ids, code]) if code else reverse(prefix, args=ids)
        found.append((f"{address}?{query}", label, code == page_code))
    return found
