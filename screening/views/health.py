"""Probes for whoever runs the site. They answer without logging in, so they tell states and never details."""

import logging
from collections.abc import Callable

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from ml.bundle import BundleError
from screening.services import gradings

logger = logging.getLogger(__name__)

_BROKER_TIMEOUT_S = 2


@never_cache
@require_safe
def live(_request: HttpRequest) -> JsonResponse:
    """The process answers; a process that does not should be restarted."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def ready(_request: HttpRequest) -> JsonResponse:
    """200 when the database, the broker and the model bundle can be used, else 503 with what cannot."""
    parts = {name: _state(name, ask) for name, ask in _PARTS.items()}
    is_ready = all(state == "ok" for state in parts.values())
    return JsonResponse({"status": "ok" if is_ready else "unavailable", **parts}, status=200 if is_ready else 503)


def _state(name: str, ask: Callable[[], None]) -> str:
    try:
        ask()
    except (DatabaseError, redis.RedisError, BundleError, OSError):
        logger.exception("Not ready: %s", name)
        return "unavailable"
    return "ok"


def _ask_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _ask_broker() -> None:
    url = settings.CELERY_BROKER_URL
    if url.startswith("redis"):
        with redis.Redis.from_url(
            url, socket_connect_timeout=_BROKER_TIMEOUT_S, socket_timeout=_BROKER_TIMEOUT_S
        ) as client:
            client.ping()


def _ask_bundle() -> None:
    gradings.read_own_bundle()


_PARTS = {"database": _ask_database, "broker": _ask_broker, "bundle": _ask_bundle}
