"""Hand-over of exams with photographs that are missing or cannot be obtained."""

import pytest

from screening.models import Exam, Site, User
from tests.screening.api.client import ApiClient, assert_is_error
from tests.screening.factories import ExamFactory, FundusImageFactory, GradingFactory
from tests.screening.readings import read_eye


@pytest.fixture
def exam(site: Site) -> Exam:
    exam = ExamFactory(patient__site=site)
    for eye in ("OD", "OS"):
        FundusImageFactory(exam=exam, laterality=eye)
    return exam


def test_a_missing_field_is_a_question(client: ApiClient, exam: Exam) -> None:
    Site.objects.filter(pk=exam.site_id).update(requires_optic_disc=True)
    response = client.post(f"exams/{exam.pk}/submit")
    assert_is_error(response, 409, "fields_missing")
    assert response.body["confirm"] == ["fields_missing"]
    assert_is_error(client.post(f"exams/{exam.pk}/submit", {"confirm": ["all"]}), 400, "invalid")
    body = client.post(f"exams/{exam.pk}/submit", {"confirm": ["fields_missing"]}).body
    assert body["status"] == "submitted"


def test_an_eye_is_recorded_as_not_obtainable(client: ApiClient, exam: Exam) -> None:
    path, body = f"exams/{exam.pk}/unobtainable", {"laterality": "OS", "code": "other"}
    assert_is_error(client.post(path, {**body, "reason": "Nystagmus"}), 409, "exam_conflict")
    exam.images.filter(laterality="OS").delete()
    for _ in range(3):
        GradingFactory(image=FundusImageFactory(exam=exam, laterality="OS"), is_ungradable=True)
    assert_is_error(client.post(path, body), 409, "exam_conflict")
    eye = client.post(path, {**body, "reason": "Nystagmus"}).body["eyes"][1]
    assert (eye["unobtainable"], eye["unobtainable_text"], eye["absent_reason"]) == ("other", "Nystagmus", "")
    assert client.post(path, {"laterality": "OS", "code": ""}).body["eyes"][1]["unobtainable"] == ""


def test_a_photograph_has_its_pupil(client: ApiClient, exam: Exam) -> None:
    sent = client.send(f"exams/{exam.pk}/images", laterality="OD", pupil="undilated")
    assert (sent.status, sent.body["pupil"]) == (201, "undilated")
    assert_is_error(client.send(f"exams/{exam.pk}/images", laterality="OD", pupil="wide"), 400, "invalid")


def test_an_exam_is_taken_back_and_returned(client: ApiClient, reviewer: User, site: Site) -> None:
    exam = ExamFactory(patient__site=site, is_submitted=True)
    for eye in ("OD", "OS"):
        FundusImageFactory(exam=exam, laterality=eye)
    assert client.post(f"exams/{exam.pk}/take-back").body["status"] == "open"
    assert client.post(f"exams/{exam.pk}/submit").body["status"] == "submitted"
    read_eye(exam=exam, laterality="OD", grade=3, by=reviewer)
    assert_is_error(client.post(f"exams/{exam.pk}/take-back"), 409, "already_read")
    desk = ApiClient(reviewer)
    assert_is_error(desk.post(f"exams/{exam.pk}/return", {"reason": " "}), 400, "invalid")
    body = desk.post(f"exams/{exam.pk}/return", {"reason": "Left eye out of focus"}).body
    assert (body["status"], body["returned_reason"]) == ("returned", "Left eye out of focus")
    assert_is_error(desk.post(f"exams/{exam.pk}/return", {"reason": "Again"}), 409, "exam_conflict")


def test_an_eye_is_recorded_as_not_photographed(client: ApiClient, site: Site) -> None:
    exam = ExamFactory(patient__site=site)
    FundusImageFactory(exam=exam, laterality="OD")
    assert_is_error(client.post(f"exams/{exam.pk}/submit"), 409, "eye_not_photographed")
    path, reason = f"exams/{exam.pk}/not-photographed", {"reason": "eye kept shut"}
    assert_is_error(client.post(path, {"laterality": "OD", **reason}), 409, "exam_conflict")
    body = client.post(path, {"laterality": "OS", **reason}).body
    assert body["eyes"][1]["not_photographed_reason"] == "eye kept shut"
    assert client.post(f"exams/{exam.pk}/submit").body["status"] == "submitted"
