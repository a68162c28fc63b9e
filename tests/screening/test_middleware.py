"""Sessions end after 30 minutes without activity and after a shift; requests have a maximum size."""

import json
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.http import HttpResponse
from django.test import Client, RequestFactory

from screening.middleware import MAX_BODY_BYTES, limit_body_size
from screening.models import User

IDLE_S = 1800
START = time.time()


@pytest.fixture
def logged_in(client: Client, photographer: User) -> Client:
    client.force_login(photographer)
    return client


@pytest.fixture
def get_after(logged_in: Client, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Requests a page some seconds after the start."""

    def get(seconds: float, path: str = "/nowhere/") -> Any:
        set_clock(monkeypatch, START + seconds)
        return logged_in.get(path)

    return get


def set_clock(monkeypatch: pytest.MonkeyPatch, now: float) -> None:
    for module in ("screening.middleware.time", "screening.views.sessions.time"):
        monkeypatch.setattr(module, SimpleNamespace(time=lambda: now))


def active_after(client: Client) -> int:
    return int(client.session["active_at"]) - int(START)


def test_activity_extends_the_session(logged_in: Client, get_after: Callable[..., Any]) -> None:
    get_after(0)
    assert active_after(logged_in) == 0
    assert get_after(600).cookies["sessionid"]["max-age"] == IDLE_S
    assert active_after(logged_in) == 600


def test_polling_does_not_extend_the_session(logged_in: Client, get_after: Callable[..., Any]) -> None:
    get_after(0)
    assert "sessionid" not in get_after(600, "/exams/0/status/").cookies
    assert active_after(logged_in) == 0


def test_a_second_request_does_not_write_the_session(get_after: Callable[..., Any]) -> None:
    get_after(0)
    before = Session.objects.get().expire_date
    get_after(1)
    assert Session.objects.get().expire_date == before


def test_a_session_ends_after_a_shift_with_activity_too(get_after: Callable[..., Any]) -> None:
    responses = [get_after(hours * 3600, "/patients/") for hours in (0, 6, 11.9, 12.1)]
    assert [response.status_code for response in responses] == [200, 200, 200, 302]
    assert responses[-1]["Location"].startswith("/login/")
    assert responses[-1]["Clear-Site-Data"].startswith('"cache"')
    assert not Session.objects.exists()


@pytest.mark.parametrize("page", ["/logout/", "/admin/logout/"])
def test_a_log_out_clears_the_cache_of_the_browser(logged_in: Client, photographer: User, page: str) -> None:
    photographer.is_staff = photographer.is_superuser = True  # for the administration panel
    photographer.save()
    assert "Clear-Site-Data" not in logged_in.get("/patients/")
    assert logged_in.post(page)["Clear-Site-Data"].startswith('"cache"')
    assert "Clear-Site-Data" not in logged_in.get("/login/")


@pytest.mark.django_db
def test_a_request_without_a_log_in_has_no_session(client: Client) -> None:
    client.get("/nowhere/")
    assert not Session.objects.exists()


@pytest.mark.parametrize(
    ("content_length", "status"),
    [
        ("", 200),
        ("0", 200),
        (str(MAX_BODY_BYTES), 200),
        (str(MAX_BODY_BYTES + 1), 413),
        ("9" * 5000, 413),
        ("-1", 413),
        ("many", 413),
    ],
)
@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_a_body_larger_than_a_photograph_is_refused(content_length: str, status: int, accept: str) -> None:
    request = RequestFactory().post("/login/", headers={"Accept": accept})
    request.META["CONTENT_LENGTH"] = content_length
    response = limit_body_size(lambda _request: HttpResponse())(request)
    assert response.status_code == status
    if status == 413:
        assert "50 MB" in response.content.decode()
        assert accept == "text/html" or json.loads(response.content)["code"] == "too_large"


def test_the_size_is_checked_before_the_body_is_read(settings: Any) -> None:
    size, csrf = "screening.middleware.limit_body_size", "django.middleware.csrf.CsrfViewMiddleware"
    assert settings.MIDDLEWARE.index(size) < settings.MIDDLEWARE.index(csrf)


def test_the_page_knows_when_its_session_ends(logged_in: Client, get_after: Callable[..., Any]) -> None:
    get_after(0)
    assert 'data-seconds-left="1800"' in get_after(0, "/patients/").content.decode()
    account = str(User.objects.get().pk)
    answer = {"seconds_left": IDLE_S, "is_extendable": True, "account": account}
    assert get_after(0, "/session/status/").json() == answer
    assert f'data-account="{account}"' in get_after(0, "/patients/").content.decode()
    assert "session-warning" not in Client().get("/login/").content.decode()


def test_staying_logged_in_extends_the_session_and_asking_does_not(
    logged_in: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    logged_in.get("/patients/")
    set_clock(monkeypatch, time.time() + 1700)
    assert logged_in.get("/session/status/").json()["seconds_left"] <= 100
    assert logged_in.get("/session/status/").json()["seconds_left"] <= 100
    assert logged_in.post("/session/extend/").json()["seconds_left"] == IDLE_S


def test_the_end_of_a_shift_cannot_be_extended(logged_in: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    logged_in.get("/patients/")
    set_clock(monkeypatch, time.time() + 12 * 3600 - 60)
    answer = logged_in.post("/session/extend/").json()
    assert answer["is_extendable"] is False
    assert answer["seconds_left"] <= 60
