"""Log-in of every page, and what a caller gets who was logged out."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.utils.cache import patch_cache_control
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from screening.models import User

P = ParamSpec("P")


class AuthenticatedRequest(HttpRequest):
    """A request of somebody who is logged in."""

    user: User
    htmx: HtmxDetails


Page = Callable[Concatenate[AuthenticatedRequest, P], HttpResponseBase]


def wants_json(request: HttpRequest) -> bool:
    """Whether a script asked (``static/upload.js``) and not a person's browser."""
    return request.headers.get("Accept", "").startswith("application/json")


def login_required(view: Page[P]) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    """Ask for a log-in, in the way that suits who asks, and keep the answer out of shared and disk caches."""

    @wraps(view)
    def wrapper(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return _login_response(request)
        response = view(cast("AuthenticatedRequest", request), *args, **kwargs)
        if not response.has_header("Cache-Control"):
            # On a shared desk the Back button must not show a patient after log-off (OWASP ASVS 5.0, 14.3.2).
            patch_cache_control(response, private=True, no_store=True)
        return response

    return wrapper


def _login_response(request: HttpRequest) -> HttpResponseBase:
    if wants_json(request):
        message = _("You were logged out. Log in in another tab, then try again; the photograph is still here.")
        return JsonResponse({"code": "logged_out", "message": message}, status=401)
    htmx: HtmxDetails = request.htmx  # type: ignore[attr-defined]
    if htmx:
        here = htmx.current_url_abs_path or "/"
        return HttpResponseClientRedirect(f"{settings.LOGIN_URL}?{urlencode({'next': here})}")
    return redirect_to_login(request.get_full_path())
