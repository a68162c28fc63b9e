"""Health check endpoints. They need no log-in, so they return states and no details."""

import logging

from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from screening.health import checks

logger = logging.getLogger(__name__)


@never_cache
@require_safe
def live(_request: HttpRequest) -> JsonResponse:
    """Liveness: a process that does not answer should be restarted."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def ready(_request: HttpRequest) -> JsonResponse:
    """Readiness: the state of each component, and 503 if a critical one is unavailable.

    The status is "degraded", with 200, if only non-critical components fail.
    """
    components = {name: _state(name) for name in checks.COMPONENTS}
    failing = {name for name, state in components.items() if state != "ok"}
    is_ready = failing <= checks.NON_CRITICAL
    status = "unavailable" if not is_ready else "degraded" if failing else "ok"
    return JsonResponse({"status": status, **components}, status=200 if is_ready else 503)


def _state(name: str) -> str:
    try:
        checks.COMPONENTS[name]()
    except checks.HealthCheckError as error:
        logger.warning("Health check: %s is %s", name, error.state)
        return error.state
    return "ok"
