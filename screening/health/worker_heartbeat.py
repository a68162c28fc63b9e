"""Heartbeats of the grading workers, kept in the broker: each expires when its worker is gone."""

import logging
import time

import redis
from django.conf import settings

logger = logging.getLogger(__name__)

TIMEOUT_S = 2
HEARTBEAT_TTL_S = 45
"""A worker counts as alive so long after its last heartbeat; longer than the pause in which a broker restarts."""
HEARTBEAT_INTERVAL_S = 10
_PREFIX = "screening:worker:"
_recorded_at: dict[str, float] = {}


def broker_is_shared() -> bool:
    """Whether a Redis stands between pages and workers; else both are threads of one process."""
    return settings.CELERY_BROKER_URL.startswith("redis")


def connect_broker() -> redis.Redis:
    """A client that gives up after two seconds; close it, or use it in a ``with``."""
    return redis.Redis.from_url(
        settings.CELERY_BROKER_URL, socket_connect_timeout=TIMEOUT_S, socket_timeout=TIMEOUT_S, decode_responses=True
    )


def record_heartbeat(name: str) -> None:
    """A worker's main process says that it runs and reaches the broker; more often than every 10 s is passed over."""
    now = time.monotonic()
    if not broker_is_shared() or now - _recorded_at.get(name, -HEARTBEAT_INTERVAL_S) < HEARTBEAT_INTERVAL_S:
        return
    try:
        with connect_broker() as broker:
            broker.set(_PREFIX + name, "alive", ex=HEARTBEAT_TTL_S)
    except redis.RedisError:
        logger.warning("The broker is unavailable: this worker cannot say that it is alive")
    else:
        _recorded_at[name] = now


def clear_heartbeat(name: str) -> None:
    """A worker that ends in good order is missed at once."""
    if not broker_is_shared():
        return
    try:
        with connect_broker() as broker:
            broker.delete(_PREFIX + name)
    except redis.RedisError:
        logger.warning("The broker is unavailable: this worker will be missed %d s later", HEARTBEAT_TTL_S)


def list_live_workers() -> list[str]:
    """Names of the workers that are alive. Raises redis.RedisError."""
    with connect_broker() as broker:
        return sorted(key.removeprefix(_PREFIX) for key in broker.scan_iter(match=f"{_PREFIX}*", count=1000))
