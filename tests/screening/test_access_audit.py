"""Every look leaves an audit event: each route, as each kind of user.

``PRINT_AUDIT=1 python -m pytest -s tests/screening/test_access_audit.py`` prints the events that each route left.
"""

import os
import sys
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.contrib import admin
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.test import Client
from django.urls import URLPattern, reverse
from django.utils import timezone

from ml.bundle import read_bundle
from screening import urls as page_urls
from screening.api import urls as api_urls
from screening.fhir import urls as fhir_urls
from screening.models import (
    AuditEvent,
    DataImport,
    Exam,
    FundusImage,
    LetterBatch,
    Message,
    PhotoUpload,
    Site,
    StagedPerson,
    User,
)
from screening.services.api_keys import issue_key
from screening.services.uploads import KEPT_FOR
from tests.builders import photo_bytes
from tests.screening.documents import DocumentFactory
from tests.screening.factories import (
    BookingFactory,
    DataImportFactory,
    ExamFactory,
    FundusImageFactory,
    GradingFactory,
    MembershipFactory,
    PatientFactory,
    ReferralFactory,
    ReviewFactory,
    UserFactory,
)
from tests.screening.regradings import regrading_of
from tests.screening.teaching import teaching_records

Verb = AuditEvent.Verb
MARKERS = (b"Marker-Family", b"Marker-Given", b"MRN-MARKER", b"23 Jul 1961", b"1961-07-23", b"JFIF")
PASSWORD = "a long password of a test"
ROLES = ("photographer", "reviewer", "manager", "superuser", "key", "stranger", "anonymous")


@pytest.fixture
def records(site: Site, media_root: Any) -> dict[str, Any]:
    return records_of_routes(site)


def records_of_routes(site: Site) -> dict[str, Any]:
    """Keyword arguments of all routes: records of one patient."""
    patient = PatientFactory(
        site=site, family_name="Marker-Family", given_name="Marker-Given", mrn="MRN-MARKER", born_on="1961-07-23"
    )
    exam = ExamFactory(patient=patient, is_submitted=True)
    image = FundusImageFactory(exam=exam, file=ContentFile(photo_bytes(), name="photo.jpg"))
    grading = GradingFactory(image=image, is_done=True)
    review = ReviewFactory(exam=ExamFactory(patient=patient))
    return {
        "upload_id": upload_of_photograph(exam, site).pk,
        "patient_id": patient.pk,
        "exam_id": exam.pk,
        "name": "od-severity",
        "image_id": image.pk,
        "grading_id": grading.pk,
        "review_id": review.pk,
        "document_id": DocumentFactory(review__exam__patient=patient, is_done=True).pk,
        "referral_id": ReferralFactory(exam=ExamFactory(patient=patient)).pk,
        "message_id": Message.objects.create(site=site, patient=patient, kind="invitation", state="not_sent").pk,
        "batch_id": LetterBatch.objects.create(
            site=site, variant="standard", n_letters=1, created_by=MembershipFactory(site=site).user
        ).pk,
        **teaching_records(site),
        "laterality": "OD",
        "code": "contacts",
        "kind": "people",
        "import_id": import_of_people(site).pk,
        "regrading_id": regrading_of(site).pk,
        "message_kind": "invitation",
        "channel": "email",
        "language": "en",
        "booking_id": BookingFactory(patient=patient).pk,
        "user_id": MembershipFactory(site=site).user.pk,
        "invitation_id": uuid.uuid4(),
        "site_id": site.pk,
        "group": "capture",
        "programme_id": uuid.uuid4(),
        "version": read_bundle().model_version,
        "page_code": "agreement",
        "table_code": "summary",
        "scale": "icdr",
        "number": 0,
        "level": 0,
        "row": 0,
        "column": 0,
    }


def import_of_people(site: Site) -> DataImport:
    row: DataImport = DataImportFactory(site=site, state="checked", n_rows=1, n_checked=1, n_new=1)
    StagedPerson.objects.create(data_import=row, line=2, state="new", mrn="MRN-MARKER", family_name="Marker-Family")
    return row


def upload_of_photograph(exam: Exam, site: Site) -> PhotoUpload:
    name = FundusImage._meta.get_field("file").storage.save("uploads/x/x.part", ContentFile(photo_bytes()))
    owner, n_bytes = MembershipFactory(site=site).user, len(photo_bytes())
    return PhotoUpload.objects.create(
        exam=exam,
        owner=owner,
        n_bytes=n_bytes,
        n_received=n_bytes,
        segments=[name],
        expires_at=timezone.now() + KEPT_FOR,
    )


def user_of(role: str, site: Site) -> User | None:
    if role == "superuser":
        user: User = UserFactory(is_superuser=True, is_staff=True)
        for each in ("photographer", "reviewer"):
            MembershipFactory(user=user, site=site, role=each)
        return user
    if role == "anonymous":
        return None
    if role == "stranger":
        return MembershipFactory(role="reviewer").user
    return MembershipFactory(site=site, role="photographer" if role == "key" else role).user


def client_of(role: str, site: Site) -> tuple[Client, User | None]:
    user = user_of(role, site)
    if role == "key":
        assert user is not None
        return Client(headers={"Authorization": f"Bearer {issue_key(user=user, name='x', by=None)[1]}"}), user
    client = Client()
    if user is not None:
        client.force_login(user)
    return client, user


def routes(records: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Name and address of each route of pages, API, FHIR and panel that can be read."""
    for namespace, urls in (("screening", page_urls), ("api", api_urls), ("fhir", fhir_urls)):
        for pattern in urls.urlpatterns:
            if isinstance(pattern, URLPattern) and pattern.name and pattern.name != "not-found":
                names = pattern.pattern.converters
                yield (
                    f"{namespace}:{pattern.name}",
                    reverse(f"{namespace}:{pattern.name}", kwargs={name: records[name] for name in names}),
                )
    for model in admin.site._registry:
        name = f"{model._meta.app_label}_{model._meta.model_name}"
        yield f"admin:{name}_changelist", reverse(f"admin:{name}_changelist")
        for row in model._default_manager.all()[:1]:
            yield f"admin:{name}_change", reverse(f"admin:{name}_change", args=[row.pk])


@pytest.mark.parametrize("role", ROLES)
def test_no_data_of_a_patient_leave_without_an_event(role: str, records: dict[str, Any], site: Site) -> None:
    client, user = client_of(role, site)
    n_with_data, left = 0, []
    for name, address in list(routes(records)):
        if name in {"screening:logout"}:
            continue
        cache.clear()  # a repeated look leaves no second event
        before = AuditEvent.objects.count()
        response = client.get(address)
        body = b"".join(response.streaming_content) if response.streaming else response.content  # type: ignore[attr-defined]
        has_data = response.status_code < 300 and any(marker in body for marker in MARKERS)
        events = list(AuditEvent.objects.order_by("id")[before:])
        n_with_data += has_data
        left.append((name, response.status_code, [event.verb for event in events]))
        if has_data:
            assert events, f"{role} read {name} without an event"
            assert {event.actor for event in events} == {user}
            assert all(event.address == "127.0.0.1" and event.request_id for event in events), name
        if response.status_code in {401, 403, 404}:
            assert [event.verb for event in events] == [Verb.ACCESS_REFUSED], f"{role}, {name}: no refusal"
        assert not any(marker.decode() in str(vars(event)) for event in events for marker in MARKERS)
    assert (n_with_data > 1) == (role not in {"stranger", "anonymous"})
    if os.environ.get("PRINT_AUDIT"):
        rows = (f"  {name:44} {status}  {', '.join(verbs) or '-'}" for name, status, verbs in left)
        sys.stdout.write("\n".join([f"\n{role}", *rows, ""]))


def test_events_have_role_purpose_and_key(records: dict[str, Any], site: Site) -> None:
    reviewer, _ = client_of("reviewer", site)
    reviewer.get(reverse("screening:patient-detail", args=[records["patient_id"]]))
    event = AuditEvent.objects.get(verb=Verb.PATIENT_VIEWED)
    assert (event.role, event.purpose, event.key_id) == ("reviewer", "TREAT", "")
    program, user = client_of("key", site)
    program.get(reverse("api:patient", args=[records["patient_id"]]))
    event = AuditEvent.objects.filter(verb=Verb.PATIENT_VIEWED, actor=user).get()
    assert (event.role, event.purpose) == ("photographer", "TREAT")
    assert event.key_id == str(user.api_keys.get().pk)  # type: ignore[union-attr]
    chief, superuser = client_of("superuser", site)
    chief.get(reverse("admin:screening_patient_change", args=[records["patient_id"]]))
    event = AuditEvent.objects.filter(verb=Verb.PATIENT_VIEWED, actor=superuser).get()
    assert (event.role, event.purpose) == ("superuser", "HOPERAT")


def test_requests_of_a_page_by_itself_leave_one_event(records: dict[str, Any], site: Site) -> None:
    client, _ = client_of("reviewer", site)
    for _ in range(3):
        client.get(reverse("screening:image-thumbnail", args=[records["image_id"]]))
        client.get(reverse("screening:exam-status", args=[records["exam_id"]]))
    routes_seen = [event.data["route"] for event in AuditEvent.objects.filter(verb=Verb.RECORD_VIEWED)]
    assert sorted(routes_seen) == ["screening:exam-status", "screening:image-thumbnail"]


def test_the_tiles_of_a_photograph_leave_one_event_of_it(records: dict[str, Any], site: Site) -> None:
    client, user = client_of("reviewer", site)
    address = reverse("screening:image-tile", args=[records["image_id"], 0, 0, 0])
    response = client.get(address)
    for _ in range(2):
        assert client.get(address, headers={"If-None-Match": response["ETag"]}).status_code == 304
    event = AuditEvent.objects.get(verb=Verb.IMAGE_VIEWED)
    assert (event.actor, event.object_type, event.object_id) == (user, "fundusimage", str(records["image_id"]))
    cache.clear()  # later
    client.get(address, headers={"If-None-Match": response["ETag"]})
    assert AuditEvent.objects.filter(verb=Verb.IMAGE_VIEWED).count() == 2


def test_log_in_and_its_failure_and_log_out_are_recorded(client: Client, site: Site) -> None:
    user = MembershipFactory(site=site).user
    user.set_password(PASSWORD)
    user.save()
    address = reverse("screening:login")
    for username, password in ((user.username, "wrong"), ("typed-secret", "wrong"), (user.username, PASSWORD)):
        client.post(address, {"username": username, "password": password})
    client.post(reverse("screening:logout"))
    events = AuditEvent.objects.filter(verb__startswith="user.log").order_by("id")
    expected = [
        (Verb.LOGIN_FAILED, str(user.pk), None),
        (Verb.LOGIN_FAILED, "", None),
        (Verb.LOGGED_IN, str(user.pk), user.pk),
        (Verb.LOGGED_OUT, str(user.pk), user.pk),
    ]
    assert [(event.verb, event.object_id, event.actor_id) for event in events] == expected
    assert not any("typed-secret" in str(vars(event)) for event in AuditEvent.objects.all())


def test_a_lock_out_and_its_removal_are_recorded(client: Client, site: Site) -> None:
    user = MembershipFactory(site=site).user
    for _ in range(6):
        client.post(reverse("screening:login"), {"username": user.username, "password": "wrong"})
    assert AuditEvent.objects.filter(verb=Verb.LOCKED_OUT, object_id=str(user.pk)).exists()
    chief, superuser = client_of("superuser", site)
    attempt = AccessAttempt.objects.get()
    chief.post(reverse("admin:axes_accessattempt_delete", args=[attempt.pk]), {"post": "yes"})
    assert not AccessAttempt.objects.exists()
    event = AuditEvent.objects.get(verb=Verb.LOCKOUT_REMOVED)
    assert (event.object_id, event.actor) == (str(user.pk), superuser)


def test_a_refused_view_of_a_record_of_another_site_has_its_id(records: dict[str, Any], site: Site) -> None:
    client, user = client_of("stranger", site)
    assert client.get(reverse("screening:patient-detail", args=[records["patient_id"]])).status_code == 404
    event = AuditEvent.objects.get(verb=Verb.ACCESS_REFUSED)
    assert (event.actor, event.data["record"]) == (user, str(records["patient_id"]))
    assert event.data["route"] == "screening:patient-detail"
