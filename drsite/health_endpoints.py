"""Addresses for machines that watch the site: answered before hosts, sessions and HTTPS play a part.

A container engine asks ``http://localhost:8000/health/live``, a name that no browser may use; and a probe must not fail
because something that it does not need fails.
"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from drsite.metrics import metrics
from screening.health import views

HEALTH_ENDPOINTS: dict[str, Callable[[HttpRequest], HttpResponse]] = {
    "/health/live": views.live,
    "/health/ready": views.ready,
    "/metrics": metrics,
}
GetResponse = Callable[[HttpRequest], HttpResponse]


def serve_health_endpoints(get_response: GetResponse) -> GetResponse:
    """Middleware: a probe's address goes to its view at once, everything else its usual way."""

    def middleware(request: HttpRequest) -> HttpResponse:
        return HEALTH_ENDPOINTS.get(request.path_info, get_response)(request)

    return middleware
