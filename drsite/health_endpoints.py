"""Middleware for health checks and metrics: they skip the checks of host and HTTPS, and sessions.

A container engine requests ``http://localhost:8000/health/live``, and this host name is not in ALLOWED_HOSTS.
"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from drsite.metrics import metrics
from screening.health import views

GetResponse = Callable[[HttpRequest], HttpResponse]
HEALTH_ENDPOINTS: dict[str, GetResponse] = {
    "/health/live": views.live,
    "/health/ready": views.ready,
    "/metrics": metrics,
}


def serve_health_endpoints(get_response: GetResponse) -> GetResponse:
    return lambda request: HEALTH_ENDPOINTS.get(request.path_info, get_response)(request)
