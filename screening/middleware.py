"""What holds for every request: how much may be sent, and idle log-off.

A session ends 30 minutes after the last thing its user did (HIPAA 164.312(a)(2)(iii)), and 12 hours after the log-in
whatever was done (NIST SP 800-63B, 4.2.3).
"""

import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from screening.photos.validation import MAX_BYTES

MAX_BODY_BYTES = MAX_BYTES + 1024 * 1024
"""A photograph at its limit, and what a form writes around it."""
_SEEN_AT, _SIGNED_IN_AT = "seen_at", "signed_in_at"
_LAST_SEEN_INTERVAL_S = 60
"""A write to the session table a minute is enough, and does not slow each request down."""


def body_limit(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Refuse (413) by the announced size, before anything is read: Django would write any file to the disk, even a
    stranger's. The API has limits and an answer of its own.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        announced = request.META.get("CONTENT_LENGTH") or "0"
        is_too_large = not announced.isdecimal() or len(announced) > 15 or int(announced) > MAX_BODY_BYTES
        return _too_large(request) if is_too_large and not request.path.startswith("/api/") else get_response(request)

    return middleware


def _too_large(request: HttpRequest) -> HttpResponse:
    if request.headers.get("Accept", "").startswith("application/json"):
        message = _("The file is larger than 50 MB. Export the photograph as JPEG and upload that file.")
        return JsonResponse({"code": "too_large", "message": message}, status=413)
    return render(request, "413.html", status=413)


def idle_logoff(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Lengthen the session on what a person does, not on what a page left open asks by itself; never beyond a shift.

    Whoever is logged out by the answer takes no photograph along: the browser is asked to empty its cache.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        was_signed_in = request.user.is_authenticated
        if was_signed_in:
            _note_time(request)
        response = get_response(request)
        if was_signed_in and not request.user.is_authenticated:
            response["Clear-Site-Data"] = '"cache"'
        return response

    return middleware


def _note_time(request: HttpRequest) -> None:
    now = int(time.time())
    signed_in_at = request.session.setdefault(_SIGNED_IN_AT, now)
    if now - signed_in_at >= settings.SESSION_MAX_AGE:
        logout(request)
    elif _is_a_persons(request) and now - request.session.get(_SEEN_AT, 0) >= _LAST_SEEN_INTERVAL_S:
        request.session[_SEEN_AT] = now


def new_password(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Lead whoever must choose another password to that page, and nowhere else but out. A key of the API is nobody."""

    def middleware(request: HttpRequest) -> HttpResponse:
        user: Any = request.user
        if not (user.is_authenticated and user.must_change_password) or _is_on_the_way(request):
            return get_response(request)
        if request.path.startswith("/api/") or request.headers.get("Accept", "").startswith("application/json"):
            message = _("Choose another password first: the page for that opens when you load this one again.")
            return JsonResponse({"code": "new_password", "message": message}, status=403)
        return redirect("screening:password")

    return middleware


def _is_on_the_way(request: HttpRequest) -> bool:
    allowed = (reverse("screening:password"), reverse("screening:logout"))
    has_key = request.path.startswith("/api/") and request.headers.get("Authorization", "").startswith("Bearer ")
    return request.path in allowed or request.path.startswith(("/static/", "/health/")) or has_key


def _is_a_persons(request: HttpRequest) -> bool:
    """A poll (``/exams/<id>/status/``) is the page's, not a person's: it would keep an abandoned desk open."""
    return not request.path.endswith("/status/") and not request.path.startswith("/health/")
