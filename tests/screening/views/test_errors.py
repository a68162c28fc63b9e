"""The database is unavailable: every client gets 503, and no response has details of the error."""

import json
import subprocess
import sys
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from unittest.mock import Mock

import pytest
from django.db import OperationalError, connection
from django.test import Client

from tests.screening.processes import DEADLINE_S, PROJECT, environment, free_port, is_open, wait_until

BUSY_PAGE = "Try again in a moment"


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


def test_any_other_error_is_a_500_without_details(as_photographer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    as_photographer.raise_request_exception = False
    monkeypatch.setattr("screening.views.worklist.render", Mock(side_effect=RuntimeError("Byron")))
    response = as_photographer.get("/")
    assert response.status_code == 500
    assert b"Byron" not in response.content


@pytest.fixture
def server_without_database(tmp_path: Path, released_bundle: None) -> Iterator[int]:
    """The port of a gunicorn whose PostgreSQL does not run."""
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
    collect = [sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity", "0"]
    subprocess.run(collect, check=True, cwd=PROJECT, env=settings)
    serve = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "drsite.wsgi:application"]
    with (tmp_path / "gunicorn.log").open("wb") as log:
        server = subprocess.Popen(serve, cwd=PROJECT, env=settings, stdout=log, stderr=log)
    wait_until(lambda: is_open(port), "gunicorn listened", server)
    yield port
    server.terminate()
    server.wait(DEADLINE_S)


def get(port: int, path: str, **headers: str) -> tuple[int, str]:
    connection = HTTPConnection("127.0.0.1", port, timeout=DEADLINE_S)
    connection.request("GET", path, headers=headers)
    response = connection.getresponse()
    return response.status, response.read().decode()


def test_a_production_server_without_postgresql(server_without_database: int, tmp_path: Path) -> None:
    port, session = server_without_database, {"Cookie": "sessionid=somebody"}
    status, page = get(port, "/", **session)
    assert (status, BUSY_PAGE in page, "Traceback" in page) == (503, True, False)
    for path, headers in [
        ("/api/v1/patients", {"Authorization": "Bearer drk_something"}),
        ("/api/v1/patients", session),
        ("/", session | {"Accept": "application/json"}),
    ]:
        status, body = get(port, path, **headers)
        assert (status, json.loads(body)["code"]) == (503, "busy")
    assert get(port, "/health/live")[0] == 200
    status, body = get(port, "/health/ready")
    assert (status, json.loads(body)["database"]) == (503, "unavailable")
    lines = [json.loads(line) for line in (tmp_path / "gunicorn.log").read_text().splitlines() if line.startswith("{")]
    assert {line["status"] for line in lines if line["logger"] == "drsite.request_id"} == {503}
    assert not any("password" in str(line) for line in lines)
