"""gunicorn's settings in a container; numbers come from the environment."""

import os
from typing import Any

bind = "0.0.0.0:8000"  # only the proxy's network reaches it

# A request mostly waits: for the database, for a file, for the next part of a photograph. So threads share a process,
# and a second process uses a second core and takes over while the first is replaced. Grading itself happens in the
# workers; what needs the processor here are thumbnails and `predict`, and both release Python's lock.
worker_class = "gthread"
workers = int(os.environ.get("WEB_PROCESSES") or 2)
threads = int(os.environ.get("WEB_THREADS") or 4)
# Each process makes its own ONNX session after the fork: threads of onnxruntime do not survive one.
preload_app = False

# With threads this is no limit of a request: a process whose main loop says nothing for so long is replaced.
timeout = 60
# A stopped server ends what it has begun. docker-compose.yml waits longer than this before it kills
# (stop_grace_period), and the proxy waits for an answer longer than this (proxy_read_timeout).
graceful_timeout = 40
# Longer than the proxy keeps its connections, so that none is closed while a request is on its way.
keepalive = 75
# A leak somewhere below could not fill the memory; the spread keeps the processes from restarting together.
max_requests = 5000
max_requests_jitter = 500

worker_tmp_dir = "/dev/shm"  # noqa: S108 (in memory: on a slow disk the heartbeat would come late)
forwarded_allow_ips = "*"  # the proxy's address changes, and nobody else reaches this port
accesslog = None  # the proxy and the application write a line a request
errorlog = "-"
loglevel = "warning"
control_socket_disable = True


def pre_fork(server: Any, worker: Any) -> None:
    """Give the new process the lowest slot that none of the others has, for drsite/metrics.py."""
    taken = {other.metrics_slot for other in server.WORKERS.values()}
    worker.metrics_slot = next(slot for slot in range(1, len(taken) + 2) if slot not in taken)


def post_fork(server: Any, worker: Any) -> None:
    """In the new process: its counters go on in the files of the one whose slot it takes."""
    os.environ["PROMETHEUS_WORKER_SLOT"] = str(worker.metrics_slot)
