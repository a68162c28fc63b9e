"""Access to the pages: one table of role x address -> status."""

import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from ml.bundle import read_bundle
from screening.models import Invitation, LetterBatch, Message, Programme, Site, User
from screening.urls import urlpatterns
from tests.builders import photo_bytes
from tests.screening.databases import rolled_back
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
)
from tests.screening.regradings import regrading_of
from tests.screening.teaching import teaching_records
from tests.screening.views.access_table import CAST, TABLE, WITHOUT_RECORD
from tests.screening.views.pages import HTMX, JSON, text_of, url


@pytest.fixture
def ids(site: Site) -> dict[str, Any]:
    exam = ExamFactory(patient=PatientFactory(site=site))
    image = FundusImageFactory(exam=exam)
    with image.file.open("wb") as file:
        file.write(photo_bytes())
    grading = GradingFactory(image=image, is_failed=True)
    return {
        "patient": exam.patient_id,
        "exam": exam.pk,
        "image": image.pk,
        "grading": grading.pk,
        "upload": uuid.uuid4(),
        "site": site.pk,
        **teaching_records(site),
        "programme": Programme.objects.create(name="North").pk,
        "user_id": (person := MembershipFactory(site=site).user).pk,
        "invitation_id": Invitation.objects.create(
            site=site, email="a@example.org", created_by=person, expires_at=timezone.now()
        ).pk,
        "import": DataImportFactory(site=site).pk,
        "regrading": regrading_of(site).pk,
        "message": Message.objects.create(
            site=site, patient=exam.patient, kind="invitation", state="queued", due_at=timezone.now()
        ).pk,
        "letter": LetterBatch.objects.create(site=site, variant="standard", n_letters=1, created_by=exam.opened_by).pk,
        "booking": BookingFactory(patient=exam.patient).pk,
        "referral": ReferralFactory(exam__patient=PatientFactory(site=site)).pk,
        "document": DocumentFactory(review__exam__patient=PatientFactory(site=site), is_done=True).pk,
    }


MORE_VALUES: dict[str, dict[str, Any]] = {
    "result-letters": {"kind": "result_letter"},
    "site-outcome-table": {"scale": "icdr", "number": 0},
    "site-imports": {"kind": "people"},
    "site-settings": {"group": "capture"},
    "site-due-list-export": {"code": "contacts"},
    "site-message-text": {"message_kind": "invitation", "channel": "email", "language": "en"},
    "model": {"version": read_bundle().model_version},
    "dashboard-page": {"page_code": "agreement"},
    "dashboard-export": {"table_code": "summary"},
    "site-dashboard-page": {"page_code": "agreement"},
    "site-dashboard-export": {"table_code": "summary"},
    "image-tile": {"level": 0, "row": 0, "column": 0},
}
RECORDS_OF_A_SITE = {
    "programme-manager-remove": ("user_id",),
    "programme-invitation-cancel": ("invitation_id",),
    "site-staff-member": ("user_id",),
    "site-invitation-cancel": ("invitation_id",),
}


def noun_of(address_name: str) -> str:
    return address_name.split("-", maxsplit=1)[0]


def address_of(name: str, ids: dict[str, Any]) -> str:
    noun = noun_of(name)
    is_of_record = noun in ids and name not in WITHOUT_RECORD
    values: dict[str, Any] = {f"{noun}_id": ids[noun]} if is_of_record else {}
    if name.startswith("teaching-") and not name.startswith("teaching-sets"):
        key = f"{name.split('-')[1]}_id"
        values = {key: ids[key]}
    if noun == "letter":
        values = {"batch_id": ids["letter"]}
    if name in {"exam-absent", "exam-not-photographed", "exam-unobtainable"}:
        values["laterality"] = "OS"
    values |= MORE_VALUES.get(name, {})
    values |= {key: ids[key] for key in RECORDS_OF_A_SITE.get(name, ())}
    return reverse(f"screening:{name}", kwargs=values)


def session_of(user: User) -> str:
    client = Client()
    client.force_login(user)
    return client.cookies["sessionid"].value


@pytest.mark.parametrize("noun", sorted({noun_of(row[0]) for row in TABLE}))
def test_each_role_gets_the_status_of_the_table(noun: str, ids: dict[str, Any], request: pytest.FixtureRequest) -> None:
    sessions = {who: session_of(request.getfixturevalue(who)) for who in CAST if who != "anonymous"}
    expected, actual = {}, {}
    for name, method, statuses in TABLE:
        if noun_of(name) != noun:
            continue
        data = {"laterality": "OS", "reason": "because", "format": "csv"} if method == "post" else {}
        for who, status in zip(CAST, statuses, strict=True):
            client = Client()
            with rolled_back():
                if who in sessions:
                    client.cookies["sessionid"] = sessions[who]
                response = getattr(client, method)(address_of(name, ids), data)
            expected[method, name, who], actual[method, name, who] = status, response.status_code
            if who == "anonymous":
                assert response["Location"].startswith("/login/?next=")
    assert actual == expected


def test_the_table_has_every_page() -> None:
    public = {"login", "logout", "language", "document-check", "invitation", "invitation-account"}
    assert {row[0] for row in TABLE} | public == {pattern.name for pattern in urlpatterns}


def test_a_superuser_without_a_membership_sees_no_patient(ids: dict[str, Any], client: Client) -> None:
    client.force_login(User.objects.create_superuser("root"))
    assert client.get(address_of("patient-detail", ids)).status_code == 404


@pytest.mark.parametrize(
    ("method", "name", "data"),
    [
        ("get", "worklist", {}),
        ("get", "patient-list", {}),
        ("post", "patient-list", {"text": "HID"}),
        ("post", "worklist", {"text": "HID"}),
    ],
)
def test_lists_and_searches_exclude_other_sites(
    method: str, name: str, data: dict[str, str], site: Site, outsider: User, client: Client
) -> None:
    ExamFactory(patient=PatientFactory(site=site, family_name="Hidden", mrn="HID-1"), is_submitted=True)
    client.force_login(outsider)
    text = text_of(getattr(client, method)(url(name), data))
    assert "Hidden" not in text
    assert "HID-1" not in text


def test_the_browser_does_not_store_a_page_with_a_patient(ids: dict[str, Any], as_reviewer: Client) -> None:
    assert "no-store" in as_reviewer.get(address_of("patient-detail", ids))["Cache-Control"]


def test_without_a_login_htmx_is_redirected_and_a_script_gets_401(ids: dict[str, Any], client: Client) -> None:
    page = f"http://testserver{address_of('exam-detail', ids)}"
    response = client.get(address_of("exam-status", ids), headers=HTMX | {"HX-Current-URL": page})
    assert response["HX-Redirect"].startswith("/login/?next=%2Fexams%2F")
    response = client.post(address_of("exam-images", ids), headers=JSON)
    assert (response.status_code, response.json()["code"]) == (401, "logged_out")


def test_a_refusal_has_a_reason(ids: dict[str, Any], as_reviewer: Client) -> None:
    assert as_reviewer.get(url("exam-detail", uuid.uuid4())).status_code == 404
    for name in ("exam-submit", "image-withdraw"):
        response = as_reviewer.post(address_of(name, ids), {"reason": ""})
        assert response.status_code == 403
        assert "Your role at this site does not allow this" in text_of(response)
