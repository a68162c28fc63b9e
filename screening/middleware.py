"""Idle log-off: a session ends 30 minutes after the last thing its user did (HIPAA 164.312(a)(2)(iii))."""

import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

_SEEN_AT = "seen_at"
_NOTE_EVERY_S = 60
"""A write to the session table a minute is enough, and does not slow each request down."""


def idle_logoff(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Lengthen the session on what a person does, not on what a page left open asks by itself."""

    def middleware(request: HttpRequest) -> HttpResponse:
        now = int(time.time())
        if _is_a_persons(request) and request.user.is_authenticated:
            seen_at = request.session.get(_SEEN_AT, 0)
            if now - seen_at >= _NOTE_EVERY_S:
                request.session[_SEEN_AT] = now
        return get_response(request)

    return middleware


def _is_a_persons(request: HttpRequest) -> bool:
    """A poll (``/exams/<id>/status/``) is the page's, not a person's: it would keep an abandoned desk open."""
    return not request.path.endswith("/status/") and not request.path.startswith("/health/")
