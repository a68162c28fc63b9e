"""Every error of the API is JSON of one shape, tells what to do, and tells nothing else."""

from base64 import b64decode
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest
from django.core.cache import cache
from django.db import OperationalError
from redis import ConnectionError as RedisConnectionError

from ml.errors import BundleError, GradingError
from screening.api.throttling import KeyThrottle
from screening.models import Patient, Site, User
from tests.builders import FakeGrader
from tests.screening.api.client import V1, ApiClient, assert_is_error
from tests.screening.factories import PatientFactory

SECRET = "Byron, Ada, MRN 12345"


@pytest.fixture(autouse=True)
def _empty_cache() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def caller(photographer: User) -> ApiClient:
    return ApiClient(photographer)


def test_a_stranger_is_asked_for_a_key(db: None) -> None:
    answer = ApiClient(None).get("exams")
    assert_is_error(answer, 401, "not_authenticated")
    assert "Bearer" in answer.body["message"]


@pytest.mark.parametrize("path", ["nothing", "exams/1", "predict/", "", "patients/search/x"])
@pytest.mark.parametrize("method", ["get", "post", "put", "delete"])
def test_an_address_that_does_not_exist_is_404_in_json(path: str, method: str, caller: ApiClient) -> None:
    response = getattr(caller.client, method)(V1 + path)
    assert (response.status_code, response.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("method", "path"),
    [("get", "predict"), ("put", "patients"), ("delete", "exams"), ("get", "patients/search"), ("options", "exams")],
)
def test_a_method_that_is_not_offered_is_405_in_json(method: str, path: str, caller: ApiClient) -> None:
    response = getattr(caller.client, method)(V1 + path)
    assert (response.status_code, response.json()["code"]) == (405, "method_not_allowed")
    assert response["Allow"]


def test_another_form_of_body_is_415_and_says_which_is_read(caller: ApiClient) -> None:
    answer = caller.post("predict", {"photo": "x"})
    assert_is_error(answer, 415, "unsupported_media_type")
    assert "multipart/form-data" in answer.body["message"]
    response = caller.client.post(V1 + "patients", {"mrn": "1"})
    assert (response.status_code, response.json()["code"]) == (415, "unsupported_media_type")


def test_a_body_that_is_no_json_is_400_and_is_not_repeated(caller: ApiClient) -> None:
    response = caller.client.post(V1 + "patients", '{"mrn": "' + SECRET, content_type="application/json")
    assert (response.status_code, response.json()["code"]) == (400, "bad_request")
    assert SECRET not in response.content.decode()


@pytest.mark.parametrize("body", [[], [{}], "text", 7, None])
def test_json_of_another_kind_is_400(body: Any, caller: ApiClient) -> None:
    assert_is_error(caller.post("patients", body), 400, "invalid")


def test_a_broken_multipart_body_is_400(caller: ApiClient) -> None:
    response = caller.client.post(V1 + "predict", b"nonsense", content_type="multipart/form-data; boundary=x")
    assert (response.status_code, response.json()["code"]) == (400, "invalid")
    response = caller.client.post(V1 + "predict", b"nonsense", content_type="multipart/form-data")
    assert (response.status_code, response.json()["code"]) == (400, "bad_request")


@pytest.mark.parametrize(("path", "n_bytes"), [("predict", 52 * 1024 * 1024), ("patients", 65 * 1024)])
def test_a_body_that_is_too_large_is_413_before_it_is_read(path: str, n_bytes: int, caller: ApiClient) -> None:
    form = "multipart/form-data; boundary=x" if path == "predict" else "application/json"
    response = caller.client.post(V1 + path, b"", content_type=form, CONTENT_LENGTH=str(n_bytes))
    assert (response.status_code, response.json()["code"]) == (413, "request_too_large")


@pytest.mark.parametrize("accept", ["text/html", "application/xml"])
def test_another_form_of_answer_is_406_in_json(accept: str, caller: ApiClient) -> None:
    response = caller.client.get(V1 + "exams", headers={"Accept": accept})
    assert (response.status_code, response.json()["code"]) == (406, "not_acceptable")


def test_too_many_requests_are_429_and_say_when_to_come_back(
    caller: ApiClient, reviewer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(KeyThrottle, "THROTTLE_RATES", {"data": "2/min", "photos": "1/min"})
    assert [caller.get("sites").status for _ in range(2)] == [200, 200]
    answer = caller.get("sites")
    assert_is_error(answer, 429, "throttled")
    assert 1 <= int(answer.headers["Retry-After"]) <= 61
    assert caller.send("predict").status == 200  # photographs are counted apart
    assert caller.send("predict").status == 429
    assert ApiClient(reviewer).get("sites").status == 200  # and each key on its own


def test_where_the_cache_is_away_nobody_is_turned_off(caller: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: Any, **_kwargs: Any) -> None:
        raise RedisConnectionError(SECRET)

    monkeypatch.setattr(cache, "get", fail)
    assert caller.get("sites").status == 200


def test_an_unforeseen_error_is_500_in_json_without_details(
    caller: ApiClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(**_kwargs: Any) -> None:
        raise RuntimeError(SECRET)

    monkeypatch.setattr("screening.api.views.exams.list_exams", fail)
    answer = caller.get("exams")
    assert_is_error(answer, 500, "internal_error")
    assert SECRET not in str(answer.body)
    assert "RuntimeError" not in str(answer.body)
    assert any(record.exc_info for record in caplog.records)


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (BundleError("/secret/folder is not a bundle"), 503, "model_unavailable"),
        (OperationalError("database is locked"), 503, "busy"),
        (GradingError("The photograph cannot be decoded."), 400, "unreadable"),
        (RuntimeError(SECRET), 500, "internal_error"),
    ],
)
def test_what_fails_while_grading_is_never_a_grade(
    error: Exception, status: int, code: str, caller: ApiClient, fake_grader: FakeGrader
) -> None:
    fake_grader.error = error
    answer = caller.send("predict")
    assert_is_error(answer, status, code)
    assert "secret" not in str(answer.body)
    assert ("Retry-After" in answer.headers) == (status == 503)


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"mrn": None}, {"mrn"}),
        ({"mrn": "x" * 41}, {"mrn"}),
        ({"mrn": "a\u0000b"}, {"mrn"}),
        ({"mrn": "a\u0007b"}, {"mrn"}),
        ({"born_on": "17.05.1960"}, {"born_on"}),
        ({"born_on": "2999-01-01"}, {"born_on"}),
        ({"sex": "?"}, {"sex"}),
        ({"diabetes_type": "3"}, {"diabetes_type"}),
        ({"diabetes_since_year": 1950}, {"diabetes_since_year"}),
        ({"site": "nowhere"}, {"site"}),
        ({"given_name": "", "family_name": ""}, {"given_name", "family_name"}),
    ],
)
def test_wrong_details_are_named_and_leave_no_patient(
    changes: dict[str, Any], fields: set[str], caller: ApiClient
) -> None:
    details = {"mrn": "1", "given_name": "Eve", "family_name": "New", "born_on": "1960-05-17", **changes}
    answer = caller.post("patients", details)
    assert_is_error(answer, 400, "invalid")
    assert set(answer.body["fields"]) == fields
    assert not Patient.objects.exists()


@pytest.mark.parametrize("size", ["0", "-1", "101", "abc", "1.5", "", "²", "99999999999999999999"])
def test_a_page_size_out_of_range_is_400(size: str, caller: ApiClient) -> None:
    answer = caller.get("exams", page_size=size)
    assert_is_error(answer, 400, "invalid")
    assert set(answer.body["fields"]) == {"page_size"}


@pytest.mark.parametrize("cursor", ["x", "cD1hYmM=", "é", "cD0yMDI2LTk5LTk5VDk5Ojk5"])
def test_a_cursor_of_somebodys_own_making_is_400(cursor: str, caller: ApiClient) -> None:
    assert_is_error(caller.get("exams", cursor=cursor), 400, "invalid")


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("exams", {"status": "done"}),
        ("exams", {"patient": "7"}),
        ("gradings", {"status": "open"}),
        ("gradings", {"image": "x"}),
        ("images", {"exam": "x"}),
    ],
)
def test_a_filter_that_means_nothing_is_400(path: str, query: dict[str, str], caller: ApiClient) -> None:
    answer = caller.get(path, **query)
    assert_is_error(answer, 400, "invalid")
    assert set(answer.body["fields"]) == set(query)


def test_no_address_and_no_cursor_holds_anything_of_a_patient(caller: ApiClient, site: Site) -> None:
    patients = [PatientFactory(site=site, mrn=f"SECRET{n}", family_name="Lovelace") for n in range(3)]
    listed = caller.get("patients", page_size=1)
    found = caller.post("patients/search?page_size=1", {"mrn": "SECRET", "match": "prefix"})
    for answer in (listed, found):
        assert len(answer.body["results"]) == 1
        decoded = answer.body["next"] + _decoded(answer.body["next"])
        assert not any(word in decoded for word in ("SECRET", "Lovelace", str(patients[0].born_on)))


def _decoded(address: str) -> str:
    return b64decode(parse_qs(urlsplit(address).query)["cursor"][0]).decode()


def test_answers_are_kept_in_no_cache(caller: ApiClient) -> None:
    for answer in (caller.get("patients"), caller.get(f"exams/{UUID(int=1)}"), ApiClient(None).get("exams")):
        assert answer.headers["Cache-Control"] == "no-store"
