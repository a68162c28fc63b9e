"""gunicorn's settings for the demo: one process that serves pages and, on further threads, grades photographs."""

import os
import sys
from pathlib import Path
from typing import Any

from screening.demo.folder import read_credentials

bind = f"{os.environ.get('HOST', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"
workers = 1  # NB: the queue of gradings lives in this one process's memory
worker_class = "gthread"
threads = 8
preload_app = False  # threads and onnxruntime's pools do not survive a fork
timeout = 120
graceful_timeout = 10
loglevel = os.environ.get("LOG_LEVEL", "WARNING").lower()
accesslog = None
control_socket_disable = True


def post_worker_init(worker: Any) -> None:
    """Start grading in the process that serves, then print how to get in: everything has been loaded by now."""
    from screening.demo import worker as grading

    grading.start()
    if worker.age == 1:  # not again, should gunicorn ever have to replace the process
        sys.stdout.write(welcome())
        sys.stdout.flush()


def worker_exit(_server: Any, _worker: Any) -> None:
    """Let the photograph in hand be finished."""
    from screening.demo import worker

    worker.stop()


def on_exit(_server: Any) -> None:
    """Say that nothing is lost."""
    sys.stdout.write(f"\nThe demo has stopped. Its data stays in {os.environ.get('DEMO_DIR', '')}.\n")
    sys.stdout.flush()


def welcome() -> str:
    """The box with address, users, password and key, and a command to try."""
    folder = Path(os.environ["DEMO_DIR"])
    credentials = read_credentials(folder)
    if credentials is None:
        return ""
    host, port = bind.rsplit(":", 1)
    address = f"http://{'127.0.0.1' if host in {'0.0.0.0', '::'} else host}:{port}"  # noqa: S104 (only compared)
    photographs = "" if os.environ.get("DEMO_PHOTOS") else "Its photographs are synthetic. "
    rows = [
        "Diabetic retinopathy screening: demo clinic",
        f"{photographs}Decision support, not a certified medical device.",
        "",
        f"Address    {address}/",
        "Users      photographer, reviewer, admin",
        f"Password   {credentials.password}",
        f"API key    {credentials.api_key}",
        f"Data       {folder}",
    ]
    width = max(map(len, rows))
    rule = f"+{'-' * (width + 2)}+"
    lines = ["", rule, *(f"| {row:<{width}} |" for row in rows), rule, "", "Grade a photograph of your own:"]
    lines.append(f'  curl -H "Authorization: Bearer {credentials.api_key}" -F photo=@eye.jpg {address}/api/v1/predict')
    return "\n".join([*lines, "", "Stop with Ctrl-C; started again, the demo keeps its data.", "", ""])
