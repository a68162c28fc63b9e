"""Hand-overs between photographer and reviewer: returning and taking back."""

import pytest
from django.db import DatabaseError, transaction

from ml.vocabulary import Laterality
from screening.access import AccessDenied
from screening.models import AuditEvent, Correction, Exam, Site, User
from screening.selectors import WorklistFilters, WorklistState, worklist
from screening.services.exams import ExamError, submit_exam
from screening.services.hand_overs import AlreadyRead, return_exam, take_back_exam
from tests.screening.factories import ExamFactory, FundusImageFactory
from tests.screening.readings import read_eye

Status = Exam.Status


@pytest.fixture
def exam(site: Site) -> Exam:
    exam = ExamFactory(patient__site=site, is_submitted=True)
    for eye in Laterality:
        FundusImageFactory(exam=exam, laterality=eye)
    return exam


def test_a_returned_exam_is_first_in_the_photographers_list_with_its_reason(
    exam: Exam, photographer: User, reviewer: User
) -> None:
    newer = ExamFactory(patient__site=exam.site)
    returned = return_exam(exam=exam, reason=" Left eye out of focus ", by=reviewer)
    assert (returned.status, returned.submitted_at) == (Status.RETURNED, None)
    opened = list(worklist(user=photographer, filters=WorklistFilters(state=WorklistState.OPEN)))
    assert opened == [exam, newer]
    assert opened[0].returned_reason == "Left eye out of focus"
    assert AuditEvent.objects.get(verb="exam.returned").actor == reviewer
    submitted = submit_exam(exam=exam, by=photographer)
    assert (submitted.status, submitted.returned_at, submitted.returned_reason) == (Status.SUBMITTED, None, "")
    assert exam.corrections.get().reason == "Left eye out of focus"


@pytest.mark.parametrize(("reason", "message"), [(" ", "Enter what"), ("x" * 301, "300")])
def test_a_return_needs_a_reason(exam: Exam, reviewer: User, reason: str, message: str) -> None:
    with pytest.raises(ExamError, match=message):
        return_exam(exam=exam, reason=reason, by=reviewer)
    exam.refresh_from_db()
    assert exam.status == Status.SUBMITTED


@pytest.mark.parametrize("status", [Status.OPEN, Status.SIGNED, Status.CANCELLED])
def test_only_an_exam_that_waits_is_returned_or_taken_back(
    exam: Exam, photographer: User, reviewer: User, status: str
) -> None:
    Exam.objects.update(status=status)
    with pytest.raises(ExamError, match="waiting for the reviewer"):
        return_exam(exam=exam, reason="Blurred", by=reviewer)
    with pytest.raises(ExamError, match="waiting for the reviewer"):
        take_back_exam(exam=exam, by=photographer)


def test_each_side_has_its_own_way_back(exam: Exam, photographer: User, reviewer: User, outsider: User) -> None:
    for user in (photographer, outsider):
        with pytest.raises(AccessDenied):
            return_exam(exam=exam, reason="Blurred", by=user)
    for user in (reviewer, outsider):
        with pytest.raises(AccessDenied):
            take_back_exam(exam=exam, by=user)


def test_an_exam_is_taken_back_until_somebody_reads_it(exam: Exam, photographer: User, reviewer: User) -> None:
    assert take_back_exam(exam=exam, by=photographer).status == Status.OPEN
    assert AuditEvent.objects.filter(verb="exam.taken_back").count() == 1
    submit_exam(exam=exam, by=photographer)
    read_eye(exam=exam, laterality="OD", grade=0, by=reviewer)
    with pytest.raises(AlreadyRead, match="Ask the reviewer to return it"):
        take_back_exam(exam=exam, by=photographer)
    return_exam(exam=exam, reason="Take the left eye again", by=reviewer)
    submit_exam(exam=exam, by=photographer)
    assert take_back_exam(exam=exam, by=photographer).status == Status.OPEN, "the reading was of the earlier round"


def test_a_correction_is_never_changed(exam: Exam, reviewer: User) -> None:
    return_exam(exam=exam, reason="Blurred", by=reviewer)
    for change in (Correction.objects.all().delete, lambda: Correction.objects.update(reason="Other")):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            change()
    assert Correction.objects.get().reason == "Blurred"
