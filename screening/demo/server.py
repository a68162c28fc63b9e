"""Settings of gunicorn for the demo: one process serves pages and grades photographs in threads."""

import os
import sys
from pathlib import Path
from typing import Any

from screening.demo.credentials import read_credentials

bind = f"{os.environ.get('HOST', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"
workers = 1  # NB: the queue is in the memory of this process
worker_class = "gthread"
threads = 40  # as many as drsite/overload.py needs
preload_app = False  # a fork does not copy threads, nor those of ONNX Runtime
timeout = 120
graceful_timeout = 10
loglevel = os.environ.get("LOG_LEVEL", "WARNING").lower()
accesslog = None
control_socket_disable = True


def post_worker_init(worker: Any) -> None:
    """Start grading in the process that serves, then print address and credentials."""
    from screening.demo import clinic
    from screening.demo import worker as grading

    grading.start()
    if worker.age == 1:  # not after gunicorn has replaced the process
        sys.stdout.write(welcome(is_synthetic=clinic.is_synthetic()))
        sys.stdout.flush()


def worker_exit(_server: Any, _worker: Any) -> None:
    """Finish the photograph that is being graded."""
    from screening.demo import worker

    worker.stop()


def on_exit(_server: Any) -> None:
    sys.stdout.write(f"\nThe demo has stopped. Its data stays in {os.environ.get('DEMO_DIR', '')}.\n")
    sys.stdout.flush()


def welcome(*, is_synthetic: bool) -> str:
    """Box with address, users, password and API key, and an example of a command."""
    folder = Path(os.environ["DEMO_DIR"])
    credentials = read_credentials(folder)
    if credentials is None:
        return ""
    host, port = bind.rsplit(":", 1)
    address = f"http://{'127.0.0.1' if host in {'0.0.0.0', '::'} else host}:{port}"  # noqa: S104 (only compared)
    photographs = "Its photographs are synthetic. " if is_synthetic else ""
    lines = [
        "Diabetic retinopathy screening: demo clinic",
        f"{photographs}Decision support, not a certified medical device.",
        "",
        f"Address    {address}/",
        "Users      photographer, reviewer, admin",
        f"Password   {credentials.password}",
        f"API key    {credentials.api_key}",
        f"Data       {folder}",
    ]
    width = max(map(len, lines))
    rule = f"+{'-' * (width + 2)}+"
    text = ["", rule, *(f"| {line:<{width}} |" for line in lines), rule, "", "Grade a photograph:"]
    text.append(f'  curl -H "Authorization: Bearer {credentials.api_key}" -F photo=@eye.jpg {address}/api/v1/predict')
    return "\n".join([*text, "", "Stop with Ctrl-C. A second start keeps the data.", "", ""])
