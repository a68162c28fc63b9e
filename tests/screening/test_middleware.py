"""A session ends half an hour after the last thing a person did, and nobody may send more than a photograph."""

import json
import time
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.http import HttpResponse
from django.test import Client, RequestFactory

from screening.middleware import MAX_BODY_BYTES, body_limit
from screening.models import User

HALF_AN_HOUR_S = 1800


@pytest.fixture
def signed_in(client: Client, photographer: User) -> Client:
    client.force_login(photographer)
    return client


def seen_at(client: Client) -> int:
    return int(client.session.get("seen_at", 0))


def test_what_a_person_does_lengthens_the_session(signed_in: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    start = time.time()
    signed_in.get("/nowhere/")
    assert seen_at(signed_in) >= int(start)
    monkeypatch.setattr("screening.middleware.time.time", lambda: start + 600)
    answer = signed_in.get("/nowhere/")
    assert seen_at(signed_in) == int(start + 600)
    assert answer.cookies["sessionid"]["max-age"] == HALF_AN_HOUR_S


def test_a_page_that_asks_by_itself_does_not(signed_in: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    signed_in.get("/nowhere/")
    before = seen_at(signed_in)
    start = time.time()
    monkeypatch.setattr("screening.middleware.time.time", lambda: start + 600)
    answer = signed_in.get("/exams/0/status/")
    assert seen_at(signed_in) == before
    assert "sessionid" not in answer.cookies


def test_the_session_is_not_written_at_every_click(signed_in: Client) -> None:
    signed_in.get("/nowhere/")
    before = Session.objects.get().expire_date
    signed_in.get("/nowhere/")
    assert Session.objects.get().expire_date == before


def test_after_a_shift_a_person_logs_in_again_however_busy(
    signed_in: Client, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    start = time.time()
    answers = []
    for hours in (0, 6, 11.9, 12.1):
        monkeypatch.setattr("screening.middleware.time.time", lambda at=start + hours * 3600: at)
        answers.append(signed_in.get("/patients/"))
    assert [answer.status_code for answer in answers] == [200, 200, 200, 302]
    assert answers[-1]["Location"].startswith("/login/")
    assert answers[-1]["Clear-Site-Data"] == '"cache"'
    assert not Session.objects.exists()


@pytest.mark.parametrize("page", ["/logout/", "/admin/logout/"])
def test_whoever_logs_out_leaves_no_photograph_in_the_browser(signed_in: Client, photographer: User, page: str) -> None:
    photographer.is_staff = photographer.is_superuser = True  # who may see the panel
    photographer.save()
    assert "Clear-Site-Data" not in signed_in.get("/patients/")
    assert signed_in.post(page)["Clear-Site-Data"] == '"cache"'
    assert "Clear-Site-Data" not in signed_in.get("/login/")


@pytest.mark.django_db
def test_a_stranger_gets_no_session(client: Client) -> None:
    client.get("/nowhere/")
    assert not Session.objects.exists()


def ask_with_body(n_bytes: str, path: str = "/login/", accept: str = "text/html") -> HttpResponse:
    """What a request of this announced size is answered; 200 where it is let through to the site."""
    request = RequestFactory().post(path, headers={"Accept": accept})
    request.META["CONTENT_LENGTH"] = n_bytes
    return body_limit(lambda _request: HttpResponse("let through"))(request)


@pytest.mark.parametrize("announced", [str(MAX_BODY_BYTES + 1), "9" * 5000, "-1", "many"])
def test_more_than_a_photograph_is_refused_before_it_is_read(announced: str) -> None:
    answer = ask_with_body(announced)
    assert answer.status_code == 413
    assert "50 MB" in answer.content.decode()


def test_the_uploading_script_is_told_so_in_its_own_words() -> None:
    answer = ask_with_body(str(MAX_BODY_BYTES + 1), accept="application/json")
    assert (answer.status_code, json.loads(answer.content)["code"]) == (413, "too_large")


@pytest.mark.parametrize("announced", ["", "0", str(MAX_BODY_BYTES)])
def test_a_body_within_the_limit_is_let_through(announced: str) -> None:
    assert ask_with_body(announced).status_code == 200


def test_the_size_is_looked_at_before_anything_reads_the_body(settings: Any) -> None:
    order = settings.MIDDLEWARE
    assert order.index("screening.middleware.body_limit") < order.index("django.middleware.csrf.CsrfViewMiddleware")
