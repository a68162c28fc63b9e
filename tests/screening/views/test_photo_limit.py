"""Photographs that a user sends are limited, by the pages and the API together."""

from io import BytesIO
from typing import Any

import pytest
from django.test import Client

from screening.models import FundusImage, Site
from screening.throttling import KeyThrottle
from tests.builders import photo_bytes
from tests.screening.factories import ExamFactory
from tests.screening.views.pages import url


@pytest.fixture(autouse=True)
def rates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(KeyThrottle, "THROTTLE_RATES", {"data": "600/min", "photos": "1/min"})


def send(client: Client, address: str, **options: Any) -> Any:
    return client.post(address, {"photo": BytesIO(photo_bytes()), "laterality": "OD", "field": "macula"}, **options)


def test_too_many_photographs_are_refused_with_the_time_to_wait(site: Site, as_photographer: Client) -> None:
    address = url("exam-images", ExamFactory(patient__site=site).pk)
    assert send(as_photographer, address).status_code == 302
    for path in (address, url("predict")):
        page = send(as_photographer, path)
        assert (page.status_code, "too many photographs in a minute. Wait" in page.content.decode()) == (429, True)
        assert 1 <= int(page["Retry-After"]) <= 61
    script = send(as_photographer, address, headers={"Accept": "application/json"})
    assert (script.status_code, script.json()["code"]) == (429, "throttled")
    assert send(as_photographer, "/api/v1/predict").status_code == 429, "with a session, the API counts together"
    assert FundusImage.objects.count() == 1


def test_reading_the_page_is_not_counted(as_photographer: Client) -> None:
    assert [as_photographer.get(url("predict")).status_code for _ in range(3)] == [200] * 3
    assert send(as_photographer, url("predict")).status_code == 200
