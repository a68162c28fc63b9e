"""Processes that tests start: workers and servers."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import pytest
import redis

PROJECT = Path(__file__).resolve().parents[2]
DEADLINE_S = 120
POLL_S = 0.01
STALE_AFTER_S = 2
"""GRADING_STALE_AFTER_S of the workers in tests, shorter than the 90 s of a site."""


class StartWorker(Protocol):
    """Starts a worker at the broker of a URL, under another name or with other settings than usual."""

    def __call__(self, broker_url: str, name: str = "faults", **settings: str) -> "subprocess.Popen[bytes]": ...


def free_port() -> int:
    """A free port of this computer."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def is_open(port: int) -> bool:
    """Whether a process listens on a port of this computer."""
    with suppress(OSError):
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    return False


def wait_until(is_true: Callable[[], bool], what: str, process: "subprocess.Popen[bytes]") -> None:
    """Wait for a condition; fail after DEADLINE_S or if the process ends."""
    deadline = time.monotonic() + DEADLINE_S
    while not is_true():
        assert time.monotonic() < deadline, f"{what}: not within {DEADLINE_S} s"
        with suppress(subprocess.TimeoutExpired):
            process.wait(POLL_S)
            pytest.fail(f"the process ended before {what}")


def environment(database: str, **more: str) -> dict[str, str]:
    """Environment of a site in production mode, with plain HTTP."""
    strong = "q8ZrV1nXw5tKc3LyPb7HdMf2SgJa9UeTo4RiNxWk6BvCz0YhQmDs"
    return {**os.environ, "SECRET_KEY": strong, "DATABASE_URL": database, "INSECURE_HTTP": "true", **more}


def start_celery_worker(log: Path, settings: dict[str, str], *options: str) -> "subprocess.Popen[bytes]":
    """Start ``celery -A drsite worker``; its output is appended to ``log``."""
    arguments = ["-m", "celery", "-A", "drsite", "worker", "--concurrency", "1", "--loglevel", "INFO", *options]
    with log.open("ab") as file:
        return subprocess.Popen(
            [sys.executable, *arguments],
            cwd=PROJECT,
            env=settings,
            stdout=file,
            stderr=file,
            start_new_session=True,  # a process group, for kill_group
        )


def kill_group(process: "subprocess.Popen[bytes]") -> None:
    """Kill a process and its children, if they still run."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(DEADLINE_S)


class RedisServer:
    """A Redis server that a test starts and stops."""

    def __init__(self, folder: Path) -> None:
        self.port, self.folder = free_port(), folder
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        options = ["--port", str(self.port), "--dir", str(self.folder), "--save", "", "--bind", "127.0.0.1"]
        self.process = subprocess.Popen(["redis-server", *options], stdout=subprocess.DEVNULL)
        wait_until(self.answers, "Redis answered", self.process)

    def answers(self) -> bool:
        with redis.Redis.from_url(self.url, socket_connect_timeout=1) as client, suppress(redis.ConnectionError):
            return bool(client.ping())
        return False

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(DEADLINE_S)
            self.process = None
