"""Locks of exams by the API: who reads an exam, taking, taking over, releasing."""

import pytest

from screening.models import Exam, ExamLock, Site, User
from tests.screening.api.client import V1, ApiClient, assert_is_error
from tests.screening.factories import ExamFactory, MembershipFactory, UserFactory


@pytest.fixture
def exam(site: Site) -> Exam:
    return ExamFactory(patient__site=site, is_submitted=True)


@pytest.fixture
def colleague(site: Site) -> User:
    user = UserFactory(username="second.reader", first_name="Ruth", last_name="Reed")
    return MembershipFactory(site=site, role="reviewer", user=user).user


def test_an_exam_names_its_reader_in_the_record_and_in_the_list(
    exam: Exam, photographer: User, colleague: User
) -> None:
    client = ApiClient(photographer)
    assert client.get(f"exams/{exam.pk}").body["lock"] is None
    ApiClient(colleague).post(f"exams/{exam.pk}/lock", {})
    stored = ExamLock.objects.get()
    for body in (client.get(f"exams/{exam.pk}").body, client.get("exams", status="submitted").body["results"][0]):
        lock = body["lock"]
        assert (lock["holder"], lock["holder_id"]) == ("Ruth Reed", str(colleague.pk))
        assert lock["expires_at"] == stored.expires_at.isoformat().replace("+00:00", "Z")
    Exam.objects.update(status=Exam.Status.SIGNED)
    assert client.get(f"exams/{exam.pk}").body["lock"] is None


def test_a_reader_is_warned_takes_over_and_releases(exam: Exam, reviewer: User, colleague: User) -> None:
    path, client = f"exams/{exam.pk}/lock", ApiClient(reviewer)
    ApiClient(colleague).post(path, {})
    refused = client.post(path, {})
    assert_is_error(refused, 409, "exam_locked")
    assert refused.body["lock"]["holder"] == "Ruth Reed"
    assert_is_error(client.post(path, {"take_over_from": str(reviewer.pk)}), 409, "exam_locked")
    taken = client.post(path, {"take_over_from": refused.body["lock"]["holder_id"]})
    assert (taken.status, taken.body["lock"]["holder"]) == (200, "reviewer")
    assert_is_error(ApiClient(colleague).post("exams/next", None), 409, "no_free_exam")
    for _ in range(2):
        assert client.client.delete(V1 + path).status_code == 204
    assert not ExamLock.objects.exists()
    assert ApiClient(colleague).post("exams/next", None).body["id"] == str(exam.pk)
