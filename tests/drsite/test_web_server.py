"""The web server without a proxy: started under load, with clients that leave, with uploads that it refuses."""

import socket
import threading
from contextlib import suppress
from http.client import HTTPConnection, HTTPException

import pytest

from screening.middleware import MAX_BODY_BYTES
from screening.models import User
from screening.services.api_keys import issue_key
from tests.drsite.conftest import StartServer
from tests.screening.processes import DEADLINE_S, is_open, wait_until

N_CLIENTS = 60
ANSWERS = {200, 302, 503}


def get(port: int, path: str, headers: dict[str, str] | None = None) -> tuple[int, str]:
    """Status, and ``Retry-After``."""
    connection = HTTPConnection("127.0.0.1", port, timeout=DEADLINE_S)
    try:
        connection.request("GET", path, headers=headers or {})
        response = connection.getresponse()
        response.read()
        return response.status, response.headers.get("Retry-After", "")
    finally:
        connection.close()


def wait_and_get(port: int, path: str, answers: list[tuple[int, str]], headers: dict[str, str]) -> None:
    """Try until the server accepts a connection, then send one request."""
    pause = threading.Event()
    while not is_open(port):
        pause.wait(0.02)
    with suppress(OSError, HTTPException):
        answers.append(get(port, path, headers))


@pytest.mark.django_db(transaction=True)
def test_a_server_that_starts_under_load_answers_every_client(start_server: StartServer, photographer: User) -> None:
    key = {"Authorization": f"Bearer {issue_key(user=photographer, name='camera', by=None)[1]}"}
    port, process = start_server()
    answers: list[tuple[int, str]] = []
    paths = ["/api/v1/patients", "/api/v1/exams", "/"]
    clients = [
        threading.Thread(target=wait_and_get, args=(port, paths[number % len(paths)], answers, key))
        for number in range(N_CLIENTS)
    ]
    for client in clients:
        client.start()
    wait_until(lambda: is_open(port), "gunicorn listened", process)
    assert get(port, "/health/live")[0] == 200
    assert get(port, "/login/")[0] == 200
    for client in clients:
        client.join(DEADLINE_S)
    assert len(answers) == N_CLIENTS
    assert {status for status, _retry in answers} <= ANSWERS
    assert all(retry_after for status, retry_after in answers if status == 503)
    assert get(port, "/api/v1/patients", key)[0] == 200


@pytest.mark.django_db(transaction=True)
def test_requests_of_clients_that_have_left_leave_no_backlog(port: int, photographer: User) -> None:
    key = f"Bearer {issue_key(user=photographer, name='camera', by=None)[1]}"
    for _ in range(N_CLIENTS):
        with socket.create_connection(("127.0.0.1", port), timeout=DEADLINE_S) as client:
            head = f"GET /api/v1/patients HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: {key}\r\n\r\n"
            client.sendall(head.encode())
    assert get(port, "/login/")[0] == 200
    assert get(port, "/api/v1/patients", {"Authorization": key})[0] == 200


def sent_before_close(port: int, n_bytes: int, headers: str) -> tuple[int, str]:
    """Send a form of ``n_bytes`` until the server closes the connection. Returns bytes sent, and the status line."""
    with socket.create_connection(("127.0.0.1", port), timeout=DEADLINE_S) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 64 * 1024)
        head = (
            f"POST /api/v1/predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {n_bytes}\r\n{headers}"
            "Content-Type: multipart/form-data; boundary=wire\r\n\r\n"
        )
        client.sendall(head.encode())
        n_sent = 0
        with suppress(ConnectionError):
            while n_sent < n_bytes:
                n_sent += client.send(bytes(min(64 * 1024, n_bytes - n_sent)))
        answer = b""
        with suppress(ConnectionError):
            answer = client.recv(100)
        return n_sent, answer.split(b"\r\n")[0].decode()


@pytest.mark.django_db(transaction=True)
def test_a_refused_upload_is_not_read_in_full(port: int, photographer: User) -> None:
    key = f"Authorization: Bearer {issue_key(user=photographer, name='camera', by=None)[1]}\r\n"
    n_sent, _status = sent_before_close(port, MAX_BODY_BYTES - 1, "")  # without a log-in
    assert n_sent < MAX_BODY_BYTES * 3 // 4
    n_sent, _status = sent_before_close(port, 40 * MAX_BODY_BYTES, key)  # too large
    assert n_sent < MAX_BODY_BYTES * 3 // 4
    n_sent, status = sent_before_close(port, 5_000_000, "")  # small enough to get its answer
    assert (n_sent, status) == (5_000_000, "HTTP/1.1 401 Unauthorized")
    n_sent, status = sent_before_close(port, 20_000_000, key)  # it is read, and no photograph
    assert (n_sent, status) == (20_000_000, "HTTP/1.1 400 Bad Request")
