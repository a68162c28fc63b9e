"""Asks the broker for this worker's heartbeat; exit code 0 or 1, for the engine's health check.

Without Django, which would cost more than a grading each time. The key is that of
``screening.health.worker_heartbeat``.
"""

import os
import socket
import sys
from pathlib import Path

import redis

password_file = os.environ.get("REDIS_PASSWORD_FILE")
password = Path(password_file).read_text(encoding="utf-8").strip() if password_file else os.environ["REDIS_PASSWORD"]
try:
    with redis.Redis.from_url(
        os.environ["REDIS_URL"], password=password, socket_connect_timeout=2, socket_timeout=2
    ) as broker:
        is_alive = broker.exists(f"screening:worker:celery@{socket.gethostname()}")
except redis.RedisError as error:
    sys.exit(f"The broker does not answer: {type(error).__name__}")
if not is_alive:
    sys.exit("No heartbeat of the worker for 45 s.")
