"""Login requirement of the pages, and the responses to requests without a login."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, cast
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from screening.models import User
from screening.request_facts import mark_as_reading
from screening.throttling import photo_wait_s

P = ParamSpec("P")


class AuthenticatedRequest(HttpRequest):
    """A request of a user who is logged in."""

    user: User
    htmx: HtmxDetails


View = Callable[Concatenate[AuthenticatedRequest, P], HttpResponseBase]


def is_for_programs(request: HttpRequest) -> bool:
    """Whether the address is one of the REST API or the FHIR interface, which keys open."""
    return request.path.startswith(("/api/", "/fhir/"))


def wants_json(request: HttpRequest) -> bool:
    """Whether the request comes from a script (``static/capture/``) and not from navigation."""
    return request.headers.get("Accept", "").startswith("application/json")


def login_required(view: View[P]) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    """Require a login, and keep the response out of shared and disk caches.

    Without a login: 401 with JSON for scripts, a redirect to the login page for htmx and for navigation.
    """

    @wraps(view)
    def wrapper(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return login_response(request)
        response = view(cast("AuthenticatedRequest", request), *args, **kwargs)
        if not response.has_header("Cache-Control"):
            # On a shared desk the Back button must not show a patient after log-off (OWASP ASVS 5.0, 14.3.2).
            patch_cache_control(response, private=True, no_store=True)
        return response

    return wrapper


def require_form(page: str) -> Callable[[View[P]], View[P]]:
    """Accept POST only. Opened without its form, for example after a log-in, the address leads to ``page``.

    ``page``: route with the same arguments, on which the form is.
    """

    def decorate(view: View[P]) -> View[P]:
        posted = require_POST(view)

        @wraps(view)
        def wrapper(request: AuthenticatedRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if request.method in {"GET", "HEAD"}:
                return redirect(reverse(page, args=args, kwargs=kwargs))
            return posted(request, *args, **kwargs)

        return wrapper

    return decorate


def searches_by_post(view: View[P]) -> View[P]:
    """A page whose POST only searches: it changes nothing but the audit trail."""

    @wraps(view)
    def wrapper(request: AuthenticatedRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        mark_as_reading()
        return view(request, *args, **kwargs)

    return wrapper


def limit_photos(view: View[P]) -> View[P]:
    """Refuse a photograph (429) if the user has sent too many in a minute, by the pages or by the API."""

    @wraps(view)
    def wrapper(request: AuthenticatedRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        wait_s = photo_wait_s(request) if request.method == "POST" else 0
        if not wait_s:
            return view(request, *args, **kwargs)
        message = ngettext(
            "You have sent too many photographs in a minute. Wait %(seconds)d second, then send this one again.",
            "You have sent too many photographs in a minute. Wait %(seconds)d seconds, then send this one again.",
            wait_s,
        )
        text = message % {"seconds": wait_s}
        if wants_json(request):
            response: HttpResponse = JsonResponse({"code": "throttled", "message": text}, status=429)
        else:
            response = render(request, "429.html", {"message": text}, status=429)
        response["Retry-After"] = str(wait_s)
        return response

    return wrapper


def refuse_too_many(request: HttpRequest, throttle: Any) -> HttpResponse | None:
    """The refusal (429) of a request on a public page if its address has sent too many in a minute; else None."""
    if throttle.allow_request(request, None):
        return None
    wait_s = int(throttle.wait() or 0) + 1
    text = ngettext(
        "Too many requests came from your network in a minute. Wait %(seconds)d second, then try again.",
        "Too many requests came from your network in a minute. Wait %(seconds)d seconds, then try again.",
        wait_s,
    )
    response = render(request, "429.html", {"message": text % {"seconds": wait_s}}, status=429)
    response["Retry-After"] = str(wait_s)
    return response


def login_response(request: HttpRequest, *, return_to: str = "", is_kept: bool = False) -> HttpResponseBase:
    """The response without a login. ``return_to``: path after the log-in; empty: the page of the request.

    ``is_kept``: the form is kept on the server until the log-in.
    """
    if wants_json(request):
        message = _("You are logged out. Log in in another tab and try again. The photograph is still on this page.")
        return JsonResponse({"code": "logged_out", "message": message, "is_kept": is_kept}, status=401)
    htmx: HtmxDetails = request.htmx  # type: ignore[attr-defined]  # set by HtmxMiddleware
    if htmx:
        page_path = return_to or htmx.current_url_abs_path or "/"
        return HttpResponseClientRedirect(f"{settings.LOGIN_URL}?{urlencode({'next': page_path})}")
    return redirect_to_login(return_to or page_of(request))


def page_of(request: HttpRequest) -> str:
    """The page to return to. The address of a form cannot be opened: it is the page that the form is on."""
    if request.method in {"GET", "HEAD"}:
        return request.get_full_path()
    page = request.headers.get("Referer", "")
    is_own = url_has_allowed_host_and_scheme(page, {request.get_host()}, require_https=request.is_secure())
    return urlsplit(page).path if is_own else settings.LOGIN_REDIRECT_URL
