"""Middleware: bodies and ids of requests, language, end of sessions, change of an initial password.

A session ends after 30 minutes without activity (HIPAA 164.312(a)(2)(iii)) and 12 hours after the log-in
(NIST SP 800-63B, 4.2.3).
"""

import re
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from screening.forms.documents import MAX_FILE_BYTES
from screening.labels.limits import BODY_ERRORS
from screening.photos.validation import MAX_BYTES, rejection_message
from screening.views.decorators import is_for_programs, wants_json
from screening.views.prefetches import is_prefetch
from screening.views.sessions import ACTIVE_AT, LOGGED_IN_AT, is_extendable, seconds_left

GetResponse = Callable[[HttpRequest], HttpResponse]
MAX_BODY_BYTES = MAX_BYTES + 1024 * 1024
"""The largest photograph, and the rest of its form."""
MAX_COMPARED_BYTES = MAX_FILE_BYTES + 64 * 1024
"""Anyone may send a file that is compared with a document."""
_ID_IN_PATH = re.compile(r"(?<=/)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?=/|$)", re.IGNORECASE)
_MIN_UPDATE_INTERVAL_S = 60
"""So that not every request writes to the session table."""


def find_ids_in_capitals(get_response: GetResponse) -> GetResponse:
    """Find records by ids in capitals too: the URLs of Django take small letters only."""

    def middleware(request: HttpRequest) -> HttpResponse:
        request.path_info = _ID_IN_PATH.sub(lambda found: found[0].lower(), request.path_info)
        return get_response(request)

    return middleware


def require_plain_body(get_response: GetResponse) -> GetResponse:
    """Refuse a body that is compressed (415) or has no length (411): Django would take it for damaged or for empty.

    Of chunked bodies only those of a server that does not decode them come here: ``drsite.request_bodies`` and the
    proxy of an installation send them on with their length.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.method in {"GET", "HEAD", "OPTIONS"}:  # their bodies are not read
            return get_response(request)
        encodings = {text.strip().lower() for text in request.headers.get("Content-Encoding", "").split(",")}
        if encodings - {"", "identity"}:
            return _body_error(request, 415, "unsupported_encoding")
        if request.headers.get("Transfer-Encoding") and not request.META.get("CONTENT_LENGTH"):
            return _body_error(request, 411, "length_required")
        return get_response(request)

    return middleware


def _body_error(request: HttpRequest, status: int, code: str) -> HttpResponse:
    message = str(BODY_ERRORS[code])
    if is_for_programs(request) or wants_json(request):
        response: HttpResponse = JsonResponse({"code": code, "message": message, "fields": {}}, status=status)
    else:  # no browser sends such a form
        response = HttpResponse(message, status=status, content_type="text/plain; charset=utf-8")
    if status == 415:
        response["Accept-Encoding"] = "identity"  # RFC 9110, 12.5.3: which encodings would be accepted
    response["Cache-Control"] = "no-store"
    return response


def limit_body_size(get_response: GetResponse) -> GetResponse:
    """Refuse (413) by Content-Length, before Django writes a file to disk. The API has its own limits."""

    def middleware(request: HttpRequest) -> HttpResponse:
        length = request.META.get("CONTENT_LENGTH") or "0"
        limit = MAX_COMPARED_BYTES if request.path.startswith("/documents/") else MAX_BODY_BYTES
        is_too_large = not length.isdecimal() or len(length) > 15 or int(length) > limit
        return _too_large(request) if is_too_large and not is_for_programs(request) else get_response(request)

    return middleware


def _too_large(request: HttpRequest) -> HttpResponse:
    if wants_json(request):
        return JsonResponse({"code": "too_large", "message": rejection_message("too_large")}, status=413)
    return render(request, "413.html", status=413)


def use_language_of_account(get_response: GetResponse) -> GetResponse:
    """Answer in the language that the user has chosen; else in that of the cookie or the browser (LocaleMiddleware)."""

    def middleware(request: HttpRequest) -> HttpResponse:
        language = getattr(request.user, "language", "")
        if language in dict(settings.LANGUAGES):  # a language may have been removed since
            translation.activate(language)
            request.LANGUAGE_CODE = language
        return get_response(request)

    return middleware


def limit_session(get_response: GetResponse) -> GetResponse:
    """End a session after SESSION_COOKIE_AGE without activity, and after SESSION_MAX_AGE in any case.

    The response that logs a user out has the browser clear its caches: they hold photographs, and pages in advance.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        was_logged_in = request.user.is_authenticated
        if was_logged_in:
            _update_session(request)
        response = get_response(request)
        if was_logged_in and not request.user.is_authenticated:
            response["Clear-Site-Data"] = '"cache", "prefetchCache", "prerenderCache"'
        return response

    return middleware


def _update_session(request: HttpRequest) -> None:
    now = int(time.time())
    logged_in_at = request.session.setdefault(LOGGED_IN_AT, now)
    is_polling = request.path.endswith("/status/") or is_prefetch(request)  # the page requests it without its user
    if now - logged_in_at >= settings.SESSION_MAX_AGE:
        logout(request)
    elif not is_polling and now - request.session.get(ACTIVE_AT, 0) >= _MIN_UPDATE_INTERVAL_S:
        request.session[ACTIVE_AT] = now
    request.session_end = {"seconds_left": seconds_left(request), "is_extendable": is_extendable(request)}  # type: ignore[attr-defined]  # read by base.html


def require_new_password(get_response: GetResponse) -> GetResponse:
    """Redirect users with an initial password to the page that changes it. API keys are not affected."""

    def middleware(request: HttpRequest) -> HttpResponse:
        user: Any = request.user
        if not (user.is_authenticated and user.must_change_password) or _is_allowed_before(request):
            return get_response(request)
        if is_for_programs(request) or wants_json(request):
            message = _("Change your initial password first: reload the page.")
            return JsonResponse({"code": "new_password", "message": message, "fields": {}}, status=403)
        return redirect("screening:password")

    return middleware


def _is_allowed_before(request: HttpRequest) -> bool:
    names = ("password", "language", "logout", "session-status", "session-extend", "intended-use")
    allowed = [reverse(f"screening:{name}") for name in names]
    has_key = is_for_programs(request) and request.headers.get("Authorization", "").startswith("Bearer ")
    return request.path in allowed or has_key
