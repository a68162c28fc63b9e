"""A session ends half an hour after the last thing a person did."""

import time

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

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


@pytest.mark.django_db
def test_a_stranger_gets_no_session(client: Client) -> None:
    client.get("/nowhere/")
    assert not Session.objects.exists()
