"""Probes for whoever runs the site. They answer without logging in, so they tell states and never details."""

import logging

from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from screening.health import checks

logger = logging.getLogger(__name__)


@never_cache
@require_safe
def live(_request: HttpRequest) -> JsonResponse:
    """The process answers; a process that does not should be restarted."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def ready(_request: HttpRequest) -> JsonResponse:
    """503 with what is "unavailable" when pages cannot be served or photographs not be stored and queued.

    200 and "degraded" when only the grading behind is late or without a worker.
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
        logger.warning("Not well: %s is %s", name, error.state)
        return error.state
    return "ok"
