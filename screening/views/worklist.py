"""The worklist: exams to review in the order of reading, or exams being photographed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl
from uuid import UUID

from django.http import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django.views.decorators.http import require_http_methods
from django_htmx.http import replace_url

from screening.access import Action, can, sites_for
from screening.forms.worklist import WorklistForm
from screening.labels.worklist import QUALITY_LABELS, RANK_LABELS
from screening.models import AuditEvent, Exam, ExamLock, Site, User
from screening.policy.exam_states import ExamState
from screening.selectors import (
    Reading,
    WorklistFilters,
    WorklistSort,
    WorklistState,
    search_worklist,
    worklist,
)
from screening.selectors.first_run import find_first_run
from screening.selectors.gradings import SiteView, list_site_views
from screening.selectors.list_rows import load_rows
from screening.selectors.readings import count_without_reader
from screening.selectors.worklist_counts import WorklistCounts, count_choices, count_worklist, store_menu_counts
from screening.selectors.worklist_layouts import get_worklist_layout
from screening.selectors.worklist_tally import tally
from screening.services.audit import record_event
from screening.services.sites import can_create_first_site
from screening.views.decorators import AuthenticatedRequest, login_required, searches_by_post
from screening.views.first_run import step_lines
from screening.views.list_pages import PAGE_PARAMETERS, page_of_list
from screening.views.parameters import InvalidParameter, require_parameters
from screening.views.worklist_filters import PARAMETERS, RANKS, query_of, read_filters

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

PER_PAGE = 25
MAX_FOUND = 50
"""A search shows one page only: the address of a second page would contain the search text."""


@dataclass(frozen=True, slots=True)
class Tab:
    """A link to a state of the worklist, with the number of its exams."""

    label: "_StrPromise"
    query: str
    n: int
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Unread:
    """Exams of a site that wait for a person whom it lacks, with the link to them."""

    site: Site
    is_arbitration: bool
    n: int
    query: str


@dataclass(frozen=True, slots=True)
class Reader:
    """What the page depends on of its user: sites, role, and how the user sees the exams of each site."""

    sites: Sequence[Site]
    may_review: bool
    views: Mapping[UUID, SiteView]

    @property
    def blind_sites(self) -> set[UUID]:
        """Sites where the user reads blind."""
        return {site for site, view in self.views.items() if view.is_blind}

    @property
    def hidden_sites(self) -> set[UUID]:
        """Sites whose people the user does not see."""
        return {site for site, view in self.views.items() if not view.sees_identity}

    @property
    def sees_people(self) -> bool:
        """Whether the user sees the people of a site; a user without any role has nothing to see."""
        return not self.views or len(self.hidden_sites) < len(self.views)

    def sites_in_view(self, filters: WorklistFilters) -> set[UUID]:
        """Ids of the sites whose exams are listed."""
        return {site.pk for site in ([filters.site] if filters.site else self.sites)}


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@searches_by_post
def exam_worklist(request: AuthenticatedRequest) -> HttpResponseBase:
    """The worklist with the filters of the address (GET), or of the form with a search text (POST).

    The text is never part of an address; a form without one is redirected to the address of its filters. A user who
    reads blind sees no grade, and no order or filter that follows from one.
    """
    user = request.user
    require_parameters(request, known={*PARAMETERS, *PAGE_PARAMETERS})
    if can_create_first_site(user):
        return redirect("screening:site-first")
    reader = _reader_of(user)
    if not reader.views and can(user, Action.VIEW_TEACHING_SET):
        return redirect("screening:teaching-sets")
    default = WorklistState.WAITING if reader.may_review else WorklistState.OPEN
    requested = read_filters(
        request.POST if request.method == "POST" else request.GET, sites=reader.sites, default=default
    )
    is_blind, filters = _is_blind(reader, requested), _allowed(reader, requested)
    query = query_of(filters)
    form = _form(request, filters, reader, is_blind=is_blind)
    if form.is_valid() and not form.cleaned_data["text"].strip():
        return redirect(f"{reverse('screening:worklist')}?{query}")
    listed = _exams(request, form, filters)
    context = {
        **listed,
        "shows_reader": any(_is_taken(exam) for exam in listed["exams"]),
        "without_reader": _without_reader(user, reader),
        **_arrangement(request, filters, reader),
        "form": form,
        "filters": filters,
        "query": query,
        "may_export": reader.sees_people,
        "export_filters": dict(parse_qsl(query)),
        "export_text": form["text"].value() if form.is_valid() else "",
        "is_blind": is_blind,
        "is_rank_refused": filters.rank != requested.rank,
        "is_sort_refused": filters.sort != requested.sort,
        **_first_run(user),
    }
    response = render(request, "screening/worklist/list.html", context, status=422 if form.errors else 200)
    if request.htmx and not request.htmx.history_restore_request:
        replace_url(response, f"{reverse('screening:worklist')}?{query}")
    return response


def filters_for_reader(user: User, requested: WorklistFilters) -> WorklistFilters:
    """The filters without what ``user`` may not see."""
    return _allowed(_reader_of(user), requested)


def _allowed(reader: Reader, requested: WorklistFilters) -> WorklistFilters:
    """Without a filter by grade for a blind reader, and without the order of names for one who sees no people."""
    filters = replace(requested, rank=None) if _is_blind(reader, requested) else requested
    is_by_name = filters.sort is WorklistSort.PATIENT and not reader.sees_people
    return replace(filters, sort=WorklistFilters().sort) if is_by_name else filters


def _reader_of(user: User) -> Reader:
    sites = list(sites_for(user, Action.VIEW_CASE))
    return Reader(sites, can(user, Action.REVIEW_EXAM), list_site_views(user))


def filters_of_next_exam(request: AuthenticatedRequest) -> WorklistFilters:
    """The filters in the address of a request for the next exam: those of the list that the tab showed last.

    Of a list of exams that do not wait, its site alone. Filters of another account that used the tab count as none.
    """
    require_parameters(request, known=PARAMETERS)
    if not request.GET:
        return WorklistFilters()
    reader = _reader_of(request.user)
    try:
        filters = _allowed(reader, read_filters(request.GET, sites=reader.sites, default=WorklistState.WAITING))
    except InvalidParameter:
        return WorklistFilters()
    return filters if filters.state is WorklistState.WAITING else WorklistFilters(site=filters.site)


def _is_blind(reader: Reader, filters: WorklistFilters) -> bool:
    return bool(reader.blind_sites & reader.sites_in_view(filters))


def _exams(request: AuthenticatedRequest, form: WorklistForm, filters: WorklistFilters) -> dict[str, Any]:
    """A page of the list, or the exams that the search found."""
    if not form.is_valid():
        rows, n_found = worklist(user=request.user, filters=filters), tally(request.user, filters).count(filters)
        page = page_of_list(request, rows, per_page=PER_PAGE, n_known=n_found)
        return {"exams": page.object_list, "page": page}
    matching = search_worklist(user=request.user, filters=filters, text=form.cleaned_data["text"])
    found = load_rows(matching, 0, MAX_FOUND + 1)
    record_event(
        verb=AuditEvent.Verb.PATIENTS_SEARCHED,
        subject=None,
        site=None,
        data={"route": "screening:worklist", "n_found": len(found)},
        by=request.user,
    )
    return {"exams": found[:MAX_FOUND], "is_search": True, "is_cut": len(found) > MAX_FOUND, "max_found": MAX_FOUND}


def _is_taken(exam: Exam) -> bool:
    """Whether a reader has the exam now, of an exam that was loaded with its lock."""
    lock: ExamLock | None = getattr(exam, "lock", None)
    return lock is not None and lock.is_in_force()


def _arrangement(request: AuthenticatedRequest, filters: WorklistFilters, reader: Reader) -> dict[str, Any]:
    """States and views with their counts, columns and links of the page."""
    user, unfiltered = request.user, WorklistFilters(state=filters.state)
    counts = count_worklist(user=user, site=filters.site)
    if reader.may_review and filters.site is None:
        store_menu_counts(user, counts)
    return {
        "section": "worklist",
        "counts": counts,
        "tabs": _tabs(filters, counts)[: None if reader.sees_people else 1],
        "is_filtered": replace(filters, sort=unfiltered.sort) != unfiltered,
        "unfiltered_query": query_of(unfiltered),
        "is_open_list": filters.state is not WorklistState.WAITING,
        "layout": get_worklist_layout(user=user),
        "blind_sites": reader.blind_sites,
        "hidden_sites": reader.hidden_sites,
        "sees_people": reader.sees_people,
        "shows_model": not reader.sites_in_view(filters) <= reader.blind_sites,
        "shows_site": len(reader.sites) > 1,
        "may_review": reader.may_review,
        "may_register": can(user, Action.REGISTER_PATIENT),
    }


def _first_run(user: User) -> dict[str, Any]:
    """The first steps of a new site of the user."""
    run = find_first_run(user)
    return {} if run is None else {"first_run": run, "first_steps": step_lines(run, user)}


def _without_reader(user: User, reader: Reader) -> list[Unread]:
    """What the notice to a manager says, site by site."""
    found = count_without_reader(user) if tally(user).has_several_readings else {}
    readings = {ExamState.SECOND_READING: Reading.SECOND, ExamState.ARBITRATION: Reading.ARBITRATION}
    return [
        Unread(site, reading is Reading.ARBITRATION, n, query_of(WorklistFilters(site=site, reading=reading)))
        for site in reader.sites
        for state, reading in readings.items()
        if (n := found.get((site.pk, state)))
    ]


def _tabs(filters: WorklistFilters, counts: WorklistCounts) -> list[Tab]:
    """The states of the worklist; a link to one keeps the site and the order."""
    kept = WorklistFilters(site=filters.site, sort=filters.sort)
    states = [
        (WorklistState.WAITING, _("To review"), counts.waiting),
        (WorklistState.OPEN, _("Being photographed"), counts.open),
        (WorklistState.RETURNED, pgettext_lazy("exams", "Returned"), counts.returned),
    ]
    return [Tab(label, query_of(kept, state=state), n, is_chosen=state is filters.state) for state, label, n in states]


def _form(request: AuthenticatedRequest, filters: WorklistFilters, reader: Reader, *, is_blind: bool) -> WorklistForm:
    """The form with the filters that the user can choose, and the number of exams of each choice."""
    counts = count_choices(user=request.user, filters=filters)
    choices: dict[str, list[tuple[str, Any]]] = {
        "quality": [(one.value, f"{QUALITY_LABELS[one]} ({n})") for one, n in counts.qualities.items()]
    }
    if len(reader.sites) > 1:
        choices["site"] = [(site.code, site.name) for site in reader.sites]
    if not is_blind:
        choices["model"] = [(name, f"{RANK_LABELS[rank]} ({counts.ranks[rank]})") for name, rank in RANKS.items()]
    if reader.may_review:
        labels = {Reading.FIRST: _("First"), Reading.SECOND: _("Second"), Reading.ARBITRATION: _("Arbitration")}
        choices["reading"] = [(one.value, label) for one, label in labels.items()]
    chosen = dict(parse_qsl(query_of(filters)))
    is_search = request.method == "POST"
    return WorklistForm(
        request.POST if is_search else None,
        initial=chosen,
        choices=choices,
        state=filters.state,
        sees_people=reader.sees_people,
    )
