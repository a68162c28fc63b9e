"""Errors of the API: JSON with the same keys, messages with advice, no details."""

from base64 import b64decode
from collections.abc import Iterator
from typing import Any
from unittest.mock import Mock
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest
from django.core.cache import cache
from django.db import OperationalError
from redis import ConnectionError as RedisConnectionError

from ml.errors import BundleError, GradingError
from screening.models import Patient, Site, User
from screening.throttling import InvalidKeyThrottle, KeyThrottle
from tests.builders import FakeGrader
from tests.screening.api.client import V1, ApiClient, ApiResponse, assert_is_error
from tests.screening.factories import PatientFactory

SECRET = "Byron, Ada, MRN 12345"
JSON = {"content_type": "application/json"}
FORM = {"content_type": "multipart/form-data; boundary=x"}


@pytest.fixture(autouse=True)
def _empty_cache() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


def test_a_request_without_a_key_is_401(db: None) -> None:
    response = ApiClient(None).get("exams")
    assert_is_error(response, 401, "not_authenticated")
    assert "Bearer" in response.body["message"]


METHODS = ("get", "post", "put", "delete")
UNKNOWN_URLS = ("nothing", "a%0Ab", "exams/1", "predict/", "", "patients/search/x")
JSON_BODIES = ("[]", "[{}]", '"text"', "7", "null", "")
REFUSED_REQUESTS: list[tuple[str, str, dict[str, Any], int, str]] = [
    *((method, path, {}, 404, "not_found") for method in METHODS for path in UNKNOWN_URLS),
    ("get", "predict", {}, 405, "method_not_allowed"),
    ("put", "patients", {}, 405, "method_not_allowed"),
    ("delete", "exams", {}, 405, "method_not_allowed"),
    ("get", "patients/search", {}, 405, "method_not_allowed"),
    ("options", "exams", {}, 405, "method_not_allowed"),
    ("post", "patients", {"data": {"mrn": "1"}}, 415, "unsupported_media_type"),
    ("post", "predict", {"data": '{"photo": "x"}', **JSON}, 415, "unsupported_media_type"),
    *(("post", "patients", {"data": body, **JSON}, 400, "invalid") for body in JSON_BODIES),
    ("post", "patients", {"data": '{"mrn": "' + SECRET, **JSON}, 400, "bad_request"),
    ("post", "patients/search", {"data": '{"mrn": ""}', **JSON}, 400, "invalid"),
    ("post", "predict", {"data": b"nonsense", **FORM}, 400, "invalid"),
    ("post", "predict", {"data": b"nonsense", "content_type": "multipart/form-data"}, 400, "bad_request"),
    ("post", "predict", {**FORM, "CONTENT_LENGTH": str(52 * 1024 * 1024)}, 413, "request_too_large"),
    ("post", "patients", {**JSON, "CONTENT_LENGTH": str(65 * 1024)}, 413, "request_too_large"),
    ("get", "exams", {"headers": {"Accept": "text/html"}}, 406, "not_acceptable"),
    ("get", "exams", {"headers": {"Accept": "application/xml"}}, 406, "not_acceptable"),
]


@pytest.mark.parametrize(("method", "path", "options", "status", "code"), REFUSED_REQUESTS)
def test_a_refused_request_gets_json(
    method: str, path: str, options: dict[str, Any], status: int, code: str, client: ApiClient
) -> None:
    response = getattr(client.client, method)(V1 + path, **options)
    assert_is_error(ApiResponse(response.status_code, response.json(), response.headers), status, code)
    message = response.json()["message"]
    assert "%(" not in message
    assert SECRET not in response.content.decode()
    assert response.headers.get("Allow") or status != 405
    assert ("multipart/form-data" if path == "predict" else "application/json") in message or status != 415


def test_requests_over_the_rate_are_429(
    client: ApiClient, photographer: User, reviewer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(KeyThrottle, "THROTTLE_RATES", {"data": "2/min", "photos": "1/min"})
    assert [client.get("sites").status for _ in range(2)] == [200, 200]
    response = client.get("sites")
    assert_is_error(response, 429, "throttled")
    assert 1 <= int(response.headers["Retry-After"]) <= 61
    assert [client.send("predict").status for _ in range(2)] == [200, 429]  # photographs are counted separately
    assert ApiClient(photographer).get("sites").status == 429, "another key of the account has no separate limit"
    assert ApiClient(reviewer).get("sites").status == 200, "another account has"


def test_unusable_keys_of_one_address_are_limited(client: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(InvalidKeyThrottle, "THROTTLE_RATES", {"invalid_keys": "2/min"})
    unknown = ApiClient(None, key="drk_unknown")
    assert [unknown.get("sites").status for _ in range(3)] == [401, 401, 429]
    assert_is_error(unknown.get("sites"), 429, "throttled")
    assert client.get("sites").status == 200, "usable keys at the same address are not affected"


def test_no_request_is_refused_if_the_cache_is_unavailable(client: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "get", Mock(side_effect=RedisConnectionError(SECRET)))
    assert client.get("sites").status == 200


def test_an_error_outside_the_views_is_json(client: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rest_framework.renderers.JSONRenderer.render", Mock(side_effect=RuntimeError(SECRET)))
    response = client.get("sites")
    assert_is_error(response, 500, "internal_error")
    assert SECRET not in str(response.body)


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (BundleError("/secret/folder is not a bundle"), 503, "model_unavailable"),
        (OperationalError("database is locked"), 503, "busy"),
        (GradingError("The photograph cannot be decoded."), 400, "unreadable"),
        (RuntimeError(SECRET), 500, "internal_error"),
    ],
)
def test_an_error_during_grading_is_not_a_grade(
    error: Exception,
    status: int,
    code: str,
    client: ApiClient,
    fake_grader: FakeGrader,
    caplog: pytest.LogCaptureFixture,
) -> None:
    fake_grader.error = error
    response = client.send("predict")
    assert_is_error(response, status, code)
    assert not any(text in str(response.body) for text in ("secret", SECRET, type(error).__name__))
    assert ("Retry-After" in response.headers) == (status == 503)
    assert any(record.exc_info for record in caplog.records) == (status >= 500)


@pytest.mark.parametrize(
    "changes",
    [
        {"mrn": None},
        {"mrn": "x" * 41},
        {"mrn": "a\u0000b"},
        {"mrn": "a\u0007b"},
        {"born_on": "17.05.1960"},
        {"born_on": "2999-01-01"},
        {"sex": "?"},
        {"diabetes_type": "3"},
        {"diabetes_since_year": 1950},
        {"site": "nowhere"},
        {"given_name": "", "family_name": ""},
    ],
)
def test_invalid_details_of_a_patient_are_listed(changes: dict[str, Any], client: ApiClient) -> None:
    details = {"mrn": "1", "given_name": "Eve", "family_name": "New", "born_on": "1960-05-17", **changes}
    response = client.post("patients", details)
    assert_is_error(response, 400, "invalid")
    assert response.body["fields"].keys() == changes.keys()
    assert not Patient.objects.exists()


PAGE_SIZES = ("0", "-1", "101", "abc", "1.5", "", "²", "99999999999999999999")
CURSORS = ("x", "cD1hYmM=", "é", "cD0yMDI2LTk5LTk5VDk5Ojk5")


@pytest.mark.parametrize(
    ("path", "name", "value"),
    [
        *(("exams", "page_size", size) for size in PAGE_SIZES),
        *(("exams", "cursor", cursor) for cursor in CURSORS),
        ("exams", "status", "done"),
        ("exams", "patient", "7"),
        ("gradings", "status", "open"),
        ("gradings", "image", "x"),
        ("images", "exam", "x"),
    ],
)
def test_an_invalid_parameter_is_400(path: str, name: str, value: str, client: ApiClient) -> None:
    response = client.get(path, **{name: value})
    assert_is_error(response, 400, "invalid")
    assert set(response.body["fields"]) == {name}


def test_no_link_has_patient_data(client: ApiClient, site: Site) -> None:
    patients = [PatientFactory(site=site, mrn=f"SECRET{n}", family_name="Lovelace") for n in range(3)]
    for response in (
        client.get("patients", page_size=1),
        client.post("patients/search?page_size=1", {"mrn": "SECRET", "match": "prefix"}),
    ):
        assert len(response.body["results"]) == 1
        link = response.body["next"]
        cursor = b64decode(parse_qs(urlsplit(link).query)["cursor"][0]).decode()
        assert not any(text in link + cursor for text in ("SECRET", "Lovelace", str(patients[0].born_on)))


def test_responses_are_not_cached(client: ApiClient) -> None:
    for response in (client.get("patients"), client.get(f"exams/{UUID(int=1)}"), ApiClient(None).get("exams")):
        assert response.headers["Cache-Control"] == "no-store"
