"""Questions about a photograph that the API asks before it stores it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from screening.models import Exam, FundusImage, Site
from tests.copies import SAME_PICTURE, eye_file, synthetic_photo
from tests.screening.api.client import ApiClient, assert_is_error
from tests.screening.factories import ExamFactory, PatientFactory

ANSWERED = ["other_patient", "capture_date_old"]


@pytest.fixture
def exam(site: Site) -> Exam:
    return ExamFactory(patient__site=site)


def test_a_picture_of_another_patient_is_stored_only_with_confirm_and_reason(client: ApiClient, exam: Exam) -> None:
    first = client.send(f"exams/{exam.pk}/images", eye_file(), laterality="OD").body
    other = ExamFactory(patient=PatientFactory(site=exam.site, family_name="Hopper"))
    copy = SAME_PICTURE["mirrored"](synthetic_photo())
    question = client.send(f"exams/{other.pk}/images", copy, laterality="OD")
    assert_is_error(question, 409, "other_patient")
    assert (question.body["confirm"], question.body["existing_id"]) == (["other_patient"], first["id"])
    assert "Byron" not in str(question.body)
    without = client.send(f"exams/{other.pk}/images", copy, laterality="OD", confirm="other_patient")
    assert_is_error(without, 400, "invalid")
    assert set(without.body["fields"]) == {"reason"}
    reason = "Registered twice"
    stored = client.send(
        f"exams/{other.pk}/images", copy, laterality="OD", confirm=question.body["confirm"], reason=reason
    )
    assert (stored.status, stored.body["copy_reason"]) == (201, reason)


def test_a_mirrored_copy_for_the_other_eye_is_409(client: ApiClient, exam: Exam) -> None:
    first = client.send(f"exams/{exam.pk}/images", eye_file(), laterality="OD").body
    again = client.send(f"exams/{exam.pk}/images", SAME_PICTURE["mirrored"](synthetic_photo()), laterality="OS")
    assert_is_error(again, 409, "other_eye")
    assert again.body["existing_id"] == first["id"]
    assert FundusImage.objects.count() == 1


def test_the_date_of_a_photograph_is_stored_or_questioned(client: ApiClient, exam: Exam) -> None:
    path, today = f"exams/{exam.pk}/images", timezone.localdate()
    old = client.send(path, laterality="OD", captured_on="2015-04-01")
    assert_is_error(old, 409, "capture_date_old")
    assert old.body["confirm"] == ["capture_date_old"]
    future = client.send(path, laterality="OD", captured_on=str(today + timedelta(days=400)))
    assert_is_error(future, 409, "capture_date_future")
    assert "confirm" not in future.body
    assert_is_error(client.send(path, laterality="OD", captured_on="last week"), 400, "invalid")
    assert_is_error(client.send(path, laterality="OD", confirm="anything"), 400, "invalid")
    stored = client.send(path, laterality="OD", captured_on="2015-04-01", confirm=ANSWERED, reason="x")
    assert (stored.body["captured_on"], stored.body["captured_on_source"]) == ("2015-04-01", "client")
