"""Requests that were sent again, or in a form that was not understood."""

import codecs
import gzip
import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from screening.models import Exam, FundusImage, Patient, Site, User
from tests.builders import photo_bytes
from tests.cases.conftest import Record
from tests.screening.api.client import V1, ApiClient
from tests.screening.factories import ExamFactory, PatientFactory

PATIENT = json.dumps({"mrn": "000417", "given_name": "Ada", "family_name": "Byron", "born_on": "1960-05-17"}).encode()
BODIES: list[tuple[str, bytes, dict[str, str], int, str]] = [
    ("JSON with a byte order mark", codecs.BOM_UTF8 + PATIENT, {}, 201, ""),
    ("JSON in UTF-16", codecs.BOM_UTF16_LE + PATIENT.decode().encode("utf-16-le"), {}, 201, ""),
    ("gzip", gzip.compress(PATIENT), {"Content-Encoding": "gzip"}, 415, "unsupported_encoding"),
    ("deflate", b"x", {"Content-Encoding": "deflate"}, 415, "unsupported_encoding"),
    ("br", b"x", {"Content-Encoding": "br"}, 415, "unsupported_encoding"),
    ("chunked body that the server cannot decode", b"", {"Transfer-Encoding": "chunked"}, 411, "length_required"),
    ("unknown field", PATIENT.replace(b'"mrn"', b'"number"'), {}, 400, "invalid"),
    ("field sent twice", PATIENT.replace(b"{", b'{"mrn": "1", '), {}, 400, "invalid"),
]


@pytest.mark.parametrize(("kind", "body", "headers", "status", "code"), BODIES, ids=[row[0] for row in BODIES])
def test_a_body_is_read_or_refused_with_a_sentence(
    kind: str, body: bytes, headers: dict[str, str], status: int, code: str, photographer: User, record_case: Record
) -> None:
    length = {"CONTENT_LENGTH": ""} if "Transfer-Encoding" in headers else {}
    client: Any = ApiClient(photographer).client
    response = client.generic("POST", f"{V1}patients", body, "application/json", headers=headers, **length)
    assert response.status_code == status, response.content
    assert response.json().get("code", "") == code
    assert Patient.objects.count() == (1 if status == 201 else 0)
    record_case(kind, str(response.json().get("message", "read")))


def test_one_key_opens_one_exam(site: Site, photographer: User, record_case: Record) -> None:
    client, headers = ApiClient(photographer).client, {"Idempotency-Key": "visit-1"}
    body = json.dumps({"patient": str(PatientFactory(site=site).pk)})
    first, again = (client.post(f"{V1}exams", body, "application/json", headers=headers) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json()["id"] == again.json()["id"]
    assert Exam.objects.count() == 1
    record_case("request sent again with its Idempotency-Key", "one exam")


def test_start_an_exam_twice_leads_to_the_open_one(
    site: Site, photographer: User, client: Client, record_case: Record
) -> None:
    patient = PatientFactory(site=site)
    client.force_login(photographer)
    pages = [client.post(f"/patients/{patient.pk}/exams/")["Location"] for _ in range(2)]
    answer = ApiClient(photographer).post("exams", {"patient": str(patient.pk)})
    exam = Exam.objects.get()
    assert pages == [f"/exams/{exam.pk}/"] * 2
    assert (answer.status, answer.body["id"]) == (200, str(exam.pk))
    record_case("“Start an exam” pressed twice", "the open exam")


def test_ids_in_capitals_are_found(site: Site, photographer: User, record_case: Record) -> None:
    exam = ExamFactory(patient__site=site)
    assert ApiClient(photographer).get(f"exams/{str(exam.pk).upper()}").body["id"] == str(exam.pk)
    record_case("id in capitals", "found")


def test_a_surplus_file_is_named(site: Site, photographer: User, record_case: Record) -> None:
    exam = ExamFactory(patient__site=site)
    files = {name: SimpleUploadedFile(f"{name}.jpg", photo_bytes(seed=len(name))) for name in ("photo", "left")}
    client = ApiClient(photographer).client
    response = client.post(f"{V1}exams/{exam.pk}/images", {**files, "laterality": "OD"})
    assert (response.status_code, list(response.json()["fields"])) == (400, ["left"])
    assert not FundusImage.objects.exists()
    record_case("two files in one request", str(response.json()["message"]))
