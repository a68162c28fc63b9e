"""Requests of one kind are limited: others do not wait for them, and requests of clients that have gone are dropped."""

import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from deploy import gunicorn_conf
from drsite import overload
from drsite.overload import IMAGES, LOG_INS, PAGES, PHOTOS, Gate
from screening.demo import server

EXAM = "exams/5f0c1f3e-0000-4000-8000-000000000000"
IMAGE = "images/5f0c1f3e-0000-4000-8000-000000000000"


@pytest.mark.parametrize(
    ("method", "path", "gate"),
    [
        ("POST", "/try/", PHOTOS),
        ("POST", f"/{EXAM}/images/", PHOTOS),
        ("POST", "/api/v1/predict", PHOTOS),
        ("POST", f"/api/v1/{EXAM}/images", PHOTOS),
        ("POST", f"/api/v1/{EXAM}/suggest-eye", PHOTOS),
        ("GET", "/try/", PAGES),
        ("GET", f"/{IMAGE}/thumbnail/", IMAGES),
        ("GET", f"/{IMAGE}/photo/", IMAGES),
        ("POST", "/login/", LOG_INS),
        ("POST", "/admin/login/", LOG_INS),
        ("GET", "/login/", LOG_INS),
        ("GET", "/", PAGES),
        ("POST", f"/{EXAM}/sign/", PAGES),
    ],
)
def test_each_request_has_a_gate(method: str, path: str, gate: Gate) -> None:
    assert overload.gate_of(RequestFactory().generic(method, path)) is gate


class BlockedView:
    """A view that answers once ``release`` is set."""

    def __init__(self) -> None:
        self.release = threading.Event()
        self.entered = threading.Semaphore(0)
        self.n_calls = 0

    def __call__(self, _request: HttpRequest) -> HttpResponse:
        self.n_calls += 1
        self.entered.release()
        assert self.release.wait(30)
        return HttpResponse("done")


class Clients:
    """Threads that send one request each."""

    def __init__(self, view: Any) -> None:
        self.middleware = overload.limit_concurrency(view)
        self.statuses: list[int] = []
        self.threads: list[threading.Thread] = []

    def send(self, request: HttpRequest) -> None:
        thread = threading.Thread(target=lambda: self.statuses.append(self.middleware(request).status_code))
        thread.start()
        self.threads.append(thread)

    def join(self) -> None:
        for thread in self.threads:
            thread.join(30)
            assert not thread.is_alive()


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    """The gate of photographs: one runs, one waits."""
    gate = Gate(n_running=1, n_waiting=1)
    monkeypatch.setattr(overload, "PHOTOS", gate)
    return gate


@pytest.fixture
def view() -> Iterator[BlockedView]:
    view = BlockedView()
    yield view
    view.release.set()


def predict(**extra: Any) -> HttpRequest:
    return RequestFactory().post("/api/v1/predict", **extra)


def wait_for_waiting(gate: Gate) -> None:
    for _ in range(3000):
        if gate._admitted._value == 0:
            return
        threading.Event().wait(0.01)
    pytest.fail("no request waited")


def test_above_the_limit_a_request_is_refused_at_once_and_others_are_not(gate: Gate, view: BlockedView) -> None:
    clients = Clients(view)
    clients.send(predict())
    assert view.entered.acquire(timeout=30)
    clients.send(predict())
    wait_for_waiting(gate)
    refused = clients.middleware(predict())
    assert (refused.status_code, refused["Retry-After"]) == (503, str(overload.RETRY_AFTER_S))
    assert b'"busy"' in refused.content
    page = overload.limit_concurrency(lambda _request: HttpResponse("page"))
    assert page(RequestFactory().get("/")).status_code == 200
    view.release.set()
    clients.join()
    assert clients.statuses == [200, 200]
    assert clients.middleware(predict()).status_code == 200, "the places are free again"


def test_a_request_that_waits_too_long_is_refused(
    gate: Gate, view: BlockedView, monkeypatch: pytest.MonkeyPatch
) -> None:
    clients = Clients(view)
    clients.send(predict())
    assert view.entered.acquire(timeout=30)
    with pytest.raises(overload.Overloaded), gate.entered(timeout_s=0.05):
        pytest.fail("it ran")
    view.release.set()
    clients.join()


@pytest.mark.parametrize("is_closed", [True, False])
def test_a_request_whose_client_is_gone_is_not_carried_out(is_closed: bool) -> None:
    here, there = socket.socketpair()
    called: list[HttpRequest] = []
    middleware = overload.limit_concurrency(lambda request: called.append(request) or HttpResponse())  # type: ignore[func-returns-value]
    with here, there:
        there.sendall(b"the rest of a body that was not read")
        if is_closed:
            there.close()
        response = middleware(predict(**{"gunicorn.socket": here}))
    assert (response.status_code, len(called)) == ((499, 0) if is_closed else (200, 1))


def test_the_servers_have_a_thread_for_each_place() -> None:
    assert gunicorn_conf.threads >= overload.N_THREADS
    assert server.threads >= overload.N_THREADS
