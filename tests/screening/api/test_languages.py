"""Messages of the API are in the language of the header Accept-Language."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache

from screening.models import Site, User
from screening.throttling import KeyThrottle
from tests.screening.api.client import V1, ApiClient

JSON = {"content_type": "application/json"}
UNKNOWN_ID = "5f0c1f3e-0000-4000-8000-000000000000"
REQUESTS: list[tuple[str, str, dict[str, Any], int]] = [
    ("get", "nothing", {}, 404),
    ("get", f"exams/{UNKNOWN_ID}", {}, 404),
    ("put", "patients", {}, 405),
    ("get", "exams", {"HTTP_ACCEPT": "text/html"}, 406),
    ("post", "patients", {"data": {"mrn": "1"}}, 415),
    ("post", "patients", {"data": "[]", **JSON}, 400),
    ("post", "patients", {"data": '{"mrn": "', **JSON}, 400),
    ("post", "patients", {"data": '{"mrn": "1", "site": "harbour", "sex": "Q", "born_on": "x"}', **JSON}, 400),
    ("post", "predict", {"content_type": "multipart/form-data; boundary=x", "CONTENT_LENGTH": str(52 * 1024**2)}, 413),
]


@pytest.fixture(autouse=True)
def _empty_cache() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


def test_every_kind_of_error_is_in_the_accepted_language(
    photographer: User, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def texts_of(client: ApiClient, language: str, method: str, path: str, options: dict[str, Any], status: int) -> Any:
        response = getattr(client.client, method)(V1 + path, HTTP_ACCEPT_LANGUAGE=language, **options)
        assert (response.status_code, response["Content-Language"]) == (status, language)
        body = response.json()
        return {"message": body["message"], **body["fields"]}

    def assert_translated(client: ApiClient, *request: Any) -> None:
        english = texts_of(client, "en", *request)
        for language in ("fr", "de", "es", "ar"):
            texts = texts_of(client, language, *request)
            assert texts.keys() == english.keys()
            assert {name for name in texts if texts[name] == english[name]} == set(), (language, request)

    client = ApiClient(photographer)
    for request in REQUESTS:
        assert_translated(client, *request)
    assert_translated(ApiClient(None), "get", "exams", {}, 401)
    assert_translated(ApiClient(None, key="drk_unknown"), "get", "exams", {}, 401)
    monkeypatch.setattr(KeyThrottle, "THROTTLE_RATES", {"data": "1/min", "photos": "1/min"})
    client.get("sites")
    assert_translated(client, "get", "sites", {}, 429)
