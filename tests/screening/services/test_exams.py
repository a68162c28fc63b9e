"""An exam from its opening to its submission."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from ml.vocabulary import Laterality
from screening.access import AccessDenied
from screening.models import AuditEvent, Exam, Patient, Site, User
from screening.services.exams import (
    ExamError,
    ExamNotOpen,
    EyeNotPhotographed,
    cancel_exam,
    mark_eye_absent,
    open_exam,
    submit_exam,
)
from tests.screening.factories import ExamFactory, FundusImageFactory, PatientFactory

Status = Exam.Status


def photograph(exam: Exam, *eyes: str) -> None:
    for eye in eyes:
        FundusImageFactory(exam=exam, laterality=eye)


def test_an_exam_is_opened_at_the_patients_site(site: Site, photographer: User) -> None:
    patient: Patient = PatientFactory(site=site)
    exam = open_exam(patient=patient, by=photographer)
    assert (exam.site, exam.patient, exam.status, exam.opened_by) == (site, patient, Status.OPEN, photographer)
    assert AuditEvent.objects.get().data == {"patient": str(patient.pk)}


@pytest.mark.parametrize(("eyes", "missing"), [(["OD"], "OS"), (["OS"], "OD"), ([], "OD")])
def test_an_exam_is_not_submitted_without_each_eye(
    exam: Exam, photographer: User, eyes: list[str], missing: str
) -> None:
    photograph(exam, *eyes)
    FundusImageFactory(exam=exam, laterality=missing, withdrawn_at=exam.created_at, withdrawn_code="poor_quality")
    with pytest.raises(EyeNotPhotographed) as caught:
        submit_exam(exam=exam, by=photographer)
    assert caught.value.laterality is Laterality(missing)
    exam.refresh_from_db()
    assert (exam.status, exam.submitted_at) == (Status.OPEN, None)


def test_an_exam_with_both_eyes_is_submitted_once(exam: Exam, photographer: User) -> None:
    photograph(exam, "OD", "OS")
    submitted = submit_exam(exam=exam, by=photographer)
    assert submitted.status == Status.SUBMITTED
    assert submitted.submitted_at is not None
    with pytest.raises(ExamNotOpen):
        submit_exam(exam=exam, by=photographer)
    assert AuditEvent.objects.filter(verb="exam.submitted").count() == 1


def test_an_absent_eye_with_a_reason_needs_no_photograph(exam: Exam, photographer: User) -> None:
    photograph(exam, "OD")
    mark_eye_absent(exam=exam, laterality="OS", reason=" Prosthesis ", by=photographer)
    submitted = submit_exam(exam=exam, by=photographer)
    assert (submitted.left_eye_absent_reason, submitted.right_eye_absent_reason) == ("Prosthesis", "")
    assert AuditEvent.objects.get(verb="exam.eye_absent").data == {"laterality": "OS", "is_absent": True}


def test_two_absent_eyes_are_nothing_to_review(exam: Exam, photographer: User) -> None:
    for eye in ("OD", "OS"):
        mark_eye_absent(exam=exam, laterality=eye, reason="Prosthesis", by=photographer)
    with pytest.raises(ExamError, match="Cancel this exam"):
        submit_exam(exam=exam, by=photographer)
    assert mark_eye_absent(exam=exam, laterality="OD", reason="", by=photographer).absent_reason("OD") == ""


@pytest.mark.parametrize(
    ("eye", "reason", "message"), [("OD", "Prosthesis", "has photographs"), ("OS", "x" * 201, "200")]
)
def test_an_absence_that_cannot_be_recorded(
    exam: Exam, photographer: User, eye: str, reason: str, message: str
) -> None:
    photograph(exam, "OD")
    with pytest.raises(ExamError, match=message):
        mark_eye_absent(exam=exam, laterality=eye, reason=reason, by=photographer)


def test_a_cancelled_exam_keeps_its_photographs_and_a_signed_one_is_not_cancelled(
    exam: Exam, photographer: User
) -> None:
    photograph(exam, "OD")
    assert cancel_exam(exam=exam, by=photographer).status == Status.CANCELLED
    assert exam.images.count() == 1
    signed = ExamFactory(patient=exam.patient, is_submitted=True, status=Status.SIGNED)
    with pytest.raises(ExamError, match="already signed"):
        cancel_exam(exam=signed, by=photographer)


def test_a_reviewer_and_an_outsider_cannot_do_the_photographers_work(
    exam: Exam, reviewer: User, outsider: User
) -> None:
    photograph(exam, "OD", "OS")
    actions: list[Callable[[User], Any]] = [
        lambda by: open_exam(patient=exam.patient, by=by),
        lambda by: submit_exam(exam=exam, by=by),
        lambda by: cancel_exam(exam=exam, by=by),
        lambda by: mark_eye_absent(exam=exam, laterality="OD", reason="x", by=by),
    ]
    for user, action in itertools.product((reviewer, outsider), actions):
        with pytest.raises(AccessDenied):
            action(user)
    exam.refresh_from_db()
    assert exam.status == Status.OPEN
