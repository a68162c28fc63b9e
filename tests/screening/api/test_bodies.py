"""Bodies, queries and ids of requests: nothing that is sent is ignored in silence."""

import codecs
import json
import uuid
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import URLPattern, reverse

from screening.api import urls
from screening.api.views.uploads import TusView
from screening.models import Exam, FundusImage, LetterBatch, Membership, Patient, Site, User
from screening.services.uploads import begin_upload
from tests.builders import photo_bytes
from tests.screening.api.client import V1, ApiClient
from tests.screening.documents import DocumentFactory
from tests.screening.factories import (
    BookingFactory,
    ExamFactory,
    FundusImageFactory,
    GradingFactory,
    MembershipFactory,
    PatientFactory,
    ReferralFactory,
    ReviewFactory,
)

PATIENT = {"mrn": "NEW1", "given_name": "Eve", "family_name": "Néw", "born_on": "1970-01-02"}
TEXT = json.dumps(PATIENT, ensure_ascii=False)
ROUTES = {str(route.name): route for route in urls.urlpatterns if isinstance(route, URLPattern)}
del ROUTES["not-found"]
WRITING = [
    (name, method)
    for name, route in ROUTES.items()
    for method in ("post", "patch", "put", "delete")
    if not issubclass(route.callback.view_class, TusView)  # type: ignore[attr-defined]  # they have headers, no fields
    and callable(getattr(route.callback.view_class, method, None))  # type: ignore[attr-defined]  # as_view() adds it
]
READING = [name for name, route in ROUTES.items() if hasattr(route.callback.view_class, "get")]  # type: ignore[attr-defined]  # as_view() adds it
LISTS = ("patients", "exams", "images", "gradings", "sites")


@pytest.fixture
def everyone(manager: User) -> ApiClient:
    """A client whose user has all roles."""
    for role in (Membership.Role.REVIEWER, Membership.Role.PHOTOGRAPHER):
        MembershipFactory(user=manager, site=Site.objects.get(), role=role)
    return ApiClient(manager)


@pytest.fixture
def ids(site: Site, everyone: ApiClient, manager: User) -> dict[str, str]:
    """A record for each id in a URL."""
    exam = ExamFactory(patient=PatientFactory(site=site))
    image = FundusImageFactory(exam=exam)
    records = {
        "patient_id": exam.patient,
        "exam_id": exam,
        "image_id": image,
        "grading_id": GradingFactory(image=image, is_failed=True),
        "upload_id": begin_upload(exam=exam, n_bytes=1, by=manager),
        "site_id": site,
        "batch_id": LetterBatch.objects.create(site=site, variant="standard", n_letters=1, created_by=manager),
        "document_id": DocumentFactory(review__exam__patient__site=site, is_done=True),
        "referral_id": ReferralFactory(exam__patient__site=site),
        "booking_id": BookingFactory(patient=exam.patient),
        "review_id": ReviewFactory(exam__patient=exam.patient, exam__status=Exam.Status.SIGNED),
    }
    return {name: str(record.pk) for name, record in records.items()}


def url_of(name: str, ids: dict[str, str]) -> str:
    return reverse(f"api:{name}", kwargs={key: ids[key] for key in ROUTES[name].pattern.converters})


def assert_refused(response: Any, status: int, code: str, *named: str) -> None:
    assert (response.status_code, response.json()["code"]) == (status, code), response.content
    assert set(named) <= response.json()["fields"].keys(), response.json()
    assert response.json()["message"].endswith(".")


@pytest.mark.parametrize("key", ["", "once"])
@pytest.mark.parametrize("depth", [21, 500, 30_000])
@pytest.mark.parametrize("nested", ["{inner}", '{{"given_name": {inner}}}', '{{"mrn": {inner}}}'])
def test_a_deeply_nested_body_is_refused(everyone: ApiClient, nested: str, depth: int, key: str) -> None:
    body = nested.format(inner="[" * depth + "]" * depth)
    headers = {"Idempotency-Key": key} if key else {}
    response = everyone.client.post(f"{V1}patients", body, content_type="application/json", headers=headers)
    assert_refused(response, 400, "bad_request")


@pytest.mark.parametrize("name", ["field", "captured_on", "writing"])
def test_an_empty_field_of_a_form_is_named(everyone: ApiClient, ids: dict[str, str], name: str) -> None:
    form = {"photo": SimpleUploadedFile("a.jpg", photo_bytes()), "laterality": "OD", name: ""}
    assert_refused(everyone.client.post(url_of("exam-images", ids), form), 400, "invalid", name)
    assert FundusImage.objects.count() == 1


@pytest.mark.parametrize(("name", "method"), WRITING)
def test_every_route_names_an_unknown_field(name: str, method: str, everyone: ApiClient, ids: dict[str, str]) -> None:
    url, send = url_of(name, ids), getattr(everyone.client, method)
    if "multipart/form-data" in [parser.media_type for parser in ROUTES[name].callback.view_class.parser_classes]:  # type: ignore[attr-defined]
        data: Any = {"photo": SimpleUploadedFile("a.jpg", photo_bytes()), "laterality": "OD", "surplus": "1"}
        response = everyone.client.post(url, data)
    else:
        response = send(url, json.dumps({"surplus": 1}), content_type="application/json")
    assert_refused(response, 400, "invalid", "surplus")
    assert FundusImage.objects.count() == 1


@pytest.mark.parametrize("name", LISTS)
def test_every_list_names_an_unknown_parameter(name: str, everyone: ApiClient) -> None:
    assert_refused(everyone.client.get(reverse(f"api:{name}"), {"surplus": "1"}), 400, "invalid", "surplus")


def test_a_misspelt_filter_does_not_list_everything(everyone: ApiClient, ids: dict[str, str]) -> None:
    assert_refused(everyone.client.get(f"{V1}exams", {"patients": ids["patient_id"]}), 400, "invalid", "patients")
    assert_refused(everyone.client.get(f"{V1}exams?status=open&status=signed"), 400, "invalid", "status")
    assert_refused(everyone.client.get(f"{V1}exams?format=csv"), 400, "invalid", "format")


@pytest.mark.parametrize("name", ["exam-images", "predict"])
@pytest.mark.parametrize("field", ["photo", "photo2", "laterality"])
def test_a_second_file_is_named(name: str, field: str, everyone: ApiClient, ids: dict[str, str]) -> None:
    first, second = (SimpleUploadedFile(f"{seed}.jpg", photo_bytes(seed=seed)) for seed in (1, 2))
    data: dict[str, Any] = {"photo": first} | ({"laterality": "OD"} if name == "exam-images" else {})
    data[field] = [data[field], second] if field in data else second
    assert_refused(everyone.client.post(url_of(name, ids), data), 400, "invalid", field)
    assert FundusImage.objects.count() == 1


def test_an_unknown_field_and_a_wrong_one_are_both_named(everyone: ApiClient) -> None:
    body = json.dumps({**PATIENT, "sex": "?", "name": "Eve New"})
    assert_refused(everyone.client.post(f"{V1}patients", body, "application/json"), 400, "invalid", "name", "sex")


def test_a_field_that_is_sent_twice_is_named(everyone: ApiClient) -> None:
    body = TEXT.replace("{", '{"mrn": "OTHER", ')
    assert_refused(everyone.client.post(f"{V1}patients", body.encode(), "application/json"), 400, "invalid", "mrn")
    assert not Patient.objects.exists()


def test_long_and_many_names_do_not_fill_the_response(everyone: ApiClient) -> None:
    body = json.dumps({f"{n}{'x' * 100}": 1 for n in range(100)})
    response = everyone.client.post(f"{V1}patients/search", body, "application/json")
    assert_refused(response, 400, "invalid")
    assert len(response.content) < 4000


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (codecs.BOM_UTF8 + TEXT.encode(), "application/json"),
        (codecs.BOM_UTF8 + TEXT.encode(), "application/json; charset=utf-8"),
        (TEXT.encode("utf-16"), "application/json"),
        (codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"), "application/json"),
        (TEXT.encode("utf-32"), "application/json"),
        (TEXT.encode("latin-1"), "application/json; charset=iso-8859-1"),
        (TEXT.encode(), "application/json"),
    ],
)
def test_a_byte_order_mark_is_taken(body: bytes, content_type: str, everyone: ApiClient) -> None:
    response = everyone.client.generic("POST", f"{V1}patients", body, content_type)
    assert response.status_code == 201, response.content
    assert Patient.objects.get().family_name == "Néw"


@pytest.mark.parametrize(
    "body",
    [
        codecs.BOM_UTF8,
        codecs.BOM_UTF8 * 2 + TEXT.encode(),
        TEXT.encode("latin-1"),
        b"[" * 60_000,
        b'{"mrn": NaN}',
        b'{"mrn": ' + b"9" * 5000 + b"}",
    ],
)
def test_a_body_that_is_not_json_is_400(body: bytes, everyone: ApiClient) -> None:
    assert_refused(everyone.client.post(f"{V1}patients", body, "application/json"), 400, "bad_request")


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ('{"\\ud800": 1}', r"\ud800"),
        ('{"\\ud83d": 1, "\\ud83d": 2}', r"\ud83d"),
        ('{"sex": "\\ud800"}', "sex"),
        ('{"confirm": ["\\ud800"]}', "confirm.0"),
    ],
)
def test_half_of_a_character_is_named(body: str, named: str, everyone: ApiClient) -> None:
    assert_refused(everyone.client.post(f"{V1}patients", body, "application/json"), 400, "invalid", named)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "GZIP", "identity, gzip", "zstd"])
@pytest.mark.parametrize("path", [f"{V1}patients", f"{V1}predict", f"{V1}nothing"])
def test_a_compressed_body_is_415(encoding: str, path: str, everyone: ApiClient) -> None:
    response = everyone.client.post(path, b"\x1f\x8b", "application/json", headers={"Content-Encoding": encoding})
    assert_refused(response, 415, "unsupported_encoding")
    assert response["Accept-Encoding"] == "identity"


def test_an_encoding_that_changes_nothing_is_taken(everyone: ApiClient) -> None:
    headers = {"Content-Encoding": "identity"}
    assert everyone.client.post(f"{V1}patients", TEXT.encode(), "application/json", headers=headers).status_code == 201


def test_a_body_without_a_length_is_411(everyone: ApiClient) -> None:
    headers = {"Transfer-Encoding": "chunked"}
    response = everyone.client.post(f"{V1}patients", "", "application/json", headers=headers, CONTENT_LENGTH="")
    assert_refused(response, 411, "length_required")
    page = everyone.client.post("/login/", "", "text/plain", headers=headers, CONTENT_LENGTH="")
    assert (page.status_code, page["Content-Type"]) == (411, "text/plain; charset=utf-8")
    assert everyone.client.get(f"{V1}exams", headers=headers).status_code == 200


@pytest.mark.parametrize("name", [name for name, route in ROUTES.items() if route.pattern.converters])
def test_ids_in_capitals_are_found(name: str, everyone: ApiClient, ids: dict[str, str]) -> None:
    view: Any = ROUTES[name].callback.view_class  # type: ignore[attr-defined]
    capitals = {key: value.upper() for key, value in ids.items()}
    method = "get" if hasattr(view, "get") else "post"
    statuses = {
        getattr(everyone.client, method)(V1 + "/".join(_path(name, values))).status_code for values in (ids, capitals)
    }
    assert 404 not in statuses


def test_head_has_the_status_of_get(everyone: ApiClient, ids: dict[str, str]) -> None:
    headers = {"Tus-Resumable": "1.0.0"}
    statuses = {
        name: [
            send(url_of(name, ids), headers=headers).status_code for send in (everyone.client.head, everyone.client.get)
        ]
        for name in READING
    }
    assert statuses == {name: [200, 200] for name in READING} | {"letter-batch-file": [409, 409]}


def _path(name: str, ids: dict[str, str]) -> list[str]:
    segments = str(ROUTES[name].pattern).split("/")
    return [ids[text.strip("<>").split(":")[1]] if text.startswith("<") else text for text in segments]


def test_ids_in_capitals_are_found_in_bodies_queries_and_pages(everyone: ApiClient, ids: dict[str, str]) -> None:
    patient = ids["patient_id"].upper()
    assert everyone.post("exams", {"patient": patient}).status == 200
    assert len(everyone.get("exams", patient=patient).body["results"]) == 2
    everyone.client.force_login(User.objects.get(username="manager"))
    assert everyone.client.get(f"/patients/{patient}/").status_code == 200
    assert everyone.client.get(f"/exams/{ids['exam_id'].upper()}/").status_code == 200
    assert everyone.client.get(f"/exams/{str(uuid.uuid4()).upper()}/").status_code == 404
