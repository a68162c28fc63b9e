"""Outcome tables of sites: the rules in words, their versions, and the page on which a manager changes them."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponseBase, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from screening.access import Action, can, require, sites_for
from screening.forms.outcome_tables import TableEditor, with_another_rule
from screening.labels.outcome_tables import FIXED_RULES, rule_lines, table_differences
from screening.models import Site, SiteOutcomeTable
from screening.policy import GradingScale, OutcomeTable, default_table, nhs_table
from screening.policy.default_outcomes import CURRENT_VERSION, FIRST_VERSION
from screening.selectors.outcome_tables import list_outcome_tables, newest_version, outcome_table_in_force
from screening.services.outcome_tables import TableConflict, TableRefused, preview_table, save_table
from screening.views.decorators import AuthenticatedRequest, login_required
from screening.views.parameters import page_number, require_parameters, value_of

PER_PAGE = 10
SECTION = "outcomes"
IN_FORCE, DEFAULT, NHS = "in-force", "default", "nhs"
BUILT_IN = tuple(map(str, range(FIRST_VERSION, CURRENT_VERSION + 1)))
STARTS = (IN_FORCE, DEFAULT, NHS)
"""What the page of changes begins with."""


@login_required
@require_safe
def site_list(request: AuthenticatedRequest) -> HttpResponseBase:
    """The sites of the user, or the table of the only one."""
    require_parameters(request, known=())
    require(request.user, Action.VIEW_PATIENT)
    sites = sites_for(request.user).order_by("name", "pk")
    first_two = list(sites[:2])
    if len(first_two) == 1:
        return redirect("screening:site-outcomes", first_two[0].pk)
    return render(request, "screening/sites/outcome_sites.html", {"section": SECTION, "sites": sites})


@login_required
@require_safe
def site_outcomes(request: AuthenticatedRequest, site_id: UUID) -> HttpResponseBase:
    """The table in force at a site in words, and all its versions."""
    require_parameters(request, known={"page"})
    site = _site(request, site_id)
    in_force = outcome_table_in_force(site)
    return _table_page(request, site, in_force.table, in_force.stored)


@login_required
@require_safe
def site_outcome_table(request: AuthenticatedRequest, site_id: UUID, scale: str, number: int) -> HttpResponseBase:
    """One version of the table of a site; number 0 is the built-in table, by default its current version."""
    require_parameters(request, known={"page", "built-in"})
    site = _site(request, site_id)
    if scale not in list(GradingScale):
        raise Http404
    if number == 0:
        version = int(value_of(request.GET, "built-in", values=BUILT_IN, default=BUILT_IN[-1]))
        table = default_table(GradingScale(scale), version)
        return _table_page(request, site, table, None, is_version=True, built_in_version=version)
    stored = get_object_or_404(list_outcome_tables(user=request.user, site=site), scale=scale, number=number)
    return _table_page(request, site, stored.table, stored, is_version=True)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def site_outcomes_edit(request: AuthenticatedRequest, site_id: UUID) -> HttpResponseBase:
    """Change the table of a site: add rules, preview whom it would affect, then store it as a new version."""
    require_parameters(request, known={"start"})
    site = _site(request, site_id)
    require(request.user, Action.MANAGE_SITE, site)
    if request.method != "POST":
        start = value_of(request.GET, "start", values=STARTS, default=IN_FORCE)
        return _edit_page(request, site, _editor(site, start=start), start=start)
    if request.POST.get("action") == "add":
        return _edit_page(request, site, _editor(site, data=with_another_rule(request.POST)), is_added=True)
    editor = _editor(site, data=request.POST)
    if not editor.is_valid():
        return _edit_page(request, site, editor, status=422)
    act = _save if request.POST.get("action") == "save" else _preview
    try:
        return act(request, site, editor)
    except TableConflict as error:
        return _conflict_page(request, site, editor, error)
    except TableRefused as error:
        return _edit_page(request, site, editor, status=422, problems=error.messages)


def _conflict_page(
    request: AuthenticatedRequest, site: Site, editor: TableEditor, error: TableConflict
) -> HttpResponseBase:
    """The entries with what the other manager stored meanwhile: sent again, they are based on that version."""
    differences = table_differences(error.newest.table, editor.table)
    again = _editor(site, data=_with_base(request.POST, error.newest.number))
    more = {"problems": error.messages, "newest": error.newest, "conflict": differences}
    return _edit_page(request, site, again, status=409, **more)


def _preview(request: AuthenticatedRequest, site: Site, editor: TableEditor) -> HttpResponseBase:
    valid_from = editor.form.cleaned_data["valid_from"]
    preview = preview_table(site=site, table=editor.table, valid_from=valid_from, by=request.user)
    in_force = outcome_table_in_force(site, valid_from)
    differences = table_differences(in_force.table, editor.table)
    return _edit_page(request, site, editor, preview=preview, differences=differences)


def _save(request: AuthenticatedRequest, site: Site, editor: TableEditor) -> HttpResponseBase:
    values = editor.form.cleaned_data
    row = save_table(
        site=site,
        table=editor.table,
        valid_from=values["valid_from"],
        reason=values["reason"],
        base_number=values["base"],
        by=request.user,
    )
    messages.success(request, _("Version %(number)d is stored.") % {"number": row.number})
    return redirect("screening:site-outcomes", site.pk)


def _site(request: AuthenticatedRequest, site_id: UUID) -> Site:
    return get_object_or_404(sites_for(request.user), pk=site_id)


def _editor(site: Site, *, start: str = IN_FORCE, data: Any = None) -> TableEditor:
    scale, newest = GradingScale(site.scale), newest_version(site)
    if start == IN_FORCE:
        table = default_table(scale) if newest is None else newest.table
    else:
        table = nhs_table(scale) if start == NHS else default_table(scale)
    base = 0 if newest is None else newest.number
    return TableEditor(scale=scale, table=table, base=base, today=timezone.localdate(timezone=site.zone), data=data)


def _with_base(data: QueryDict, number: int) -> QueryDict:
    changed = data.copy()
    changed["base"] = str(number)
    return changed


def _table_page(
    request: AuthenticatedRequest,
    site: Site,
    table: OutcomeTable,
    stored: SiteOutcomeTable | None,
    *,
    is_version: bool = False,
    built_in_version: int = CURRENT_VERSION,
) -> HttpResponseBase:
    versions = Paginator(list_outcome_tables(user=request.user, site=site), PER_PAGE)
    context = {
        "section": SECTION,
        "site": site,
        "stored": stored,
        "built_in_version": built_in_version,
        "is_version": is_version,
        "lines": rule_lines(table),
        "fixed_rules": FIXED_RULES,
        "page": versions.get_page(page_number(request)),
        "may_edit": can(request.user, Action.MANAGE_SITE, site),
    }
    return render(request, "screening/sites/outcomes.html", context)


def _edit_page(
    request: AuthenticatedRequest, site: Site, editor: TableEditor, *, status: int = 200, **more: Any
) -> HttpResponseBase:
    context = {"section": SECTION, "site": site, "editor": editor, "form": editor.form, "fixed_rules": FIXED_RULES}
    return render(request, "screening/sites/outcomes_edit.html", context | more, status=status)
