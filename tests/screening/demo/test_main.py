"""The demo as a program: started, used over HTTP, stopped with Ctrl-C, started again."""

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

from tests.builders import photo_bytes
from tests.screening.processes import DEADLINE_S, PROJECT, free_port, kill_group
from tests.screening.wire import Connection, photo_form

ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith(("DEMO_", "DJANGO_"))}


@contextmanager
def demo(folder: Path, port: int, **variables: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """A running demo and its output; stopped as by Ctrl-C."""
    environment = {**ENVIRONMENT, "DEMO_DIR": str(folder), "PORT": str(port), **variables}
    command = [sys.executable, "-m", "screening.demo"]
    with subprocess.Popen(
        command,
        cwd=PROJECT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as process:
        try:
            assert process.stdout is not None
            printed = ""
            while "Stop with Ctrl-C" not in printed and (line := process.stdout.readline()):
                printed += line.decode()
            yield process, printed
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGINT)
            process.wait(DEADLINE_S)
        finally:
            kill_group(process)


def value_of(printed: str, name: str) -> str:
    line = next((line for line in printed.splitlines() if line.startswith(f"| {name} ")), "")
    assert line, printed
    return line.removeprefix(f"| {name}").strip(" |")


def patients_page(port: int, password: str) -> tuple[str, str]:
    """Address and text of the page after a log-in as photographer."""
    cookies = http.cookiejar.CookieJar()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(cookies))
    address = f"http://127.0.0.1:{port}/login/?next=/patients/"
    browser.open(address, timeout=DEADLINE_S).close()
    token = next(cookie.value for cookie in cookies if cookie.name == "csrftoken") or ""
    form = {"username": "photographer", "password": password, "csrfmiddlewaretoken": token, "next": "/patients/"}
    with browser.open(address, urllib.parse.urlencode(form).encode(), timeout=DEADLINE_S) as response:
        return urllib.parse.urlsplit(response.geturl()).path, response.read().decode()


@pytest.mark.usefixtures("released_bundle")
def test_a_user_logs_in_and_finds_the_same_clinic_after_a_restart(tmp_path: Path) -> None:
    folder, photos, port = tmp_path / "demo", tmp_path / "photos", free_port()
    photos.mkdir()
    (photos / "eye.jpg").write_bytes(photo_bytes())  # synthetic photographs take longer
    with demo(folder, port, DEMO_PHOTOS=str(photos)) as (process, first):
        path, page = patients_page(port, value_of(first, "Password"))
        assert path == "/patients/"
        assert "Pretend" in page
        assert patients_page(port, "a wrong password")[0] == "/login/"
        body, content_type = photo_form(photo_bytes(seed=1))  # none of the clinic: its results are yet to be read
        key = {"Authorization": f"Bearer {value_of(first, 'API key')}", "Content-Type": content_type}
        assert Connection(port).post("/api/v1/predict", body, key, is_chunked=True).status == 200
        refused = Connection(port).post("/login/", body, {"Content-Type": content_type}, is_chunked=True)
        assert refused.status == 403  # it has no CSRF token
    assert process.returncode == 0
    with demo(folder, port, DEMO_PASSWORD="chosen today") as (_, second):
        assert "synthetic" not in second
        assert value_of(second, "Password") == "chosen today"
        assert value_of(second, "API key") == value_of(first, "API key")
        path, page = patients_page(port, "chosen today")
        assert page.count("Pretend") == 1


@pytest.mark.usefixtures("released_bundle")
def test_a_port_in_use_is_reported_before_anything_is_written(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with demo(tmp_path, port) as (process, printed):
            pass
    assert process.returncode == 1
    assert f"Port {port} of 127.0.0.1 is taken by another program" in printed
    assert not list(tmp_path.iterdir())
