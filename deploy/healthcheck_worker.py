"""Health check of the worker container: exit code 0 if Redis has the heartbeat of this worker, and it grades, else 1.

NB: without Django, whose start takes longer than a grading. Key and value are those of
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
        state = broker.get(f"screening:worker:celery@{socket.gethostname()}")
except redis.RedisError as error:
    sys.exit(f"Redis does not answer ({type(error).__name__}).")
if state is None:
    sys.exit("Redis has no heartbeat of this worker from the last 45 s.")
if state != b"alive":
    sys.exit("This worker cannot load its model, and takes no photographs. Restore the model bundle.")
