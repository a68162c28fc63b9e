"""Access to the API: roles, sites, keys, sessions."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern
from django.utils import timezone

from screening.access import Action
from screening.api import urls
from screening.models import ApiKey, Exam, LetterBatch, Patient, Site, User
from screening.services.api_keys import issue_key, revoke_key
from screening.services.merges import merge_patients
from screening.services.uploads import begin_upload
from tests.screening.api.client import V1, ApiClient, assert_is_error
from tests.screening.databases import rolled_back
from tests.screening.documents import DocumentFactory
from tests.screening.factories import (
    BookingFactory,
    ExamFactory,
    EyeFindingFactory,
    FundusImageFactory,
    GradingFactory,
    MembershipFactory,
    PatientFactory,
    ReferralFactory,
    ReviewFactory,
    UserFactory,
)

NEW_PATIENT = {"mrn": "NEW1", "given_name": "Eve", "family_name": "New", "born_on": "1970-01-02"}
ROLES = ("photographer", "reviewer", "manager", "outsider", "roleless", "unauthenticated")
# The status of the response for each role.
ANY_SITE = (200, 200, 200, 200, 403, 401)
OWN_SITE = (200, 200, 200, 404, 403, 401)
CREATES = (201, 403, 201, 404, 403, 401)
CHANGES = (200, 403, 200, 404, 403, 401)
CORRECTS = (403, 200, 200, 404, 403, 401)
REPORTS = (201, 201, 201, 404, 403, 401)
READS = (403, 200, 403, 404, 403, 401)
REGISTERS = (201, 403, 201, 201, 403, 401)
STEP = {"from_state": "made", "to": "sent", "happened_on": "{today}"}
RESULT = {"from_state": "sent", "examined_on": "{today}", "is_confirmed": "true", "treatment": "laser"}
CONTACT = {"kind": "invitation", "channel": "letter", "result": "sent", "on": "{today}"}
TableRow = tuple[str, dict[str, str] | None, tuple[int, ...]]
TABLE: list[TableRow] = [
    ("GET model", None, ANY_SITE),
    ("GET sites", None, ANY_SITE),
    ("GET sites/{site}/outcome-tables", None, OWN_SITE),
    ("GET sites/{site}/outcome-tables/in-force", None, OWN_SITE),
    ("GET sites/{site}/due-list", None, CHANGES),
    ("GET patients", None, ANY_SITE),
    ("GET exams", None, ANY_SITE),
    ("GET images", None, ANY_SITE),
    ("GET gradings", None, ANY_SITE),
    ("POST patients/search", {"mrn": "{mrn}"}, ANY_SITE),
    ("POST predict", {}, ANY_SITE),
    ("GET patients/{patient}", None, OWN_SITE),
    ("GET patients/{patient}/register-entries", None, OWN_SITE),
    ("GET patients/{patient}/contacts", None, CHANGES),
    ("GET sites/{site}/bookings", None, CHANGES),
    ("GET patients/{patient}/bookings", None, CHANGES),
    ("POST patients/{patient}/bookings", {"day": "{today}"}, CREATES),
    ("POST bookings/{booking}/status", {"status": "cancelled"}, CHANGES),
    ("POST patients/{patient}/contacts", CONTACT, CREATES),
    ("GET exams/{exam}", None, OWN_SITE),
    ("GET images/{image}", None, OWN_SITE),
    ("GET gradings/{grading}", None, OWN_SITE),
    ("GET reviews/{review}", None, OWN_SITE),
    ("POST gradings/{failed}/retry", None, OWN_SITE),
    ("POST images/{image}/gradings", {"model": "fast"}, OWN_SITE),
    ("POST exams", {"patient": "{newcomer}"}, CREATES),
    ("POST exams/{waiting}/lock", {}, READS),
    ("POST exams/next", None, (403, 200, 403, 409, 403, 401)),  # at another site none waits
    ("POST exams/{open}/images", {"laterality": "OD"}, CREATES),
    ("POST exams/{open}/suggest-eye", {}, CHANGES),
    ("POST exams/{open}/absent-eye", {"laterality": "OS", "reason": "prosthesis"}, CHANGES),
    ("POST exams/{open}/not-photographed", {"laterality": "OS", "reason": "eye kept shut"}, CHANGES),
    ("POST exams/{open}/unobtainable", {"laterality": "OS", "code": ""}, CHANGES),
    ("POST exams/{open}/visit-facts", {"treatment": "insulin"}, CHANGES),
    ("POST exams/{open}/uploads", None, CREATES),
    ("GET uploads/{upload}", None, (200, 403, 404, 404, 403, 401)),  # that of another account is not found
    ("POST uploads/{upload}/unpack", None, (409, 403, 404, 404, 403, 401)),  # it is not complete
    ("POST exams/{open}/cancel", None, CHANGES),
    ("POST exams/{exam}/move", {"patient": "{newcomer}", "reason": "wrong patient"}, CORRECTS),
    ("POST images/{image}/move", {"patient": "{newcomer}", "reason": "wrong patient"}, CORRECTS),
    ("POST images/{fresh}/withdraw", {"code": "wrong_patient"}, CHANGES),
    ("GET referrals", None, ANY_SITE),
    ("GET teaching-sets", None, (403, 200, 200, 200, 403, 401)),
    ("GET teaching-certificates", None, (403, 200, 200, 200, 403, 401)),
    ("GET referrals/{referral}", None, OWN_SITE),
    ("POST referrals/{referral}/steps", STEP, CHANGES),
    ("POST referrals/{sent}/results", RESULT, CHANGES),
    ("POST exams/{exam}/reports", {}, REPORTS),
    ("POST exams/{exam}/letters", {"kind": "result_letter"}, REPORTS),
    ("GET patients/{patient}/documents", None, OWN_SITE),
    ("POST patients/{patient}/documents", {"kind": "invitation_letter"}, CREATES),
    ("GET sites/{site}/letter-batches", None, CHANGES),
    ("POST sites/{site}/letter-batches", {"kind": "due_letter"}, (409, 403, 409, 404, 403, 401)),  # one is being made
    ("GET letter-batches/{batch}", None, CHANGES),
    ("GET letter-batches/{batch}/file", None, (409, 403, 409, 404, 403, 401)),  # not made yet
    ("POST letter-batches/{batch}/cancel", None, CHANGES),
    ("POST letter-batches/{batch}/files", None, (409, 403, 409, 404, 403, 401)),
    ("GET documents/{document}", None, OWN_SITE),
    ("GET documents/{document}/file", None, (409, 409, 409, 404, 403, 401)),
    ("POST reviews/{review}/entered-in-error", {"reason": "wrong patient"}, CORRECTS),
    ("POST patients/{newcomer}/merge", {"into": "{patient}", "reason": "registered twice"}, CORRECTS),
    ("POST patients/{merged}/unmerge", {"reason": "two people"}, CORRECTS),
    ("PATCH patients/{patient}", {"sex": "X"}, CHANGES),
    ("POST exams/{waiting}/take-back", None, CHANGES),
    ("POST exams/{waiting}/return", {"reason": "left eye out of focus"}, READS),
    ("POST exams/{ready}/submit", None, CHANGES),
    ("POST patients", NEW_PATIENT, REGISTERS),
]
ROUTES = [pattern for pattern in urls.urlpatterns if isinstance(pattern, URLPattern)][:-1]  # the last one is 404


@pytest.fixture
def ids(site: Site, photographer: User) -> dict[str, str]:
    """Ids of one record of each kind at ``site``, and the patient's MRN."""
    patient = PatientFactory(site=site)
    review = ReviewFactory(exam__patient=patient, exam__status=Exam.Status.SIGNED)
    EyeFindingFactory(review=review)
    image = FundusImageFactory(exam=review.exam)
    ready = ExamFactory(patient=patient, left_eye_absent_reason="prosthesis")
    referred = PatientFactory(site=site)  # another person: a letter is about the latest exam with a result
    FundusImageFactory(exam=ready)
    records = {
        "site": site,
        "patient": patient,
        "exam": review.exam,
        "review": review,
        "image": image,
        "grading": GradingFactory(image=image, is_done=True),
        "failed": GradingFactory(image__exam=review.exam, is_failed=True),
        "open": ExamFactory(patient=patient),
        "ready": ready,
        "newcomer": PatientFactory(site=site),
        "booking": BookingFactory(patient=PatientFactory(site=site)),
        "fresh": FundusImageFactory(exam=ExamFactory(patient=patient)),
        "merged": merge_patients(
            patient=PatientFactory(site=site),
            into=patient,
            reason="registered twice",
            by=MembershipFactory(site=site, role="manager").user,
        ),
        "referral": ReferralFactory(exam__patient=referred),
        "document": DocumentFactory(review__exam__patient=referred),
        "sent": ReferralFactory(exam__patient=referred, state="sent"),
        "waiting": ExamFactory(patient=patient, is_submitted=True),
        "batch": LetterBatch.objects.create(site=site, variant="standard", n_letters=1, created_by=photographer),
        "upload": begin_upload(exam=ExamFactory(patient=patient), n_bytes=1, by=photographer),
    }
    return {
        "mrn": patient.mrn,
        "today": timezone.localdate().isoformat(),
        **{name: str(record.pk) for name, record in records.items()},
    }


@pytest.fixture
def clients(photographer: User, reviewer: User, manager: User, outsider: User) -> dict[str, ApiClient]:
    users = (photographer, reviewer, manager, outsider, UserFactory(username="roleless"), None)
    return {role: ApiClient(user) for role, user in zip(ROLES, users, strict=True)}


@pytest.mark.parametrize("row", TABLE, ids=[row[0] for row in TABLE])
def test_each_role_has_the_access_of_the_table(
    row: TableRow, clients: dict[str, ApiClient], ids: dict[str, str]
) -> None:
    operation, body, statuses = row
    method, path = operation.format(**ids).split()
    fields: dict[str, Any] = {key: value.format(**ids) for key, value in (body or {}).items()}
    for role, status in zip(ROLES, statuses, strict=True):
        client = clients[role]
        client.client.defaults |= {"HTTP_TUS_RESUMABLE": "1.0.0", "HTTP_UPLOAD_LENGTH": "10"}
        with rolled_back():
            if method == "GET":
                response = client.get(path)
            elif method == "PATCH":
                response = client.patch(path, fields)
            elif path.endswith(("predict", "images", "suggest-eye")):
                response = client.send(path, **fields)
            else:
                response = client.post(path, None if body is None else fields)
        assert response.status == status, (role, response.body)


def test_the_table_has_every_url() -> None:
    routes = {re.sub(r"<uuid:\w+>", "{id}", str(route.pattern)) for route in ROUTES}
    assert {re.sub(r"{\w+}", "{id}", operation.split()[1]) for operation, *_rest in TABLE} == routes


def test_every_method_has_an_action() -> None:
    for route in ROUTES:
        view: Any = route.callback.view_class  # type: ignore[attr-defined]  # as_view() adds it
        methods = {method.upper() for method in ("get", "post", "put", "patch", "delete") if hasattr(view, method)}
        assert methods == set(view.actions) - {"OPTIONS"}
        assert all(isinstance(action, Action) for action in view.actions.values())


def test_an_outsider_finds_no_record(outsider: User, ids: dict[str, str]) -> None:
    client = ApiClient(outsider)
    filters = ("exams", "patient"), ("images", "exam"), ("gradings", "image")
    for response in (
        *(client.get(noun) for noun in ("patients", "exams", "images", "gradings")),
        *(client.get(noun, **{name: ids[name]}) for noun, name in filters),
        client.post("patients/search", {"mrn": ids["mrn"]}),
    ):
        assert response.body["results"] == []
    n_exams = Exam.objects.count()
    assert_is_error(client.post("exams", {"patient": ids["patient"]}), 404, "not_found")
    assert Exam.objects.count() == n_exams


@pytest.mark.parametrize("reason", ["revoked", "expired", "inactive_user", "unknown", "empty", "hash"])
def test_an_unusable_key_gives_401(reason: str, photographer: User, manager: User) -> None:
    key, text = issue_key(user=photographer, name="camera", by=None)
    assert ApiClient(None, key=text).get("sites").status == 200
    if reason == "revoked":
        revoke_key(key=key, by=manager)
    elif reason == "expired":
        ApiKey.objects.filter(pk=key.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    elif reason == "inactive_user":
        User.objects.filter(pk=photographer.pk).update(is_active=False)
    else:
        text = {"unknown": "drk_" + "x" * 43, "empty": " ", "hash": key.key_hash}[reason]
    response = ApiClient(None, key=text).get("sites")
    assert_is_error(response, 401, "invalid_key")
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_session_needs_the_csrf_token_and_no_key(photographer: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(photographer)
    assert client.get(V1 + "sites").status_code == 200
    refused = client.post(V1 + "patients", NEW_PATIENT, content_type="application/json")
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert not Patient.objects.exists()
    headers = {"X-CSRFToken": str(client.get("/api/docs/").context["csrf_token"])}
    accepted = client.post(V1 + "patients", NEW_PATIENT, content_type="application/json", headers=headers)
    assert accepted.status_code == 201


def test_a_key_needs_no_csrf_token(client: ApiClient) -> None:
    client.client.handler.enforce_csrf_checks = True
    assert client.post("patients", NEW_PATIENT).status == 201
