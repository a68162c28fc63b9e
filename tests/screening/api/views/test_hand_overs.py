"""Hand-over of exams with photographs that are missing or cannot be obtained."""

import pytest

from screening.models import Exam, Site
from tests.screening.api.client import ApiClient, assert_is_error
from tests.screening.factories import ExamFactory, FundusImageFactory, GradingFactory


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
