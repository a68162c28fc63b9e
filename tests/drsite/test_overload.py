"""Requests of one kind are limited: others do not wait for them, and requests of clients that have gone are dropped."""

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from io import BytesIO
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse

from deploy import gunicorn_conf
from drsite import overload, request_bodies
from drsite.overload import IMAGES, LOG_INS, PAGES, PHOTOS, Gate
from screening.demo import server
from screening.models import ReadingDraft, Site, User
from tests.screening.eye_states import make_exam

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
        ("GET", f"/{IMAGE}/tiles/0/1/2/", IMAGES),
        ("GET", f"/{IMAGE}/screen/", PAGES),
        ("POST", "/login/", LOG_INS),
        ("POST", "/admin/login/", LOG_INS),
        ("GET", "/login/", LOG_INS),
        ("GET", "/", PAGES),
        ("POST", f"/{EXAM}/sign/", PAGES),
    ],
)
def test_each_request_has_a_gate(method: str, path: str, gate: Gate) -> None:
    assert overload.gate_of(method, path) is gate


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
    french = clients.middleware(predict(headers={"Accept-Language": "fr"}))
    assert b"temporairement" in french.content, "in the language of the request"
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


class FullGate(Gate):
    """A gate with one place, which the test takes."""

    def __init__(self) -> None:
        super().__init__(n_running=1, n_waiting=0)


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> Iterator[ExitStack]:
    """The gates of pages and of photographs are full until the stack is closed."""
    with ExitStack() as stack:
        for name in ("PAGES", "PHOTOS"):
            gate = FullGate()
            monkeypatch.setattr(overload, name, gate)
            stack.enter_context(gate.entered())
        yield stack


def test_over_capacity_log_in_and_health_are_answered_and_no_draft_is_lost(
    full: ExitStack, client: Client, reviewer: User, site: Site
) -> None:
    exam = make_exam(site, "grade 2", "grade 0")
    client.force_login(reviewer)
    address = reverse("screening:exam-draft", args=[exam.pk])
    draft = {"OD-verdict": "2", "note": "haemorrhage", "draft_version": "0", "base_review": ""}
    for answer in (
        client.get("/"),
        client.post(address, draft, headers={"Accept": "application/json"}),
        client.post("/api/v1/predict"),
    ):
        assert (answer.status_code, answer["Retry-After"]) == (503, str(overload.RETRY_AFTER_S))
    assert not ReadingDraft.objects.exists()
    assert Client().get("/login/").status_code == 200
    assert Client().get("/health/live").status_code == 200
    full.close()
    assert client.post(address, draft, headers={"Accept": "application/json"}).status_code == 200
    assert ReadingDraft.objects.get().entries["OD-verdict"] == "2"
    assert client.get("/").status_code == 200


@pytest.mark.parametrize(("cookie", "is_full"), [("", False), ("csrftoken=x", False), ("sessionid=x", True)])
def test_the_body_of_a_photograph_that_is_refused_is_not_stored(
    cookie: str, is_full: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_bodies, "MAX_DISCARDED_BYTES", 1000)
    gate = FullGate()
    monkeypatch.setattr(overload, "PHOTOS", gate)
    monkeypatch.setattr(request_bodies, "PHOTOS", gate)
    body, seen = BytesIO(bytes(5000)), []

    def application(environ: dict[str, Any], _start_response: Any) -> list[bytes]:
        seen.append((environ["wsgi.input"].read(), environ["CONTENT_LENGTH"], environ[overload.IS_REFUSED]))
        return []

    form = {"CONTENT_TYPE": "multipart/form-data; boundary=x", "CONTENT_LENGTH": "5000", "wsgi.input": body}
    with ExitStack() as stack:
        if is_full:
            stack.enter_context(gate.entered())
        target = {"REQUEST_METHOD": "POST", "PATH_INFO": "/try/"}
        list(request_bodies.store_bodies(application)(form | {"HTTP_COOKIE": cookie} | target, lambda *_: None))
    assert seen == [(b"", "0", is_full)]
    assert body.tell() == 1000
