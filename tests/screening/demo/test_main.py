"""The demo as a patient meets it: started as a program, used over HTTP, stopped with Ctrl-C, started again."""

import http.cookiejar
import os
import signal
import socket
import subprocess
import sys
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ml.bundle import default_bundle, read_bundle
from ml.errors import BundleError
from screening.demo.folder import PROJECT

START_S = 90
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith(("DEMO_", "DJANGO_"))}


@pytest.fixture(autouse=True)
def _released_bundle() -> None:
    try:
        read_bundle(default_bundle())
    except BundleError as error:
        pytest.skip(str(error))


@pytest.fixture
def port() -> int:
    """A port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
    return number


@contextmanager
def demo(folder: Path, port: int, **variables: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A running demo and what it printed; stopped as Ctrl-C stops it."""
    environment = {**ENVIRONMENT, "DEMO_DIR": str(folder), "PORT": str(port), **variables}
    with subprocess.Popen(
        [sys.executable, "-m", "screening.demo"],
        cwd=PROJECT,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as process:
        try:
            assert process.stdout is not None
            printed = ""
            for line in process.stdout:
                printed += line
                if line.startswith("Stop with Ctrl-C"):
                    break
            yield process, printed
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGINT)
            process.wait(START_S)


def value_of(printed: str, name: str) -> str:
    line = next((line for line in printed.splitlines() if line.startswith(f"| {name} ")), "")
    assert line, printed
    return line.removeprefix(f"| {name}").strip(" |")


def log_in(port: int, password: str) -> str:
    """Log in as photographer; the address that the browser ends at."""
    cookies = http.cookiejar.CookieJar()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(cookies))
    address = f"http://127.0.0.1:{port}/login/"
    browser.open(address, timeout=START_S).close()
    token = next(cookie.value for cookie in cookies if cookie.name == "csrftoken") or ""
    form = {"username": "photographer", "password": password, "csrfmiddlewaretoken": token}
    with browser.open(address, urllib.parse.urlencode(form).encode(), timeout=START_S) as answer:
        return str(answer.geturl())


def test_a_user_logs_in_again_after_a_restart(tmp_path: Path, port: int) -> None:
    with demo(tmp_path, port) as (process, first):
        password = value_of(first, "Password")
        assert log_in(port, password) == f"http://127.0.0.1:{port}/"
        assert log_in(port, "a wrong password").endswith("/login/")
    assert process.returncode == 0
    with demo(tmp_path, port, DEMO_PASSWORD="chosen today") as (_, second):
        assert value_of(second, "Password") == "chosen today"
        assert value_of(second, "API key") == value_of(first, "API key")
        assert log_in(port, "chosen today") == f"http://127.0.0.1:{port}/"


def test_it_refuses_a_port_in_use(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        with demo(tmp_path, taken) as (process, printed):
            pass
    assert process.returncode == 1
    assert f"Port {taken} of 127.0.0.1 is taken by another program" in printed
    assert not list(tmp_path.iterdir())
