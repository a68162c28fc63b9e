"""A POST that is sent again with its Idempotency-Key is carried out once."""

import json
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError
from django.test.client import encode_multipart
from django.urls import URLPattern, reverse
from django.utils import timezone

from screening.api import urls
from screening.api.views import exams as exam_views
from screening.api.views.base import ApiView
from screening.models import (
    AuditEvent,
    Exam,
    FundusImage,
    IdempotencyKey,
    Membership,
    Patient,
    Site,
    User,
)
from screening.services.exams import get_or_open_exam
from screening.services.idempotency_keys import ABANDONED_AFTER, KEPT_FOR, release_key
from screening.tasks import delete_expired_idempotency_keys
from tests.builders import photo_bytes
from tests.screening.api.client import ApiClient
from tests.screening.api.storing_requests import CASES, NEW_PATIENT, open_exam_of
from tests.screening.factories import (
    MembershipFactory,
    PatientFactory,
)

KEY = "0b7e2f1c-6d0a-4f53-8c3e-0f1d2a3b4c5d"
ROUTES = [pattern for pattern in urls.urlpatterns if isinstance(pattern, URLPattern)]


def view_of(route: URLPattern) -> type[ApiView]:
    view: type[ApiView] = route.callback.view_class  # type: ignore[attr-defined]  # as_view() adds it
    return view


REPEATABLE = {
    str(route.name): route
    for route in ROUTES
    if callable(getattr(view_of(route), "post", None)) and not getattr(view_of(route), "is_read_only", True)
}


@pytest.fixture
def patient(site: Site) -> Patient:
    return PatientFactory(site=site)


UPLOADS = {"exam-images"}


def post(client: ApiClient, url: str, body: Any, *, key: str | None = KEY, boundary: str = "first") -> Any:
    """JSON, or a form with a photograph if ``body`` has an eye alone."""
    headers = {"Tus-Resumable": "1.0.0", "Upload-Length": "10"} | ({} if key is None else {"Idempotency-Key": key})
    if body is not None and "laterality" in body and "reason" not in body:
        fields = {"photo": SimpleUploadedFile(f"{boundary}.jpg", photo_bytes()), **body}
        data: Any = encode_multipart(boundary, fields)
        return client.client.post(url, data, f"multipart/form-data; boundary={boundary}", headers=headers)
    return client.client.post(url, "" if body is None else json.dumps(body), "application/json", headers=headers)


def test_every_route_that_stores_has_a_case() -> None:
    assert REPEATABLE.keys() == CASES.keys()
    read_only = {str(route.name) for route in ROUTES if getattr(view_of(route), "is_read_only", False)}
    assert read_only == {"predict", "patient-search", "exam-suggest-eye"}


@pytest.mark.parametrize("name", REPEATABLE)
def test_every_route_that_stores_has_its_record(name: str) -> None:
    assert view_of(REPEATABLE[name]).get_record is not ApiView.get_record


@pytest.mark.parametrize("name", CASES)
def test_a_request_that_is_sent_again_is_carried_out_once(
    name: str, client: ApiClient, photographer: User, patient: Patient
) -> None:
    for role in (Membership.Role.REVIEWER, Membership.Role.MANAGER):
        MembershipFactory(user=photographer, site=patient.site, role=role)
    url_ids, body, status = CASES[name]
    url = reverse(f"api:{name}", kwargs=url_ids(patient))
    first = post(client, url, body(patient))
    assert first.status_code == status, first.content
    assert "Idempotent-Replayed" not in first.headers
    n_events = AuditEvent.objects.exclude(verb="request.repeated").count()
    again = post(client, url, body(patient), boundary="second")
    assert (again.status_code, again.json()["id"]) == (status, first.json()["id"])
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.json().keys() == first.json().keys()
    assert AuditEvent.objects.exclude(verb="request.repeated").count() == n_events
    event = AuditEvent.objects.get(verb="request.repeated")
    assert (event.object_id, event.site) == (first.json()["id"], patient.site)


def test_the_order_of_fields_does_not_matter(client: ApiClient) -> None:
    first = post(client, reverse("api:patients"), NEW_PATIENT)
    again = post(client, reverse("api:patients"), dict(reversed(NEW_PATIENT.items())))
    assert again.json()["id"] == first.json()["id"]


def test_the_answer_is_built_from_the_record_as_it_is_now(client: ApiClient, patient: Patient) -> None:
    body = {"patient": str(patient.pk)}
    exam = post(client, reverse("api:exams"), body).json()["id"]
    Exam.objects.filter(pk=exam).update(status=Exam.Status.CANCELLED)
    again = post(client, reverse("api:exams"), body)
    assert (again.status_code, again.json()["id"], again.json()["status"]) == (201, exam, "cancelled")
    assert Exam.objects.count() == 1


def test_neither_the_key_nor_what_was_sent_is_stored(client: ApiClient) -> None:
    post(client, reverse("api:patients"), NEW_PATIENT, key="eve-new-1970")
    row = IdempotencyKey.objects.get()
    assert (row.status, row.object_id) == (201, Patient.objects.get().pk)
    stored = " ".join(str(getattr(row, field.attname)) for field in row._meta.concrete_fields)
    assert not any(text in stored for text in ("eve", "Eve", "1970", "NEW1"))


@pytest.mark.parametrize(
    ("changes", "name"),
    [({"mrn": "NEW2"}, "patients"), ({"laterality": "OS"}, "exam-images")],
)
def test_the_same_key_with_another_body_is_422(
    changes: dict[str, str], name: str, client: ApiClient, patient: Patient
) -> None:
    url_ids, body, _status = CASES[name]
    url = reverse(f"api:{name}", kwargs=url_ids(patient))
    post(client, url, body(patient))
    response = post(client, url, {**body(patient), **changes})
    assert (response.status_code, response.json()["code"]) == (422, "idempotency_key_reused")
    assert "new key" in response.json()["fields"]["Idempotency-Key"]
    assert (Patient.objects.count(), FundusImage.objects.count()) in {(2, 0), (1, 1)}


def test_another_photograph_with_the_same_key_is_422(client: ApiClient, patient: Patient) -> None:
    url = reverse("api:exam-images", kwargs=open_exam_of(patient))
    post(client, url, {"laterality": "OD"})
    fields = {"photo": SimpleUploadedFile("first.jpg", photo_bytes(seed=9)), "laterality": "OD"}
    response = client.client.post(url, fields, headers={"Idempotency-Key": KEY})
    assert response.status_code == 422
    assert FundusImage.objects.count() == 1


def test_the_same_key_for_another_exam_is_422(client: ApiClient, patient: Patient) -> None:
    urls_of_two = [reverse("api:exam-images", kwargs=open_exam_of(patient)) for _ in range(2)]
    assert [post(client, url, {"laterality": "OD"}).status_code for url in urls_of_two] == [201, 422]


def test_a_key_is_of_one_account_and_one_route(
    client: ApiClient, manager: User, patient: Patient, other_site: Site
) -> None:
    first = post(client, reverse("api:patients"), NEW_PATIENT)
    assert post(client, reverse("api:exams"), {"patient": str(patient.pk)}).status_code == 201
    MembershipFactory(user=manager, site=other_site, role=Membership.Role.MANAGER)
    details = {**NEW_PATIENT, "site": other_site.code}
    second = post(ApiClient(manager), reverse("api:patients"), details)
    assert second.status_code == 201
    assert second.json()["id"] != first.json()["id"]


def test_a_parallel_repeat_is_409(client: ApiClient, patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    body, url, parallel = {"patient": str(patient.pk)}, reverse("api:exams"), []

    def slow(**values: Any) -> Any:
        parallel.append(post(client, url, body))  # arrives while the first request is being carried out
        return get_or_open_exam(**values)

    monkeypatch.setattr(exam_views, "get_or_open_exam", slow)
    assert post(client, url, body).status_code == 201
    assert (parallel[0].status_code, parallel[0].json()["code"]) == (409, "request_in_progress")
    assert post(client, url, body).headers["Idempotent-Replayed"] == "true"
    assert (Exam.objects.count(), len(parallel)) == (1, 1)


@pytest.mark.parametrize("error", [None, RuntimeError("boom")])
def test_a_failed_request_does_not_use_up_its_key(
    error: Exception | None, client: ApiClient, patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = reverse("api:exams")
    with monkeypatch.context() as patch:
        if error is not None:
            patch.setattr(exam_views, "get_or_open_exam", lambda **_: (_ for _ in ()).throw(error))
        refused = post(client, url, {"patient": str(patient.pk if error else uuid.uuid4())})
        assert refused.status_code == (500 if error else 404)
    assert not IdempotencyKey.objects.exists()
    assert post(client, url, {"patient": str(patient.pk)}).status_code == 201


def test_access_is_checked_again(client: ApiClient, photographer: User, patient: Patient, other_site: Site) -> None:
    url, body = reverse("api:exams"), {"patient": str(patient.pk)}
    post(client, url, body)
    MembershipFactory(user=photographer, site=other_site, role=Membership.Role.PHOTOGRAPHER)
    Membership.objects.filter(user=photographer, site=patient.site).update(role=Membership.Role.REVIEWER)
    assert_error(post(client, url, body), 403, "forbidden")
    Membership.objects.filter(user=photographer, site=patient.site).delete()
    assert_error(post(client, url, body), 404, "not_found")
    assert not AuditEvent.objects.filter(verb="request.repeated").exists()


def assert_error(response: Any, status: int, code: str) -> None:
    assert (response.status_code, response.json()["code"]) == (status, code)


@pytest.mark.parametrize("key", ["", "x" * 256, "two words", "clé", "tab\tkey"])
def test_a_key_that_cannot_be_used_is_400(key: str, client: ApiClient) -> None:
    response = post(client, reverse("api:patients"), NEW_PATIENT, key=key)
    assert_error(response, 400, "invalid")
    assert "1 to 255" in response.json()["fields"]["Idempotency-Key"]
    assert not Patient.objects.exists()


@pytest.mark.parametrize("key", ["x", "x" * 255, '"8e03978e-40d5-43dd-bc93-6894a57f9324"', "!~"])
def test_other_keys_are_taken(key: str, client: ApiClient) -> None:
    assert post(client, reverse("api:patients"), NEW_PATIENT, key=key).status_code == 201


def test_a_request_that_stores_nothing_ignores_the_key(client: ApiClient, patient: Patient) -> None:
    url, body = reverse("api:patient-search"), {"mrn": patient.mrn}
    assert [post(client, url, body).status_code for _ in range(2)] == [200, 200]
    assert not IdempotencyKey.objects.exists()


def age(by: timedelta) -> None:
    IdempotencyKey.objects.update(created_at=timezone.now() - by)


def test_a_key_is_kept_for_a_day(client: ApiClient, patient: Patient) -> None:
    url, body = reverse("api:exams"), {"patient": str(patient.pk)}
    first = post(client, url, body).json()["id"]
    Exam.objects.update(status=Exam.Status.CANCELLED)
    age(KEPT_FOR - timedelta(minutes=1))
    assert post(client, url, body).json()["id"] == first
    age(KEPT_FOR + timedelta(minutes=1))
    assert post(client, url, body).json()["id"] != first


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("n_failures", [1, 2])
def test_the_key_of_a_request_that_lost_its_connection_is_free_at_once(
    photographer: User, n_failures: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = IdempotencyKey.objects.create(user=photographer, route="r", key_hash="k", request_hash="h")
    real, failures = IdempotencyKey.objects.filter, iter([OperationalError("connection lost")] * n_failures)

    def lose_connection(**conditions: Any) -> Any:
        for error in failures:
            raise error
        return real(**conditions)

    monkeypatch.setattr(IdempotencyKey.objects, "filter", lose_connection)
    release_key(row=row)  # the error of the request is the one that is reported
    monkeypatch.undo()
    assert IdempotencyKey.objects.exists() == (n_failures > 1)


def test_the_key_of_a_process_that_was_killed_is_free_after_minutes(client: ApiClient, patient: Patient) -> None:
    url, body = reverse("api:exams"), {"patient": str(patient.pk)}
    post(client, url, body)
    IdempotencyKey.objects.update(status=None, object_id=None)
    assert_error(post(client, url, body), 409, "request_in_progress")
    age(ABANDONED_AFTER + timedelta(seconds=1))
    assert post(client, url, body).status_code == 200  # the exam that the first request opened


def test_old_keys_are_deleted_by_a_periodic_task(client: ApiClient, settings: Any) -> None:
    for mrn in ("1", "2"):
        post(client, reverse("api:patients"), {**NEW_PATIENT, "mrn": mrn}, key=mrn)
    newest = IdempotencyKey.objects.order_by("-created_at").first()
    assert newest is not None
    IdempotencyKey.objects.exclude(pk=newest.pk).update(created_at=timezone.now() - KEPT_FOR - timedelta(minutes=1))
    tasks = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert delete_expired_idempotency_keys.name in tasks
    delete_expired_idempotency_keys()
    assert list(IdempotencyKey.objects.all()) == [newest]


def test_exams_are_opened_once_without_a_key_too(client: ApiClient, patient: Patient) -> None:
    first, again = (client.post("exams", {"patient": str(patient.pk)}) for _ in range(2))
    assert (first.status, again.status) == (201, 200)
    assert first.body["id"] == again.body["id"]
    assert Exam.objects.count() == 1
