"""The web server as deploy/ configures it."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.screening.processes import DEADLINE_S, PROJECT, environment, free_port, is_open, wait_until

StartServer = Callable[[], "tuple[int, subprocess.Popen[bytes]]"]


@pytest.fixture
def start_server(shared_database: str, tmp_path: Path, released_bundle: None) -> Iterator[StartServer]:
    """Starts gunicorn with one process, and returns its port without waiting for it."""
    variables = environment(
        shared_database,
        REDIS_URL="memory://",
        TMPDIR=str(tmp_path),
        ALLOWED_HOSTS="127.0.0.1",
        DEBUG="true",  # pages without collected static files
        MEDIA_ROOT=str(tmp_path / "media"),
    )
    started = []

    def start() -> "tuple[int, subprocess.Popen[bytes]]":
        port = free_port()
        options = ["--workers", "1", "--bind", f"127.0.0.1:{port}", "--worker-tmp-dir", str(tmp_path)]
        command = ["-m", "gunicorn", "--config", "deploy/gunicorn_conf.py", *options, "drsite.wsgi:application"]
        with (tmp_path / "gunicorn.log").open("wb") as log:
            process = subprocess.Popen([sys.executable, *command], cwd=PROJECT, env=variables, stdout=log, stderr=log)
        started.append(process)
        return port, process

    yield start
    for process in started:
        process.terminate()
        process.wait(DEADLINE_S)


@pytest.fixture
def port(start_server: StartServer) -> int:
    """The port of gunicorn, when it accepts connections."""
    port, process = start_server()
    wait_until(lambda: is_open(port), "gunicorn listened", process)
    return port
