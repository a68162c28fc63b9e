"""Heartbeats of the grading workers: keys in Redis that expire after a worker stops."""

import logging
import time

import redis
from django.conf import settings

logger = logging.getLogger(__name__)

TIMEOUT_S = 2
HEARTBEAT_TTL_S = 45
"""Longer than a restart of the broker takes."""
HEARTBEAT_INTERVAL_S = 10
_PREFIX = "screening:worker:"
_recorded_at: dict[str, float] = {}


def broker_is_shared() -> bool:
    """Whether the broker is a Redis. Otherwise pages and worker are threads of one process."""
    return settings.CELERY_BROKER_URL.startswith("redis")


def connect_broker() -> redis.Redis:
    """Redis client with a timeout of ``TIMEOUT_S``. Use it in a ``with`` statement."""
    return redis.Redis.from_url(
        settings.CELERY_BROKER_URL, socket_connect_timeout=TIMEOUT_S, socket_timeout=TIMEOUT_S, decode_responses=True
    )


def record_heartbeat(name: str) -> None:
    """Write the heartbeat of a worker, at most every ``HEARTBEAT_INTERVAL_S``."""
    now = time.monotonic()
    if not broker_is_shared() or now - _recorded_at.get(name, -HEARTBEAT_INTERVAL_S) < HEARTBEAT_INTERVAL_S:
        return
    try:
        with connect_broker() as broker:
            broker.set(_PREFIX + name, "alive", ex=HEARTBEAT_TTL_S)
    except redis.RedisError:
        logger.warning("The broker is unavailable: the heartbeat of this worker is not recorded")
    else:
        _recorded_at[name] = now


def clear_heartbeat(name: str) -> None:
    """Delete the heartbeat of a worker that shuts down."""
    if not broker_is_shared():
        return
    try:
        with connect_broker() as broker:
            broker.delete(_PREFIX + name)
    except redis.RedisError:
        logger.warning("The broker is unavailable: this worker counts as alive for up to %d s", HEARTBEAT_TTL_S)


def list_live_workers() -> list[str]:
    """Names of the workers with a recent heartbeat. Raises redis.RedisError."""
    with connect_broker() as broker:
        return sorted(key.removeprefix(_PREFIX) for key in broker.scan_iter(match=f"{_PREFIX}*", count=1000))
