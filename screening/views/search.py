"""Search everywhere, as a page and in a dialog of every page: patients, exams by number, pages, actions."""

from typing import Any

from django.core.cache import cache
from django.http import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_http_methods
from redis import RedisError

from screening.forms.search import SearchForm
from screening.models import AuditEvent, User
from screening.selectors.search import search_records
from screening.services.audit import record_event
from screening.views.decorators import AuthenticatedRequest, login_required, searches_by_post
from screening.views.parameters import require_parameters
from screening.views.search_pages import find_links

JOINED_S = 30
"""Searches of the dialog in this time that show no other person are one audit event, as of a name that is typed."""


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@searches_by_post
def search(request: AuthenticatedRequest) -> HttpResponseBase:
    """The page with its form (GET), or with what a text finds (POST, so that no name is in an address or a log).

    A request of the dialog gets the options of its list alone.
    """
    require_parameters(request, known=())
    form = SearchForm(request.POST if request.method == "POST" else None)
    context: dict[str, Any] = {"form": form}
    if form.is_bound and form.is_valid() and form.cleaned_data["text"].strip():
        text = form.cleaned_data["text"]
        found = search_records(user=request.user, text=text)
        pages, actions = find_links(request.user, text)
        n_found = len(found.patients) + len(found.exams)
        rows = {str(one.pk) for one in (*found.patients, *found.exams)}
        if not (request.htmx and _is_shown_already(request.user, rows)):
            record_event(
                verb=AuditEvent.Verb.PATIENTS_SEARCHED,
                subject=None,
                site=None,
                data={"route": "screening:search", "n_found": n_found},
                by=request.user,
            )
            _remember(request.user, rows)
        is_empty = not (n_found or pages or actions)
        context |= {"found": found, "pages": pages, "actions": actions, "is_search": True, "is_empty": is_empty}
    template = "screening/search/_options.html" if request.htmx else "screening/search/page.html"
    return render(request, template, context, status=422 if form.errors and not request.htmx else 200)


def _is_shown_already(user: User, rows: set[str]) -> bool:
    """Whether recorded searches of the dialog showed all these rows some seconds ago; without the cache, not."""
    try:
        shown = cache.get(_key(user))
    except (RedisError, OSError):
        return False
    return shown is not None and rows <= shown


def _remember(user: User, rows: set[str]) -> None:
    try:
        cache.set(_key(user), rows | (cache.get(_key(user)) or set()), JOINED_S)
    except (RedisError, OSError):
        return


def _key(user: User) -> str:
    return f"search-shown:{user.pk}"
