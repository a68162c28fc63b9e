"""Corrections by the API: cancelling, moving, withdrawing, merging, retracting, changing details."""

from typing import Any

import pytest

from screening.models import AuditEvent, Exam, Patient, Site, User
from screening.services.recalls import update_recall
from tests.screening.api.client import ApiClient, assert_is_error
from tests.screening.factories import (
    ExamFactory,
    EyeFindingFactory,
    FundusImageFactory,
    GradingFactory,
    PatientFactory,
    ReviewFactory,
)

WHY = "Wrong name on the list"


@pytest.fixture
def chief(manager: User) -> ApiClient:
    return ApiClient(manager)


@pytest.fixture
def exam(site: Site) -> Exam:
    """A signed exam of both eyes."""
    exam = ExamFactory(patient__site=site, is_submitted=True, status=Exam.Status.SIGNED)
    review = ReviewFactory(exam=exam, recall_on="2030-01-02")
    for eye in ("OD", "OS"):
        GradingFactory(image=FundusImageFactory(exam=exam, laterality=eye), is_done=True, grade=0)
        EyeFindingFactory(review=review, laterality=eye)
    return exam


@pytest.fixture
def right(site: Site) -> Patient:
    return PatientFactory(site=site)


def move_to(patient: Patient) -> dict[str, Any]:
    return {"patient": str(patient.pk), "reason": WHY}


def test_a_moved_exam_leaves_the_feed_of_results(exam: Exam, right: Patient, chief: ApiClient) -> None:
    review = exam.reviews.get()
    assert [one["id"] for one in chief.get("exams", status="signed").body["results"]] == [str(exam.pk)]
    body = chief.post(f"exams/{exam.pk}/move", move_to(right)).body
    assert (body["patient"], body["status"], body["review"]) == (str(right.pk), "submitted", None)
    assert chief.get("exams", status="signed").body["results"] == []
    signed = chief.get(f"reviews/{review.pk}").body
    assert (signed["status"], signed["status_reason"]) == ("entered-in-error", WHY)


def test_a_moved_photograph_has_its_new_exam(exam: Exam, right: Patient, chief: ApiClient) -> None:
    image = exam.images.get(laterality="OD")
    body = chief.post(f"images/{image.pk}/move", move_to(right)).body
    assert chief.get(f"exams/{body['exam']}").body["patient"] == str(right.pk)
    left = chief.get(f"exams/{exam.pk}").body
    assert (left["status"], left["returned_reason"]) == ("returned", "The right eye (OD) has no photograph any more.")


def test_a_result_in_error_falls_back(exam: Exam, chief: ApiClient) -> None:
    review, patient = exam.reviews.get(), f"patients/{exam.patient_id}"
    update_recall(exam.patient_id)
    assert chief.get(patient).body["due_on"] == "2030-01-02"
    assert_is_error(chief.post(f"reviews/{review.pk}/entered-in-error", {}), 400, "invalid")
    body = chief.post(f"reviews/{review.pk}/entered-in-error", {"reason": WHY}).body
    assert (body["status"], body["status_reason"], body["outcome"]) == ("entered-in-error", WHY, "rescreen")
    again = chief.post(f"reviews/{review.pk}/entered-in-error", {"reason": WHY})
    assert_is_error(again, 409, "correction_refused")
    assert chief.get(patient).body["due_on"] != "2030-01-02"


def test_a_photograph_is_withdrawn_after_submission(exam: Exam, client: ApiClient, chief: ApiClient) -> None:
    image = exam.images.get(laterality="OD")
    path = f"images/{image.pk}/withdraw"
    assert_is_error(client.post(path, {"code": "wrong_patient"}), 403, "forbidden")
    assert_is_error(chief.post(path, {"code": "other"}), 409, "exam_conflict")
    assert_is_error(chief.post(path, {"code": "ugly"}), 400, "invalid")
    body = chief.post(path, {"code": "wrong_patient"}).body
    assert body["withdrawn_code"] == "wrong_patient"
    assert chief.get(f"exams/{exam.pk}").body["status"] == "returned"


def test_a_cancelled_exam_is_listed_by_its_status_only(site: Site, client: ApiClient) -> None:
    exam = ExamFactory(patient__site=site)
    FundusImageFactory(exam=exam)
    body = client.post(f"exams/{exam.pk}/cancel", {"reason": "Patient left"}).body
    assert (body["status"], len(body["eyes"][0]["images"])) == ("cancelled", 1)
    assert client.get("exams").body["results"] == []
    assert [one["id"] for one in client.get("exams", status="cancelled").body["results"]] == [str(exam.pk)]
    assert_is_error(client.post(f"exams/{exam.pk}/cancel"), 409, "exam_conflict")


def test_patients_are_merged_and_parted(exam: Exam, right: Patient, chief: ApiClient) -> None:
    path = f"patients/{exam.patient_id}"
    body = chief.post(f"{path}/merge", {"into": str(right.pk), "reason": WHY}).body
    assert body["merged_into"] == str(right.pk)
    assert [one["id"] for one in chief.get("patients").body["results"]] == [str(right.pk)]
    found = chief.post("patients/search", {"mrn": exam.patient.mrn}).body["results"]
    assert [one["id"] for one in found] == [str(right.pk)]
    assert chief.get(f"exams/{exam.pk}").body["patient"] == str(right.pk)
    assert_is_error(chief.post(f"{path}/merge", {"into": str(right.pk), "reason": WHY}), 409, "correction_refused")
    assert_is_error(chief.post("exams", {"patient": str(exam.patient_id)}), 409, "exam_conflict")
    registered = {"mrn": exam.patient.mrn, "given_name": "Eve", "family_name": "New", "born_on": "1970-01-02"}
    refused = chief.post("patients", registered)
    assert_is_error(refused, 409, "patient_exists")
    assert refused.body["existing_id"] == str(right.pk)
    body = chief.post(f"{path}/unmerge", {"reason": "Two people"}).body
    assert (body["merged_into"], body["due_on"]) == (None, "2030-01-02")


def test_a_patient_of_another_site_is_not_found(exam: Exam, other_site: Site, outsider: User, chief: ApiClient) -> None:
    stranger = PatientFactory(site=other_site)
    image = exam.images.all()[0]
    for path in (f"exams/{exam.pk}/move", f"images/{image.pk}/move"):
        assert_is_error(chief.post(path, move_to(stranger)), 404, "not_found")
    merge = {"into": str(stranger.pk), "reason": WHY}
    assert_is_error(chief.post(f"patients/{exam.patient_id}/merge", merge), 404, "not_found")


def test_details_of_a_patient_are_changed(site: Site, client: ApiClient) -> None:
    patient = PatientFactory(site=site, mrn="000417")
    body = client.patch(f"patients/{patient.pk}", {"family_name": "Lovelace", "born_on": "1961"}).body
    assert (body["family_name"], body["given_name"], body["born_on"], body["mrn"]) == (
        "Lovelace",
        "Ada",
        "1961",
        "000417",
    )
    assert AuditEvent.objects.get(verb="patient.updated").data["fields"] == "family_name,born_on"
    other = PatientFactory(site=site, mrn="X-1")
    taken = client.patch(f"patients/{patient.pk}", {"mrn": "X-1"})
    assert_is_error(taken, 409, "patient_exists")
    assert taken.body["existing_id"] == str(other.pk)
    assert_is_error(client.patch(f"patients/{patient.pk}", {"site": "hill"}), 400, "invalid")
    assert_is_error(client.patch(f"patients/{patient.pk}", {"sex": "Q"}), 400, "invalid")
    assert client.patch(f"patients/{patient.pk}", {}).body["family_name"] == "Lovelace"
