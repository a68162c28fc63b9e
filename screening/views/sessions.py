"""How long the session of a user lasts, and its extension."""

import time

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from screening.views.decorators import AuthenticatedRequest, login_required, page_of

ACTIVE_AT, LOGGED_IN_AT = "active_at", "logged_in_at"


def seconds_left(request: HttpRequest) -> int:
    """Seconds until the session ends without further activity."""
    return max(0, min(_idle_end(request), _shift_end(request)) - int(time.time()))


def is_extendable(request: HttpRequest) -> bool:
    """Whether activity makes the session last longer; not at the end of a shift."""
    return _idle_end(request) < _shift_end(request)


def _idle_end(request: HttpRequest) -> int:
    return int(request.session.get(ACTIVE_AT, time.time())) + settings.SESSION_COOKIE_AGE


def _shift_end(request: HttpRequest) -> int:
    return int(request.session.get(LOGGED_IN_AT, time.time())) + settings.SESSION_MAX_AGE


@login_required
@require_safe
def session_status(request: AuthenticatedRequest) -> HttpResponseBase:
    """Seconds until the session ends; asking is no activity (``middleware.limit_session``)."""
    return _status(request)


@login_required
@require_POST
def session_extend(request: AuthenticatedRequest) -> HttpResponseBase:
    """Stay logged in: the time without activity starts again."""
    request.session[ACTIVE_AT] = int(time.time())
    return _status(request)


@login_required
@require_POST
def intended_use_read(request: AuthenticatedRequest) -> HttpResponseBase:
    """Show the intended use no more in this session; the footer of each page still states it."""
    request.session["has_read_intended_use"] = True
    return HttpResponse() if request.htmx else redirect(page_of(request))


def _status(request: AuthenticatedRequest) -> JsonResponse:
    values = {"seconds_left": seconds_left(request), "is_extendable": is_extendable(request)}
    return JsonResponse(values | {"account": str(request.user.pk)})
