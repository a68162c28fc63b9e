"""The protocol tus 1.0 as a client uses it."""

import zipfile
from base64 import b64encode
from io import BytesIO
from typing import Any

import pytest
from django.test import Client

from screening.models import AuditEvent, Exam, FundusImage, PhotoUpload, Site, User
from screening.photos.validation import MAX_BYTES
from tests.builders import photo_bytes
from tests.screening.api.client import ApiClient, assert_is_error
from tests.screening.factories import ExamFactory, PatientFactory

TUS = {"Tus-Resumable": "1.0.0"}
SEGMENT = "application/offset+octet-stream"


@pytest.fixture
def exam(site: Site) -> Exam:
    return ExamFactory(patient=PatientFactory(site=site))


@pytest.fixture
def http(client: ApiClient) -> Client:
    return client.client


def begin(http: Client, exam: Exam, n_bytes: int, **headers: str) -> Any:
    sent = {**TUS, "Upload-Length": str(n_bytes), **headers}
    return http.post(f"/api/v1/exams/{exam.pk}/uploads", headers=sent)


def append(http: Client, address: str, data: bytes, offset: int | str = 0, *, version: str = "1.0.0") -> Any:
    headers = {"Tus-Resumable": version, "Upload-Offset": str(offset)}
    return http.patch(address, data, content_type=SEGMENT, headers=headers)


def test_a_photograph_is_sent_in_parts_and_added(http: Client, client: ApiClient, exam: Exam) -> None:
    data = photo_bytes()
    suggested = (("laterality", b"OS"), ("filename", b"A"))
    metadata = ",".join(f"{key} {b64encode(value).decode()}" for key, value in suggested)
    response = begin(http, exam, len(data), **{"Upload-Metadata": metadata})
    assert (response.status_code, response["Tus-Resumable"]) == (201, "1.0.0")
    assert response["Upload-Expires"].endswith("GMT")
    address = response["Location"]
    assert append(http, address, data[:100]).status_code == 204
    head = http.head(address, headers=TUS)
    assert (head.status_code, head["Upload-Offset"], head["Upload-Length"]) == (200, "100", str(len(data)))
    assert head["Cache-Control"] == "no-store"
    assert append(http, address, data[100:], 100)["Upload-Offset"] == str(len(data))
    body = http.get(address).json()
    assert (body["is_complete"], body["laterality"], body["field"]) == (True, "OS", "")
    sent = client.client.post(f"/api/v1/exams/{exam.pk}/images", {"upload": body["id"], "laterality": "OS"})
    assert sent.status_code == 201
    assert http.get(address).status_code == 404
    assert FundusImage.objects.get().laterality == "OS"
    assert AuditEvent.objects.filter(verb="upload.begun").count() == 1


def test_offsets_lengths_and_versions_are_checked(http: Client, exam: Exam) -> None:
    address = begin(http, exam, 10)["Location"]
    wrong = append(http, address, b"123", 5)
    assert (wrong.status_code, wrong.json()["code"], wrong["Upload-Offset"]) == (409, "wrong_offset", "0")
    assert append(http, address, b"x" * 11).status_code == 413
    assert append(http, address, b"123", version="0.2.2").status_code == 412
    old = http.head(address, headers={"Tus-Resumable": "0.2.2"})
    assert (old.status_code, old["Tus-Version"]) == (412, "1.0.0")
    typed = http.patch(address, b"123", content_type="text/plain", headers={**TUS, "Upload-Offset": "0"})
    assert typed.status_code == 415
    assert append(http, address, b"123", "-1").status_code == 400
    assert PhotoUpload.objects.get().n_received == 0


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Upload-Length": str(MAX_BYTES + 1)}, 413),
        ({"Upload-Length": "0"}, 400),
        ({"Upload-Length": "many"}, 400),
        ({"Upload-Metadata": "laterality %%%"}, 400),
        ({"Tus-Resumable": ""}, 412),
    ],
)
def test_an_upload_that_cannot_be_begun(headers: dict[str, str], status: int, http: Client, exam: Exam) -> None:
    assert begin(http, exam, 10, **headers).status_code == status
    assert not PhotoUpload.objects.exists()


def test_a_suggestion_that_is_not_known_is_left_out(http: Client, exam: Exam) -> None:
    metadata = f"laterality {b64encode(b'XX').decode()}, field {b64encode(b'nose').decode()}, empty"
    body = begin(http, exam, 10, **{"Upload-Metadata": metadata}).json()
    assert (body["laterality"], body["field"]) == ("", "")


@pytest.mark.parametrize("n_bytes", [740, 900])
def test_a_suggestion_behind_a_long_name_is_taken(n_bytes: int, http: Client, exam: Exam) -> None:
    metadata = f"filename {b64encode(b'x' * n_bytes).decode()},laterality {b64encode(b'OS').decode()}"
    assert begin(http, exam, 10, **{"Upload-Metadata": metadata}).json()["laterality"] == "OS"


def test_the_server_names_what_it_supports(http: Client, exam: Exam) -> None:
    response = http.options(f"/api/v1/exams/{exam.pk}/uploads")
    assert (response.status_code, response["Tus-Max-Size"]) == (204, str(MAX_BYTES))
    assert response["Tus-Extension"] == "creation,expiration,termination"


def test_a_method_may_be_named_in_a_header(http: Client, exam: Exam) -> None:
    address = begin(http, exam, 3)["Location"]
    headers = {**TUS, "Upload-Offset": "0", "X-HTTP-Method-Override": "PATCH"}
    assert http.post(address, b"123", content_type=SEGMENT, headers=headers).status_code == 204
    assert http.post(address, headers={**TUS, "X-HTTP-Method-Override": "DELETE"}).status_code == 204
    assert not PhotoUpload.objects.exists()
    assert AuditEvent.objects.filter(verb="upload.discarded").count() == 1


def test_another_account_and_another_exam_find_nothing(
    http: Client, client: ApiClient, exam: Exam, manager: User, site: Site
) -> None:
    response = begin(http, exam, 3)
    append(http, response["Location"], b"123")
    other = ApiClient(manager).client
    assert other.head(response["Location"], headers=TUS).status_code == 404
    assert append(other, response["Location"], b"", 3).status_code == 404
    elsewhere = ExamFactory(patient=PatientFactory(site=site))
    for path in ("images", "suggest-eye"):
        sent = http.post(f"/api/v1/exams/{elsewhere.pk}/{path}", {"upload": response.json()["id"], "laterality": "OD"})
        assert sent.status_code in {400, 404}
    assert not FundusImage.objects.exists()


def test_a_page_needs_its_token(exam: Exam, photographer: User) -> None:
    page = Client(enforce_csrf_checks=True)
    page.force_login(photographer)
    assert begin(page, exam, 3).status_code == 403


def test_one_of_file_and_upload_is_needed(client: ApiClient, http: Client, exam: Exam) -> None:
    upload = begin(http, exam, 3).json()["id"]
    for fields in ({}, {"upload": "x"}):
        sent = http.post(f"/api/v1/exams/{exam.pk}/images", {"laterality": "OD", **fields})
        assert sent.status_code == 400
    assert_is_error(client.send(f"exams/{exam.pk}/images", laterality="OD", upload=upload), 400, "invalid")
    sent = http.post(f"/api/v1/exams/{exam.pk}/images", {"laterality": "OD", "upload": upload})
    assert (sent.status_code, sent.json()["code"]) == (409, "upload_incomplete")


def test_the_eye_of_an_upload_is_recognised(http: Client, exam: Exam) -> None:
    data = photo_bytes()
    response = begin(http, exam, len(data))
    append(http, response["Location"], data)
    sent = http.post(f"/api/v1/exams/{exam.pk}/suggest-eye", {"upload": response.json()["id"]})
    assert sent.status_code == 200
    assert "laterality_suggested" in sent.json()


def test_an_archive_is_unpacked(http: Client, exam: Exam) -> None:
    written = BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        archive.writestr("visit/OD.jpg", photo_bytes())
        archive.writestr("letter.pdf", b"%PDF-1.7")
    response = begin(http, exam, len(written.getvalue()))
    append(http, response["Location"], written.getvalue())
    body = http.post(f"{response['Location']}/unpack", content_type="application/json").json()
    photo, letter = body["files"]
    assert (body["id"], photo["name"], photo["upload"]["laterality"]) == (str(exam.pk), "OD.jpg", "OD")
    assert (letter["upload"], letter["message"][:22]) == (None, "This is a PDF document")
    refused = begin(http, exam, 3)
    append(http, refused["Location"], b"PK\x03")
    answer = http.post(f"{refused['Location']}/unpack", content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (400, "zip_damaged")
