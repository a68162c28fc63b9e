"""Photographs of the API: the response to an upload, and who may send one."""

import pytest

from screening.models import Exam, Membership, Site, User
from screening.photos import validation
from tests.builders import photo_bytes
from tests.screening.api.client import ApiClient, assert_is_error
from tests.screening.factories import ExamFactory, MembershipFactory

Role = Membership.Role


@pytest.fixture
def exam(site: Site) -> Exam:
    return ExamFactory(patient__site=site)


@pytest.mark.parametrize("reading_mode", Site.ReadingMode.values)
@pytest.mark.parametrize("is_reviewer", [False, True])
def test_the_response_to_an_upload_is_the_record(
    reading_mode: str, is_reviewer: bool, client: ApiClient, exam: Exam, photographer: User
) -> None:
    Site.objects.filter(pk=exam.site_id).update(reading_mode=reading_mode)
    if is_reviewer:
        MembershipFactory(user=photographer, site=exam.site, role=Role.REVIEWER)
    sent = client.send(f"exams/{exam.pk}/images", photo_bytes(), laterality="OD", pupil="dilated")
    assert (sent.status, sent.body["grading"]["status"]) == (201, "queued")
    assert sent.body["grading"]["is_revealed"] == (reading_mode != Site.ReadingMode.BLIND_FIRST)
    assert sent.body["grading"]["published_at"]
    assert sent.body == client.get(f"images/{sent.body['id']}").body


def test_a_photographer_of_another_site_is_refused_before_the_photograph_is_decoded(
    exam: Exam, other_site: Site, reviewer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    MembershipFactory(user=reviewer, site=other_site, role=Role.PHOTOGRAPHER)
    monkeypatch.setattr(validation, "validate", lambda _data: pytest.fail("it was decoded"))
    refused = ApiClient(reviewer).send(f"exams/{exam.pk}/images", photo_bytes(), laterality="OD")
    assert_is_error(refused, 403, "forbidden")
