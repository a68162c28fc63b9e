"""Eyes that no one has seen, due dates that moved, and records of the wrong patient, by page and API."""

import datetime
from typing import Any

import pytest
from django.test import Client

from screening.models import Exam, Membership, Patient, Review, Site, User
from screening.selectors import due_on, get_patient, list_exams
from tests.cases.conftest import Record
from tests.screening.api.client import ApiClient
from tests.screening.factories import (
    ExamFactory,
    FundusImageFactory,
    GradingFactory,
    MembershipFactory,
    PatientFactory,
    UserFactory,
)

READING = {"OD-verdict": "0", "OD-macular_oedema": "none", "OS-verdict": "0", "OS-macular_oedema": "none"}
DAY = datetime.date(2026, 3, 31)


@pytest.fixture
def everyone(site: Site) -> User:
    """A user with every role at the site."""
    user = UserFactory(username="everyone")
    for role in Membership.Role:
        MembershipFactory(user=user, site=site, role=role)
    return user


@pytest.fixture
def api(everyone: User) -> ApiClient:
    return ApiClient(everyone)


@pytest.fixture
def desk(client: Client, everyone: User) -> Client:
    client.force_login(everyone)
    return client


@pytest.fixture
def exam(site: Site) -> Exam:
    """Submitted, with a healthy photograph of each eye."""
    exam: Exam = ExamFactory(patient__site=site, is_submitted=True)
    for eye in ("OD", "OS"):
        image = FundusImageFactory(exam=exam, laterality=eye, captured_on=DAY, captured_on_source="exif")
        GradingFactory(image=image, is_done=True, grade=0)
    return exam


def sign(desk: Client, exam: Exam, **changes: str) -> Any:
    return desk.post(f"/exams/{exam.pk}/sign/", READING | changes)


def move_body(patient: Patient) -> dict[str, str]:
    return {"patient": str(patient.pk), "reason": "Two lists were mixed up"}


LOSSES = {
    "moved to the other eye": ("laterality", {"laterality": "OD"}),
    "withdrawn, wrong patient": ("withdraw", {"code": "wrong_patient"}),
    "withdrawn, poor quality": ("withdraw", {"code": "poor_quality"}),
    "withdrawn, in words": ("withdraw", {"code": "other", "reason": "Test shot"}),
}


@pytest.mark.parametrize("loss", LOSSES)
def test_an_eye_that_loses_its_photograph_after_submission(
    loss: str, exam: Exam, desk: Client, record_case: Record
) -> None:
    step, data = LOSSES[loss]
    desk.post(f"/images/{exam.images.get(laterality='OS').pk}/{step}/", data)
    exam.refresh_from_db()
    assert (exam.status, exam.returned_reason) == (
        Exam.Status.RETURNED,
        "The left eye (OS) has no photograph any more.",
    )
    sign(desk, exam)
    assert not Review.objects.exists()
    desk.post(f"/exams/{exam.pk}/eyes/OS/not-photographed/", {"reason": "Patient has left"})
    desk.post(f"/exams/{exam.pk}/submit/")
    for verdict in ("0", "4", "U", ""):
        assert sign(desk, exam, **{"OS-verdict": verdict}).status_code == 422
    sign(desk, exam, **{"OS-verdict": "N"})
    assert Review.objects.get().outcome == "repeat_imaging"
    record_case(f"left eye {loss}", "goes back to the photographer; signed as not photographed: repeat imaging")


@pytest.mark.parametrize(
    ("timezone", "captured_on", "uploaded_at", "due"),
    [
        ("UTC", DAY, "2026-06-01T10:00:00Z", "2027-03-31"),
        ("UTC", None, "2026-06-01T10:00:00Z", "2027-06-01"),
        ("Pacific/Auckland", None, "2026-06-30T22:00:00Z", "2027-07-01"),
        ("America/Los_Angeles", None, "2026-07-01T02:00:00Z", "2027-06-30"),
        ("UTC", datetime.date(2024, 2, 29), "2026-06-01T10:00:00Z", "2025-02-28"),
    ],
)
def test_the_due_date_counts_from_the_photographs(
    timezone: str,
    captured_on: datetime.date | None,
    uploaded_at: str,
    due: str,
    exam: Exam,
    desk: Client,
    record_case: Record,
) -> None:
    Site.objects.update(timezone=timezone)
    source = "exif" if captured_on else ""
    exam.images.update(captured_on=captured_on, captured_on_source=source, created_at=uploaded_at)
    sign(desk, exam)
    signed = Review.objects.get()
    exam.images.update(captured_on="2020-01-01", captured_on_source="client")
    sign(desk, exam, amend_reason="A word in the note", note="Cataract")
    amended = Review.objects.get(amends=signed)
    assert (str(signed.recall_on), str(amended.recall_on)) == (due, due)
    record_case(f"photographed {captured_on or uploaded_at}, {timezone}", f"due {due}, also after an amendment")


@pytest.mark.parametrize("what", ["exam", "photograph"])
def test_the_wrong_patient_is_found_out_after_the_signature(
    what: str, exam: Exam, desk: Client, api: ApiClient, everyone: User, record_case: Record
) -> None:
    right: Patient = PatientFactory(site=exam.site)
    sign(desk, exam)
    path = f"exams/{exam.pk}" if what == "exam" else f"images/{exam.images.get(laterality='OS').pk}"
    assert api.post(f"{path}/move", move_body(right)).status == 200
    assert not any(one.current_reviews for one in list_exams(user=everyone))  # type: ignore[attr-defined]
    for patient in (exam.patient, right):
        history = desk.get(f"/patients/{patient.pk}/").content.decode()
        assert "Two lists were mixed up" in history
        assert "due now: there is no valid result." in history
    assert "<del" in desk.get(f"/exams/{exam.pk}/").content.decode()
    record_case(f"signed {what} of the wrong patient", "moved; the result is struck through and counts for no one")


def test_a_result_entered_in_error(
    exam: Exam, desk: Client, api: ApiClient, everyone: User, record_case: Record
) -> None:
    sign(desk, exam)
    later: Exam = ExamFactory(patient=exam.patient, is_submitted=True)
    for eye in ("OD", "OS"):
        FundusImageFactory(exam=later, laterality=eye, captured_on="2026-06-30", captured_on_source="exif")
    sign(desk, later, **{"OS-verdict": "2"})
    wrong = Review.objects.get(exam=later)
    api.post(f"reviews/{wrong.pk}/entered-in-error", {"reason": "Signed for the next patient"})
    due = due_on(get_patient(user=everyone, patient_id=exam.patient_id))
    assert str(due) == "2027-03-31"
    assert [one["id"] for one in api.get("exams", status="signed").body["results"]] == [str(exam.pk)]
    assert api.get(f"reviews/{wrong.pk}").body["status"] == "entered-in-error"
    record_case("result entered in error", f"kept; due {due} by the last valid result")


def test_two_records_of_one_person(exam: Exam, desk: Client, api: ApiClient, record_case: Record) -> None:
    right: Patient = PatientFactory(site=exam.site)
    own = ExamFactory(patient=right)
    api.post(f"patients/{exam.patient_id}/merge", {"into": str(right.pk), "reason": "Registered twice"})
    assert set(Exam.objects.filter(patient=right)) == {exam, own}
    api.post(f"patients/{exam.patient_id}/unmerge", {"reason": "Two people"})
    assert (Exam.objects.get(patient=right), Exam.objects.get(patient=exam.patient)) == (own, exam)
    record_case("two records merged and parted", "each has what it had")


@pytest.mark.parametrize("reader_began", [False, True])
def test_the_photographer_takes_an_exam_back(
    reader_began: bool, exam: Exam, api: ApiClient, desk: Client, record_case: Record
) -> None:
    Site.objects.update(reading_mode=Site.ReadingMode.BLIND_FIRST)
    if reader_began:
        desk.post(f"/exams/{exam.pk}/first-reading/", READING)
    answer = api.post(f"exams/{exam.pk}/take-back")
    assert answer.status == (409 if reader_began else 200)
    verdict = answer.body["message"] if reader_began else "open again"
    record_case(f"taken back, {'being read' if reader_began else 'not read'}", verdict)
    if reader_began:
        returned = api.post(f"exams/{exam.pk}/return", {"reason": "Left eye out of focus"})
        assert returned.body["status"] == "returned"
        assert "Left eye out of focus" in desk.get("/?state=open").content.decode()
