"""The eye that a photograph shows: stored with its grading, suggested before an upload, compared with the record."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from ml.vocabulary import Laterality
from screening import tasks
from screening.models import AuditEvent, Exam, FundusImage, Grading, Site, User
from screening.services.images import change_laterality
from tests.builders import FakeGrader, make_prediction, photo_bytes
from tests.screening.api.client import ApiClient, assert_is_error
from tests.screening.factories import ExamFactory, FundusImageFactory, GradingFactory, MembershipFactory
from tests.screening.views.pages import page_text, text_of, url

WARNING = "Check the eye."
NOT_FROM_FILE = {"is_from_file": False, "field_suggested": ""}
SHOWS_LEFT = {"is_done": True, "laterality_suggested": "OS", "laterality_confidence": 0.97}


@pytest.fixture
def exam(site: Site) -> Exam:
    return ExamFactory(patient__site=site)


@pytest.fixture
def grading(exam: Exam) -> Grading:
    """Of a photograph that is recorded for the right eye and shows the left one."""
    return GradingFactory(image=FundusImageFactory(exam=exam, laterality="OD"), **SHOWS_LEFT)


def suggest(user: User | None, exam: Exam, data: bytes | None = None) -> Any:
    return ApiClient(user).send(f"exams/{exam.pk}/suggest-eye", data)


@pytest.mark.parametrize(
    ("laterality", "stored"), [(Laterality.LEFT, ("OS", 0.93)), (None, ("", 0.93))], ids=["clear", "not clear"]
)
def test_a_grading_stores_the_eye(
    exam: Exam, fake_grader: FakeGrader, laterality: Laterality | None, stored: tuple[str, float]
) -> None:
    fake_grader.prediction = make_prediction(1, laterality=laterality, laterality_confidence=0.93)
    image = FundusImageFactory(exam=exam)
    grading = GradingFactory(image=image)
    tasks.grade_next()
    grading.refresh_from_db()
    assert (grading.laterality_suggested, grading.laterality_confidence) == stored


@pytest.mark.parametrize(
    ("suggested", "field", "is_conflict"),
    [("OS", "macula", True), ("OD", "macula", False), ("", "macula", False), ("OS", "disc", False)],
)
def test_there_is_a_conflict_if_a_macula_centred_photograph_shows_the_other_eye(
    exam: Exam, suggested: str, field: str, is_conflict: bool
) -> None:
    image = FundusImageFactory(exam=exam, laterality="OD", field=field)
    grading = GradingFactory(image=image, is_done=True, laterality_suggested=suggested)
    assert grading.has_laterality_conflict is is_conflict


def test_the_api_reports_the_eye_and_the_conflict_until_a_person_decides(
    exam: Exam, grading: Grading, photographer: User
) -> None:
    client = ApiClient(photographer)
    body = client.get(f"gradings/{grading.pk}").body
    assert (body["laterality_suggested"], body["laterality_confidence"]) == ("OS", 0.97)
    assert body["laterality_conflict"] is True
    assert FundusImage.objects.get().laterality == "OD"  # nothing is moved by itself
    (of_exam,) = client.get(f"exams/{exam.pk}").body["eyes"][0]["images"]
    nested = [client.get(f"images/{grading.image_id}").body, of_exam]
    assert [one["grading"]["laterality_conflict"] for one in nested] == [True, True]
    change_laterality(image=grading.image, laterality="OS", by=photographer)
    body = client.get(f"gradings/{grading.pk}").body
    assert (body["laterality_suggested"], body["laterality_conflict"]) == ("OS", False)


def test_a_photograph_without_a_clear_eye_has_no_suggestion_and_no_conflict(exam: Exam, photographer: User) -> None:
    grading = GradingFactory(image=FundusImageFactory(exam=exam))
    body = ApiClient(photographer).get(f"gradings/{grading.pk}").body
    assert (body["laterality_suggested"], body["laterality_conflict"]) == (None, False)


def test_a_prediction_reports_the_eye(photographer: User, fake_grader: FakeGrader) -> None:
    fake_grader.prediction = make_prediction(1, laterality=Laterality.RIGHT, laterality_confidence=0.99)
    body = ApiClient(photographer).send("predict").body
    assert (body["laterality_suggested"], body["laterality_confidence"]) == ("OD", 0.99)


def test_the_page_of_one_photograph_shows_the_eye(as_photographer: Client, fake_grader: FakeGrader) -> None:
    fake_grader.prediction = make_prediction(1, laterality=Laterality.LEFT, laterality_confidence=0.96)
    photo = SimpleUploadedFile("eye.jpg", photo_bytes())
    page = text_of(as_photographer.post(url("predict"), {"photo": photo}))
    assert "The photograph looks like" in page
    assert "Left eye (96 %)" in page


def test_a_suggestion_stores_an_event_and_nothing_else(exam: Exam, photographer: User, fake_grader: FakeGrader) -> None:
    fake_grader.prediction = make_prediction(4, laterality=Laterality.LEFT, laterality_confidence=0.98)
    response = suggest(photographer, exam, photo_bytes(comment=b"Byron"))
    recognised = {"laterality_suggested": "OS", "laterality_confidence": 0.98}
    assert (response.status, response.body) == (200, recognised | NOT_FROM_FILE)
    assert b"Byron" not in fake_grader.photos[0]
    event = AuditEvent.objects.get(verb=AuditEvent.Verb.EYE_SUGGESTED)
    assert (event.actor, event.site, event.object_id) == (photographer, exam.site, str(exam.pk))
    assert event.data == {"model_version": fake_grader.bundle.model_version, "laterality": "OS"}
    assert not FundusImage.objects.exists()
    assert not Grading.objects.exists()


def test_an_unclear_photograph_has_no_suggestion(exam: Exam, photographer: User, fake_grader: FakeGrader) -> None:
    fake_grader.prediction = make_prediction(None)
    response = suggest(photographer, exam)
    assert response.body == {"laterality_suggested": None, "laterality_confidence": None} | NOT_FROM_FILE


def test_a_file_that_is_no_photograph_is_refused(exam: Exam, photographer: User) -> None:
    response = suggest(photographer, exam, b"hello, I am a text")
    assert response.status == 400
    assert "not a photograph" in response.body["message"]
    assert not AuditEvent.objects.filter(verb=AuditEvent.Verb.EYE_SUGGESTED).exists()


def test_a_photographer_elsewhere_who_is_a_reviewer_here_may_not_use_it(exam: Exam, outsider: User) -> None:
    assert_is_error(suggest(outsider, exam), 404, "not_found")
    MembershipFactory(user=outsider, site=exam.site, role="reviewer")
    assert_is_error(suggest(outsider, exam), 403, "forbidden")


def test_suggestions_are_throttled_as_photographs_are(
    exam: Exam, photographer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    from screening.throttling import KeyThrottle  # NB: DRF loads this file while its own views are loading

    monkeypatch.setattr(KeyThrottle, "THROTTLE_RATES", {"data": "600/min", "photos": "1/min"})
    client = ApiClient(photographer)
    statuses = [client.send(f"exams/{exam.pk}/suggest-eye").status for _ in range(2)]
    assert statuses == [200, 429]


@pytest.fixture
def as_photographer(client: Client, photographer: User) -> Client:
    client.force_login(photographer)
    return client


def test_the_capture_page_shows_the_conflict_with_the_way_to_change_the_eye(
    as_photographer: Client, exam: Exam, grading: Grading
) -> None:
    page = page_text(as_photographer, "exam-detail", exam.pk)
    assert WARNING in page
    assert "Recorded as: Right eye (OD). The photograph looks like: Left eye (OS) (97 %)." in page
    assert "Change the eye to: Left eye (OS)" in page
    GradingFactory(image=FundusImageFactory(exam=exam, laterality="OS"), is_done=True)
    assert "a photograph looks like the other eye. Check it." in page_text(as_photographer, "exam-detail", exam.pk)
    live = page_text(as_photographer, "exam-status", exam.pk)
    assert "Check the eye: the photograph looks like the other eye." in live
    as_photographer.post(url("image-laterality", grading.image_id), {"laterality": "OS"})
    assert WARNING not in page_text(as_photographer, "exam-detail", exam.pk)


def test_the_review_page_shows_the_conflict_before_the_first_reading_too(
    client: Client, reviewer: User, exam: Exam, grading: Grading
) -> None:
    exam.site.reading_mode = Site.ReadingMode.BLIND_FIRST
    exam.site.save()
    Exam.objects.update(status=Exam.Status.SUBMITTED, submitted_at=exam.created_at, due_at=exam.created_at)
    client.force_login(reviewer)
    page = page_text(client, "exam-review", exam.pk)
    assert WARNING in page
    assert "Open the exam, where a photographer can change the eye" in page
    assert url("image-laterality", grading.image_id) not in page  # a reviewer may not change the eye


@pytest.mark.parametrize("suggested", ["OD", ""])
def test_there_is_no_warning_without_a_conflict(as_photographer: Client, exam: Exam, suggested: str) -> None:
    image = FundusImageFactory(exam=exam, laterality="OD")
    GradingFactory(image=image, **SHOWS_LEFT | {"laterality_suggested": suggested})
    assert WARNING not in page_text(as_photographer, "exam-detail", exam.pk)
