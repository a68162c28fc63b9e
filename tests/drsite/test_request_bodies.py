"""Chunked and compressed bodies, sent to gunicorn without a proxy in front."""

import gzip
import json
import resource
import socket
from io import BytesIO
from typing import Any

import pytest

from drsite.request_bodies import store_bodies
from screening.middleware import MAX_BODY_BYTES
from screening.models import FundusImage, Patient, User
from screening.services.api_keys import issue_key
from screening.services.exams import open_exam
from tests.builders import photo_bytes
from tests.screening.factories import PatientFactory
from tests.screening.wire import Connection, photo_form


def test_a_chunked_body_that_fills_the_disk_is_503() -> None:
    answers: list[tuple[str, dict[str, str]]] = []

    def application(_environ: dict[str, Any], _start_response: Any) -> Any:
        pytest.fail("the application was called without a body")

    environ = {
        "HTTP_TRANSFER_ENCODING": "chunked",
        "wsgi.input_terminated": True,
        "wsgi.input": BytesIO(bytes(1_000_000)),
    }
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, before[1]))
    try:
        body = store_bodies(application)(environ, lambda status, headers: answers.append((status, dict(headers))))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    ((status, headers),) = answers
    assert (status, headers["Retry-After"]) == ("503 Service Unavailable", "10")
    assert json.loads(b"".join(body))["code"] == "storage_unavailable"


@pytest.mark.parametrize("fault", ["ends early", "stalls"])
def test_an_incomplete_body_does_not_reach_the_application(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drsite.request_bodies.READ_TIMEOUT_S", 0.05)
    statuses: list[str] = []
    here, there = socket.socketpair()
    with here, there, here.makefile("rb", buffering=0) as body:
        there.sendall(b"--wire")
        if fault == "ends early":
            there.close()
        environ = {
            "CONTENT_LENGTH": "1000",
            "CONTENT_TYPE": "multipart/form-data; boundary=wire",
            "wsgi.input": body,
            "gunicorn.socket": here,
        }
        store_bodies(lambda *_arguments: pytest.fail("it was called"))(environ, lambda s, _headers: statuses.append(s))
        assert here.gettimeout() is None
    assert statuses == ["408 Request Timeout"]


@pytest.mark.django_db(transaction=True)
def test_chunked_bodies_are_read(port: int, photographer: User) -> None:
    exam = open_exam(patient=PatientFactory(site=photographer.memberships.get().site), by=photographer)
    key = {"Authorization": f"Bearer {issue_key(user=photographer, name='camera', by=None)[1]}"}
    patient = b'{"mrn": "1", "given_name": "Eve", "family_name": "New", "born_on": "1970-01-02"}'
    big, big_type = photo_form(photo_bytes() + b"\0" * 3_000_000, laterality="OD")
    photo, photo_type = photo_form(photo_bytes(seed=7), boundary="other", laterality="OS")
    connection = Connection(port)  # one for all: each body is read to its end
    for path, body, content_type, status in [
        (f"/api/v1/exams/{exam.pk}/images", big, big_type, 201),
        (f"/api/v1/exams/{exam.pk}/images", photo, photo_type, 201),
        ("/api/v1/patients", patient, "application/json", 201),
        ("/api/v1/patients", patient, "application/json", 409),
        ("/api/v1/patients", b"", "application/json", 400),
        ("/api/v1/patients", b"x" * 70_000, "application/json", 413),
    ]:
        response = connection.post(path, body, {**key, "Content-Type": content_type}, is_chunked=True)
        assert response.status == status, (path, response)
    packed, packed_key = gzip.compress(patient), {**key, "Content-Encoding": "gzip"}
    for is_chunked in (True, False):
        response = connection.post("/api/v1/patients", packed, packed_key, is_chunked=is_chunked)
        assert (response.status, response.body["code"]) == (415, "unsupported_encoding")
    assert connection.post("/api/v1/patients", patient, {**key, "Content-Type": "application/json"}).status == 409
    connection.socket.close()
    assert sorted(FundusImage.objects.values_list("laterality", flat=True)) == ["OD", "OS"]
    assert Patient.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_a_chunked_body_that_is_too_large_is_refused(port: int, photographer: User) -> None:
    key = {"Authorization": f"Bearer {issue_key(user=photographer, name='camera', by=None)[1]}"}
    body, content_type = photo_form(b"\0" * MAX_BODY_BYTES)
    response = Connection(port).post("/api/v1/predict", body, {**key, "Content-Type": content_type}, is_chunked=True)
    assert (response.status, response.body["code"]) == (413, "request_too_large")


def run(environ: dict[str, Any]) -> dict[str, Any]:
    """The environment that the application gets, with its body read."""
    seen: dict[str, Any] = {}

    def application(environ: dict[str, Any], _start_response: object) -> list[bytes]:
        seen.update(environ, body=environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))
        return []

    list(store_bodies(application)(environ, lambda *_: None))
    return seen


CHUNKED = {"HTTP_TRANSFER_ENCODING": "Chunked", "wsgi.input_terminated": True}


def test_a_chunked_body_gets_a_length() -> None:
    seen = run({**CHUNKED, "wsgi.input": BytesIO(b"x" * 300_000)})
    assert (seen["CONTENT_LENGTH"], seen["body"]) == ("300000", b"x" * 300_000)
    assert "HTTP_TRANSFER_ENCODING" not in seen


def test_no_more_is_stored_than_is_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drsite.request_bodies.MAX_BODY_BYTES", 1000)
    assert run({**CHUNKED, "wsgi.input": BytesIO(b"x" * 3000)})["CONTENT_LENGTH"] == "1001"


@pytest.mark.parametrize(
    "environ",
    [{"wsgi.input_terminated": True}, {**CHUNKED, "wsgi.input_terminated": False}, {**CHUNKED, "CONTENT_LENGTH": "2"}],
)
def test_other_bodies_are_left_alone(environ: dict[str, Any]) -> None:
    stream = BytesIO(b"xyz")
    assert run({**environ, "wsgi.input": stream})["wsgi.input"] is stream
