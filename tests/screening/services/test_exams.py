"""A visit from its opening to the reviewer's desk, and how pages read it."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from django.http import Http404

from ml.vocabulary import Laterality
from screening.access import AccessDenied
from screening.models import AuditEvent, Exam, Patient, Site, User
from screening.selectors import get_exam, get_grading, get_image
from screening.services.exams import (
    ExamError,
    ExamNotOpen,
    EyeNotPhotographed,
    cancel_exam,
    mark_eye_absent,
    open_exam,
    submit_exam,
)
from screening.services.reviews import record_first_reading
from tests.screening.factories import (
    ExamFactory,
    EyeFindingFactory,
    FundusImageFactory,
    GradingFactory,
    PatientFactory,
    ReviewFactory,
)

Status = Exam.Status


@pytest.fixture
def exam(site: Site) -> Exam:
    return ExamFactory(patient__site=site)


def photograph(exam: Exam, *eyes: str) -> None:
    for eye in eyes:
        FundusImageFactory(exam=exam, laterality=eye)


def test_an_exam_is_opened_at_the_patients_site(site: Site, photographer: User) -> None:
    patient: Patient = PatientFactory(site=site)
    exam = open_exam(patient=patient, by=photographer)
    assert (exam.site, exam.patient, exam.status, exam.opened_by) == (site, patient, Status.OPEN, photographer)
    assert AuditEvent.objects.get().data == {"patient": str(patient.pk)}


@pytest.mark.parametrize("eyes", [("OD",), ("OS",), ()])
def test_an_exam_is_not_submitted_while_an_eye_is_missing(exam: Exam, photographer: User, eyes: tuple[str]) -> None:
    photograph(exam, *eyes)
    with pytest.raises(EyeNotPhotographed) as caught:
        submit_exam(exam=exam, by=photographer)
    assert caught.value.laterality is (Laterality.LEFT if "OD" in eyes else Laterality.RIGHT)
    exam.refresh_from_db()
    assert (exam.status, exam.submitted_at) == (Status.OPEN, None)


def test_a_withdrawn_photograph_does_not_count(exam: Exam, photographer: User) -> None:
    photograph(exam, "OD", "OS")
    exam.images.filter(laterality="OS").update(withdrawn_at=exam.created_at, withdrawn_reason="Blurred")
    with pytest.raises(EyeNotPhotographed):
        submit_exam(exam=exam, by=photographer)


def test_an_exam_with_both_eyes_is_submitted_once(exam: Exam, photographer: User) -> None:
    photograph(exam, "OD", "OS")
    submitted = submit_exam(exam=exam, by=photographer)
    assert submitted.status == Status.SUBMITTED
    assert submitted.submitted_at is not None
    with pytest.raises(ExamNotOpen):
        submit_exam(exam=exam, by=photographer)
    assert AuditEvent.objects.filter(verb="exam.submitted").count() == 1


def test_an_absent_eye_with_its_reason_takes_the_place_of_a_photograph(exam: Exam, photographer: User) -> None:
    photograph(exam, "OD")
    mark_eye_absent(exam=exam, laterality="OS", reason=" Prosthesis ", by=photographer)
    submitted = submit_exam(exam=exam, by=photographer)
    assert (submitted.left_eye_absent_reason, submitted.right_eye_absent_reason) == ("Prosthesis", "")
    event = AuditEvent.objects.get(verb="exam.eye_absent")
    assert event.data == {"laterality": "OS", "is_absent": True}


def test_two_absent_eyes_are_nothing_to_review(exam: Exam, photographer: User) -> None:
    for eye in ("OD", "OS"):
        mark_eye_absent(exam=exam, laterality=eye, reason="Prosthesis", by=photographer)
    with pytest.raises(ExamError, match="Cancel this exam"):
        submit_exam(exam=exam, by=photographer)


def test_an_empty_reason_takes_the_record_of_absence_back(exam: Exam, photographer: User) -> None:
    mark_eye_absent(exam=exam, laterality="OD", reason="Prosthesis", by=photographer)
    assert mark_eye_absent(exam=exam, laterality="OD", reason="", by=photographer).absent_reason("OD") == ""


def test_an_eye_with_photographs_is_not_absent(exam: Exam, photographer: User) -> None:
    photograph(exam, "OD")
    with pytest.raises(ExamError, match="has photographs"):
        mark_eye_absent(exam=exam, laterality="OD", reason="Prosthesis", by=photographer)
    with pytest.raises(ExamError, match="too long"):
        mark_eye_absent(exam=exam, laterality="OS", reason="x" * 201, by=photographer)


def test_a_signed_exam_cannot_be_cancelled(site: Site, photographer: User) -> None:
    exam = ExamFactory(patient__site=site, is_submitted=True, status=Status.REVIEWED)
    with pytest.raises(ExamError, match="already reviewed"):
        cancel_exam(exam=exam, by=photographer)


def test_a_cancelled_exam_keeps_its_photographs(exam: Exam, photographer: User) -> None:
    photograph(exam, "OD")
    assert cancel_exam(exam=exam, by=photographer).status == Status.CANCELLED
    assert exam.images.count() == 1


def test_a_reviewer_and_an_outsider_cannot_do_the_photographers_work(
    exam: Exam, reviewer: User, outsider: User
) -> None:
    photograph(exam, "OD", "OS")
    deeds: list[Callable[[User], Any]] = [
        lambda by: open_exam(patient=exam.patient, by=by),
        lambda by: submit_exam(exam=exam, by=by),
        lambda by: cancel_exam(exam=exam, by=by),
        lambda by: mark_eye_absent(exam=exam, laterality="OD", reason="x", by=by),
    ]
    for user, deed in itertools.product((reviewer, outsider), deeds):
        with pytest.raises(AccessDenied):
            deed(user)
    exam.refresh_from_db()
    assert exam.status == Status.OPEN


def test_an_exam_shows_each_eye_with_the_newest_grading(exam: Exam, photographer: User) -> None:
    image = FundusImageFactory(exam=exam, laterality="OS")
    GradingFactory(image=image, is_failed=True, model_version="old")
    newest = GradingFactory(image=image, is_done=True, grade=1)
    FundusImageFactory(exam=exam, withdrawn_at=exam.created_at, withdrawn_reason="Blurred")
    exam_detail = get_exam(user=photographer, exam_id=exam.pk)
    assert [eye.laterality for eye in exam_detail.eyes] == [Laterality.RIGHT, Laterality.LEFT]
    assert exam_detail.right.images == ()
    assert exam_detail.right.decisive_image is None
    assert [(row.image, row.grading) for row in exam_detail.left.images] == [(image, newest)]


def test_the_most_suspicious_gradable_photograph_leads_its_eye(exam: Exam, photographer: User) -> None:
    worst = GradingFactory(image__exam=exam, is_done=True, grade=3)
    GradingFactory(image__exam=exam, is_done=True, grade=0)
    GradingFactory(image__exam=exam, is_ungradable=True)
    decisive = get_exam(user=photographer, exam_id=exam.pk).right.decisive_image
    assert decisive is not None
    assert decisive.grading == worst


def test_an_exam_is_pending_while_a_grading_waits(exam: Exam, photographer: User) -> None:
    grading = GradingFactory(image__exam=exam)
    assert get_exam(user=photographer, exam_id=exam.pk).is_pending
    GradingFactory(image=grading.image, is_done=True, model_version="newer")
    assert not get_exam(user=photographer, exam_id=exam.pk).is_pending


@pytest.mark.parametrize("n_images", [1, 5])
def test_an_exam_costs_the_same_queries_however_many_photographs_it_has(
    exam: Exam, photographer: User, n_images: int, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    for _ in range(n_images):
        GradingFactory(image__exam=exam, is_done=True)
    EyeFindingFactory(review=ReviewFactory(exam=exam))
    with django_assert_max_num_queries(6):
        exam_detail = get_exam(user=photographer, exam_id=exam.pk)
        shown = (exam_detail.exam.patient.mrn, exam_detail.exam.site.name, exam_detail.exam.opened_by.username)
        grades = [row.grading.grade for row in exam_detail.right.images if row.grading is not None]
        assert exam_detail.review is not None
        signed = (
            exam_detail.review.reviewer.username,
            [finding.grade for finding in exam_detail.review.findings.all()],
        )
    assert all(shown)
    assert (grades, signed[1]) == ([2] * n_images, [0])


def test_rows_of_another_site_are_not_found(exam: Exam, outsider: User) -> None:
    grading = GradingFactory(image__exam=exam)
    with pytest.raises(Http404):
        get_exam(user=outsider, exam_id=exam.pk)
    with pytest.raises(Http404):
        get_image(user=outsider, image_id=grading.image.pk)
    with pytest.raises(Http404):
        get_grading(user=outsider, grading_id=grading.pk)


def test_a_blind_first_reviewer_sees_the_machine_after_reading_each_eye(
    site: Site, reviewer: User, photographer: User
) -> None:
    site.reading_mode = Site.ReadingMode.BLIND_FIRST
    site.save()
    exam = ExamFactory(patient__site=site, is_submitted=True)
    assert get_exam(user=photographer, exam_id=exam.pk).is_model_revealed
    for eye in ("OD", "OS"):
        assert not get_exam(user=reviewer, exam_id=exam.pk).is_model_revealed
        record_first_reading(exam=exam, laterality=eye, is_gradable=True, grade=0, by=reviewer)
    assert get_exam(user=reviewer, exam_id=exam.pk).is_model_revealed


def test_side_by_side_reveals_at_once(site: Site, reviewer: User) -> None:
    exam = ExamFactory(patient__site=site, is_submitted=True)
    assert get_exam(user=reviewer, exam_id=exam.pk).is_model_revealed
