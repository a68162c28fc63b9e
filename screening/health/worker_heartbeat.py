"""Heartbeats of the grading workers: keys in Redis that expire after a worker stops.

The value of a key is the state of the worker: it grades, or its model cannot be loaded and it takes no photographs.
"""

import logging
import time

import redis
from django.conf import settings

logger = logging.getLogger(__name__)

TIMEOUT_S = 2
HEARTBEAT_TTL_S = 45
"""Longer than a restart of the broker takes."""
HEARTBEAT_INTERVAL_S = 10
GRADING, NOT_GRADING = "alive", "model cannot be loaded"
"""NB: also in deploy/healthcheck_worker.py."""
_PREFIX = "screening:worker:"
_recorded: dict[str, tuple[str, float]] = {}
"""State and time of the last heartbeat, by name."""


def broker_is_shared() -> bool:
    """Whether the broker is a Redis. Otherwise pages and worker are threads of one process."""
    return settings.CELERY_BROKER_URL.startswith("redis")


def connect_broker() -> redis.Redis:
    """Redis client with a timeout of ``TIMEOUT_S``. Use it in a ``with`` statement."""
    return redis.Redis.from_url(
        settings.CELERY_BROKER_URL, socket_connect_timeout=TIMEOUT_S, socket_timeout=TIMEOUT_S, decode_responses=True
    )


def record_heartbeat(name: str, *, is_grading: bool = True) -> None:
    """Write the heartbeat of a worker: at once if its state has changed, else every ``HEARTBEAT_INTERVAL_S``."""
    now, state = time.monotonic(), GRADING if is_grading else NOT_GRADING
    last_state, last_at = _recorded.get(name, ("", 0.0))
    if not broker_is_shared() or (state == last_state and now - last_at < HEARTBEAT_INTERVAL_S):
        return
    try:
        with connect_broker() as broker:
            broker.set(_PREFIX + name, state, ex=HEARTBEAT_TTL_S)
    except redis.RedisError:
        logger.warning("The broker is unavailable: the heartbeat of this worker is not recorded")
    else:
        _recorded[name] = state, now


def clear_heartbeat(name: str) -> None:
    """Delete the heartbeat of a worker that shuts down."""
    if not broker_is_shared():
        return
    try:
        with connect_broker() as broker:
            broker.delete(_PREFIX + name)
    except redis.RedisError:
        logger.warning("The broker is unavailable: this worker counts as alive for up to %d s", HEARTBEAT_TTL_S)


def list_live_workers() -> dict[str, bool]:
    """Workers with a recent heartbeat, by name: whether they grade. Raises redis.RedisError."""
    with connect_broker() as broker:
        keys = sorted(broker.scan_iter(match=f"{_PREFIX}*", count=1000))
        states = broker.mget(keys) if keys else []
    return {
        key.removeprefix(_PREFIX): state != NOT_GRADING
        for key, state in zip(keys, states, strict=True)
        if state is not None  # it expired between the two commands
    }
