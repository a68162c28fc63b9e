"""Who may use which address of the API, and whose records they find."""

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, get_resolver
from django.utils import timezone

from screening.access import Action
from screening.api import urls
from screening.models import ApiKey, Exam, Patient, Site, User
from screening.services.api_keys import issue_key, revoke_key
from tests.screening.api.client import V1, ApiClient, ApiResponse, assert_is_error
from tests.screening.factories import (
    ExamFactory,
    EyeFindingFactory,
    FundusImageFactory,
    GradingFactory,
    PatientFactory,
    ReviewFactory,
    UserFactory,
)

ROLES = ("photographer", "reviewer", "manager", "outsider", "roleless", "stranger")
NEW_PATIENT = {"mrn": "NEW1", "given_name": "Eve", "family_name": "New", "born_on": "1970-01-02"}

Ask = Callable[[ApiClient, dict[str, Any]], ApiResponse]
READS: dict[str, Ask] = {
    "GET model": lambda caller, _rows: caller.get("model"),
    "GET sites": lambda caller, _rows: caller.get("sites"),
    "GET patients": lambda caller, _rows: caller.get("patients"),
    "GET exams": lambda caller, _rows: caller.get("exams"),
    "GET images": lambda caller, _rows: caller.get("images"),
    "GET gradings": lambda caller, _rows: caller.get("gradings"),
    "POST patients/search": lambda caller, rows: caller.post("patients/search", {"mrn": rows["patient"].mrn}),
    "POST predict": lambda caller, _rows: caller.send("predict"),
}
ROWS: dict[str, Ask] = {
    "GET patients/{id}": lambda caller, rows: caller.get(f"patients/{rows['patient'].pk}"),
    "GET exams/{id}": lambda caller, rows: caller.get(f"exams/{rows['exam'].pk}"),
    "GET images/{id}": lambda caller, rows: caller.get(f"images/{rows['image'].pk}"),
    "GET gradings/{id}": lambda caller, rows: caller.get(f"gradings/{rows['grading'].pk}"),
    "GET reviews/{id}": lambda caller, rows: caller.get(f"reviews/{rows['review'].pk}"),
    "POST gradings/{id}/retry": lambda caller, rows: caller.post(f"gradings/{rows['failed'].pk}/retry"),
}
CAMERA: dict[str, Ask] = {
    "POST exams": lambda caller, rows: caller.post("exams", {"patient": rows["patient"].pk}),
    "POST exams/{id}/images": lambda caller, rows: caller.send(f"exams/{rows['open'].pk}/images", laterality="OD"),
    "POST exams/{id}/absent-eye": lambda caller, rows: caller.post(
        f"exams/{rows['open'].pk}/absent-eye", {"laterality": "OS", "reason": "prosthesis"}
    ),
    "POST exams/{id}/submit": lambda caller, rows: caller.post(f"exams/{rows['ready'].pk}/submit"),
}
REGISTER: dict[str, Ask] = {"POST patients": lambda caller, _rows: caller.post("patients", NEW_PATIENT)}
IN_ORDER = ROLES  # photographer, reviewer, manager, outsider, roleless, stranger
TABLE = [
    *((name, ask, (200, 200, 200, 200, 403, 401)) for name, ask in READS.items()),
    *((name, ask, (200, 200, 200, 404, 403, 401)) for name, ask in ROWS.items()),
    *((name, ask, (201, 403, 201, 404, 403, 401)) for name, ask in CAMERA.items() if name[-1] == "s"),
    *((name, ask, (200, 403, 200, 404, 403, 401)) for name, ask in CAMERA.items() if name[-1] != "s"),
    *((name, ask, (201, 403, 201, 201, 403, 401)) for name, ask in REGISTER.items()),
]


@pytest.fixture
def rows(site: Site) -> dict[str, Any]:
    """One record of each kind at ``site``."""
    patient = PatientFactory(site=site)
    review = ReviewFactory(exam__patient=patient, exam__status=Exam.Status.REVIEWED)
    EyeFindingFactory(review=review)
    image = FundusImageFactory(exam=review.exam)
    ready = ExamFactory(patient=patient, left_eye_absent_reason="prosthesis")
    FundusImageFactory(exam=ready)
    return {
        "patient": patient,
        "exam": review.exam,
        "review": review,
        "image": image,
        "grading": GradingFactory(image=image, is_done=True),
        "failed": GradingFactory(image__exam=review.exam, is_failed=True),
        "open": ExamFactory(patient=patient),
        "ready": ready,
    }


@pytest.fixture
def callers(photographer: User, reviewer: User, manager: User, outsider: User) -> dict[str, ApiClient]:
    users = (photographer, reviewer, manager, outsider, UserFactory(username="roleless"), None)
    return {role: ApiClient(user) for role, user in zip(ROLES, users, strict=True)}


@pytest.mark.parametrize(
    ("ask", "statuses"), [(ask, statuses) for _name, ask, statuses in TABLE], ids=[row[0] for row in TABLE]
)
@pytest.mark.parametrize("role", ROLES)
def test_each_role_is_answered_as_the_table_says(
    role: str, ask: Ask, statuses: tuple[int, ...], callers: dict[str, ApiClient], rows: dict[str, Any]
) -> None:
    answer = ask(callers[role], rows)
    assert answer.status == statuses[ROLES.index(role)], answer.body


def test_the_table_asks_every_address_of_the_api() -> None:
    routes = {str(pattern.pattern) for pattern in urls.urlpatterns if isinstance(pattern, URLPattern)} - {"^.*$"}
    asked = {name.split()[1] for name, *_rest in TABLE}
    assert {route.replace(f"<uuid:{noun}_id>", "{id}") for route in routes for noun in [_noun(route)]} == asked


def _noun(route: str) -> str:
    return route.partition("<uuid:")[2].partition("_id>")[0]


def test_every_handler_declares_an_action_of_access() -> None:
    for pattern in get_resolver("screening.api.urls").url_patterns[:-1]:
        assert isinstance(pattern, URLPattern)
        view: Any = pattern.callback.view_class  # type: ignore[attr-defined]
        handlers = {method.upper() for method in ("get", "post", "put", "patch", "delete") if hasattr(view, method)}
        assert handlers == set(view.actions)
        assert all(isinstance(action, Action) for action in view.actions.values())


def test_an_outsiders_lists_are_empty(outsider: User, rows: dict[str, Any]) -> None:
    caller = ApiClient(outsider)
    for noun in ("patients", "exams", "images", "gradings"):
        assert caller.get(noun).body["results"] == []
    assert caller.post("patients/search", {"mrn": rows["patient"].mrn}).body["results"] == []


def test_an_exam_cannot_be_opened_for_another_sites_patient(outsider: User, rows: dict[str, Any]) -> None:
    before = Exam.objects.count()
    assert_is_error(ApiClient(outsider).post("exams", {"patient": rows["patient"].pk}), 404, "not_found")
    assert Exam.objects.count() == before


def test_filters_by_another_sites_ids_find_nothing(outsider: User, rows: dict[str, Any]) -> None:
    caller = ApiClient(outsider)
    assert caller.get("exams", patient=rows["patient"].pk).body["results"] == []
    assert caller.get("images", exam=rows["exam"].pk).body["results"] == []
    assert caller.get("gradings", image=rows["image"].pk).body["results"] == []


def test_a_key_is_stored_as_its_hash_alone(photographer: User) -> None:
    key, text = issue_key(user=photographer, name="camera", by=None)
    assert text.startswith("drk_")
    assert len(text) == 47
    key.refresh_from_db()
    assert key.key_hash == hashlib.sha256(text.encode()).hexdigest()
    assert text not in json.dumps(list(ApiKey.objects.values()), default=str)
    assert ApiClient(None, key=text).get("sites").status == 200


@pytest.mark.parametrize("how", ["revoked", "expired", "user_closed", "unknown", "empty", "hash_instead"])
def test_a_key_that_cannot_be_used_is_401(how: str, photographer: User, manager: User) -> None:
    key, text = issue_key(user=photographer, name="camera", by=None)
    assert ApiClient(None, key=text).get("sites").status == 200
    if how == "revoked":
        revoke_key(key=key, by=manager)
    elif how == "expired":
        ApiKey.objects.filter(pk=key.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    elif how == "user_closed":
        User.objects.filter(pk=photographer.pk).update(is_active=False)
    else:
        text = {"unknown": "drk_" + "x" * 43, "empty": " ", "hash_instead": key.key_hash}[how]
    answer = ApiClient(None, key=text).get("sites")
    assert_is_error(answer, 401, "invalid_key")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_the_use_of_a_key_is_noted_once_a_minute(photographer: User) -> None:
    key, text = issue_key(user=photographer, name="camera", by=None)
    caller = ApiClient(None, key=text)
    caller.get("sites")
    key.refresh_from_db()
    first = key.last_used_at
    assert first is not None
    caller.get("sites")
    key.refresh_from_db()
    assert key.last_used_at == first
    ApiKey.objects.filter(pk=key.pk).update(last_used_at=first - timedelta(seconds=61))
    caller.get("sites")
    key.refresh_from_db()
    assert key.last_used_at is not None
    assert key.last_used_at >= first


def test_a_person_who_is_logged_in_needs_no_key_but_the_csrf_token(photographer: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(photographer)
    assert client.get(V1 + "sites").status_code == 200
    refused = client.post(V1 + "patients", NEW_PATIENT, content_type="application/json")
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert not Patient.objects.exists()
    token = client.get("/api/docs/").context["csrf_token"]
    accepted = client.post(
        V1 + "patients", NEW_PATIENT, content_type="application/json", headers={"X-CSRFToken": str(token)}
    )
    assert accepted.status_code == 201


def test_a_key_needs_no_csrf_token(photographer: User) -> None:
    _key, text = issue_key(user=photographer, name="camera", by=None)
    client = Client(enforce_csrf_checks=True, headers={"Authorization": f"Bearer {text}"})
    assert client.post(V1 + "patients", NEW_PATIENT, content_type="application/json").status_code == 201
