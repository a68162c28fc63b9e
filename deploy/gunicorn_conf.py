"""Settings of gunicorn in a container."""

import os
from typing import Any

bind = "0.0.0.0:8000"  # only the proxy is in this network

# Requests mostly wait for the database or for files, so threads share a process. A second process uses a second core,
# and serves while the first is replaced. Only thumbnails and `predict` need the CPU, and both release the GIL.
# drsite/overload.py limits how many requests of a kind run and wait at once: it needs a thread for each (N_THREADS).
# Each thread keeps a connection to the database.
worker_class = "gthread"
workers = int(os.environ.get("WEB_PROCESSES") or 2)
threads = int(os.environ.get("WEB_THREADS") or 40)
# Each process creates its ONNX session after the fork, which does not copy the threads of ONNX Runtime.
preload_app = False

# Limit of the main loop of a process. With threads it does not limit requests.
timeout = 60
# Connections that wait for a thread. More would wait so long that clients give up before the answer.
backlog = 256
# A stopped server finishes its requests. It is below stop_grace_period in docker-compose.yml and below
# proxy_read_timeout of nginx.
graceful_timeout = 40
# Longer than keepalive_timeout of nginx, so that no connection is closed during a request.
keepalive = 75
# Limits memory leaks of libraries; the jitter keeps the processes from restarting together.
max_requests = 5000
max_requests_jitter = 500

worker_tmp_dir = "/dev/shm"  # noqa: S108 (in memory: a slow disk would delay the heartbeat)
forwarded_allow_ips = "*"  # the address of the proxy changes, and nothing else reaches this port
accesslog = None  # proxy and application log each request
errorlog = "-"
loglevel = "warning"
control_socket_disable = True


def pre_fork(server: Any, worker: Any) -> None:
    """Choose the lowest free slot of the files of drsite/metrics.py."""
    taken = {other.metrics_slot for other in server.WORKERS.values()}
    worker.metrics_slot = next(slot for slot in range(1, len(taken) + 2) if slot not in taken)


def post_fork(server: Any, worker: Any) -> None:
    """Pass the slot to the new process."""
    os.environ["PROMETHEUS_WORKER_SLOT"] = str(worker.metrics_slot)
