"""The database is unavailable: every client gets 503, and no response has details of the error."""

import json
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client

from screening.models import User
from tests.screening.processes import DEADLINE_S, PROJECT, environment, free_port, is_open, wait_until

BUSY_PAGE, BUSY_CODE = "Try again in a moment", "busy"


@pytest.fixture
def database_unavailable(db: None) -> Iterator[None]:
    def refuse() -> None:
        raise OperationalError("connection to server at db failed: FATAL: password authentication failed")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connection, "ensure_connection", refuse)
        yield


@pytest.mark.parametrize("path", ["/", "/patients/", "/exams/5f0c1f3e-0000-4000-8000-000000000000/"])
def test_a_page_without_the_database_is_a_503(client: Client, database_unavailable: None, path: str) -> None:
    client.raise_request_exception = False
    client.cookies["sessionid"] = "somebody"
    response = client.get(path)
    assert (response.status_code, response["Retry-After"]) == (503, "10")
    page = response.content.decode()
    assert BUSY_PAGE in page
    assert "Traceback" not in page
    assert "password" not in page


def test_any_other_error_is_a_500_without_details(
    client: Client, photographer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: Any, **_kwargs: Any) -> None:
        raise RuntimeError("Byron")

    client.force_login(photographer)
    client.raise_request_exception = False
    monkeypatch.setattr("screening.views.worklist.render", fail)
    response = client.get("/")
    assert response.status_code == 500
    assert b"Byron" not in response.content


@pytest.fixture
def server_without_database(tmp_path: Path, released_bundle: None) -> Iterator[str]:
    """The address of a gunicorn whose PostgreSQL does not run."""
    port = free_port()
    settings = environment(
        f"postgres://postgres@127.0.0.1:{free_port()}/nothing",
        REDIS_URL="memory://",
        ALLOWED_HOSTS="127.0.0.1",
        MEDIA_ROOT=str(tmp_path / "media"),
        STATIC_ROOT=str(tmp_path / "static"),
        TMPDIR=str(tmp_path),
        DEBUG="false",
    )
    run = {"cwd": PROJECT, "env": settings, "stderr": subprocess.STDOUT}
    subprocess.run(
        [sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity", "0"],
        check=True,
        cwd=PROJECT,
        env=settings,
    )
    with (tmp_path / "gunicorn.log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "drsite.wsgi:application"],
            stdout=log,
            **run,  # type: ignore[call-overload]
        )
    wait_until(lambda: is_open(port), "gunicorn listened", server)
    yield f"http://127.0.0.1:{port}"
    server.terminate()
    server.wait(DEADLINE_S)


def fetch(url: str, **headers: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=DEADLINE_S) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_a_production_server_without_postgresql(server_without_database: str, tmp_path: Path) -> None:
    status, page = fetch(f"{server_without_database}/", Cookie="sessionid=somebody")
    assert (status, BUSY_PAGE in page, "Traceback" in page) == (503, True, False)
    for headers in ({"Authorization": "Bearer drk_something"}, {"Cookie": "sessionid=somebody"}):
        status, body = fetch(f"{server_without_database}/api/v1/patients", **headers)
        assert (status, json.loads(body)["code"]) == (503, BUSY_CODE)
    status, body = fetch(f"{server_without_database}/", Cookie="sessionid=somebody", Accept="application/json")
    assert (status, json.loads(body)["code"]) == (503, BUSY_CODE)
    assert fetch(f"{server_without_database}/health/live")[0] == 200
    status, body = fetch(f"{server_without_database}/health/ready")
    assert (status, json.loads(body)["database"]) == (503, "unavailable")
    lines = [json.loads(line) for line in (tmp_path / "gunicorn.log").read_text().splitlines() if line.startswith("{")]
    assert {line["status"] for line in lines if line["logger"] == "drsite.request_id"} == {503}
    assert not any("password" in str(line) for line in lines)
