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
    parts = {name: _state(name) for name in checks.PARTS}
    troubled = {name for name, state in parts.items() if state != "ok"}
    is_ready = troubled <= checks.NOT_NEEDED_FOR_PAGES
    status = "unavailable" if not is_ready else "degraded" if troubled else "ok"
    return JsonResponse({"status": status, **parts}, status=200 if is_ready else 503)


def _state(name: str) -> str:
    try:
        checks.PARTS[name]()
    except checks.Trouble as trouble:
        logger.warning("Not well: %s is %s", name, trouble.state)
        return trouble.state
    return "ok"
