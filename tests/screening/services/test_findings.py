"""Findings of eyes with and without photographs."""

from collections.abc import Callable
from typing import Any

import pytest

from ml.vocabulary import ICDRGrade, Laterality
from screening.access import AccessDenied
from screening.models import AuditEvent, Exam, FirstReading, FundusImage, Review, Site, User
from screening.policy import MacularOedema
from screening.selectors import get_exam
from screening.services.exams import ExamError, ExamNotOpen, mark_eye_absent, mark_eye_not_photographed, submit_exam
from screening.services.images import change_laterality, withdraw_image
from screening.services.reviews import Finding, ReviewError, preview_outcome, sign_review
from tests.screening.factories import ExamFactory, FundusImageFactory, GradingFactory
from tests.screening.readings import read_eye

RIGHT, LEFT = Laterality.RIGHT, Laterality.LEFT
HEALTHY = {"grade": ICDRGrade.NONE, "macular_oedema": MacularOedema.NONE}
NOT_PHOTOGRAPHED = {"is_photographed": False, "is_gradable": False}
Sign = Callable[..., Review]


def finding(eye: Laterality, **values: Any) -> Finding:
    return Finding(laterality=eye, **values)


@pytest.fixture
def exam(site: Site) -> Exam:
    """Submitted with a photograph of the right eye only."""
    exam = ExamFactory(patient__site=site, is_submitted=True)
    FundusImageFactory(exam=exam, laterality=RIGHT)
    return exam


@pytest.fixture
def sign(exam: Exam, reviewer: User) -> Sign:
    """Signs a healthy right eye and ``values`` for the left eye."""

    def call(of: Exam = exam, **values: Any) -> Review:
        findings = {RIGHT: finding(RIGHT, **HEALTHY), LEFT: finding(LEFT, **values)}
        return sign_review(exam=of, findings=findings, by=reviewer)

    return call


@pytest.mark.parametrize(
    "values",
    [
        HEALTHY,
        {"grade": ICDRGrade.PROLIFERATIVE},
        {"is_gradable": False},
        {"is_photographed": False, "grade": ICDRGrade.NONE},
        {"absent_reason": "Prosthesis", "grade": ICDRGrade.NONE},
    ],
)
@pytest.mark.parametrize("is_withdrawn", [False, True])
def test_an_eye_without_a_photograph_has_no_finding(
    exam: Exam, reviewer: User, sign: Sign, values: dict[str, Any], is_withdrawn: bool
) -> None:
    if is_withdrawn:
        FundusImageFactory(exam=exam, laterality=LEFT, withdrawn_at=exam.created_at, withdrawn_code="wrong_patient")
    with pytest.raises(ReviewError, match="has no photograph, so it has no finding") as caught:
        sign(**values)
    assert caught.value.laterality is LEFT
    findings = {RIGHT: finding(RIGHT, **HEALTHY), LEFT: finding(LEFT, **values)}
    with pytest.raises(ReviewError, match="has no photograph"):
        preview_outcome(exam=exam, findings=findings, by=reviewer)
    assert not Review.objects.exists()


def test_no_first_reading_of_an_eye_without_a_photograph(exam: Exam, reviewer: User) -> None:
    with pytest.raises(ReviewError, match="nothing to read"):
        read_eye(exam=exam, laterality="OS", grade=0, by=reviewer)
    assert not FirstReading.objects.exists()


@pytest.mark.parametrize("values", [NOT_PHOTOGRAPHED, {"absent_reason": "Prosthesis", "is_gradable": False}])
def test_an_eye_with_a_photograph_is_neither_absent_nor_not_photographed(
    exam: Exam, sign: Sign, values: dict[str, Any]
) -> None:
    FundusImageFactory(exam=exam, laterality=LEFT)
    with pytest.raises(ReviewError, match="has a photograph"):
        sign(**values)


def test_an_eye_that_was_not_photographed_is_never_a_negative(exam: Exam, sign: Sign) -> None:
    outcomes = []
    for visit in (exam, ExamFactory(patient=exam.patient, is_submitted=True)):
        if visit != exam:
            FundusImageFactory(exam=visit, laterality=RIGHT)
        review = sign(visit, **NOT_PHOTOGRAPHED)
        outcomes.append(review.outcome)
        left = review.findings.get(laterality=LEFT)
        assert (left.is_photographed, left.is_absent, left.is_gradable, left.grade) == (False, False, False, None)
    assert outcomes == ["repeat_imaging", "refer_slit_lamp"]
    reasons = AuditEvent.objects.filter(verb="review.signed").values_list("data__reasons", flat=True)
    assert set(reasons) == {"right_grade_0,left_not_photographed"}


def test_the_reviewer_can_find_that_an_eye_is_absent(exam: Exam, sign: Sign) -> None:
    review = sign(**NOT_PHOTOGRAPHED | {"absent_reason": "Prosthesis"})
    exam.refresh_from_db()
    assert (review.outcome, exam.left_eye_absent_reason) == ("rescreen", "Prosthesis")
    assert review.findings.get(laterality=LEFT).is_absent
    assert AuditEvent.objects.get(verb="exam.eye_absent").data == {"laterality": "OS", "is_absent": True}


def test_two_absent_eyes_are_not_signed(exam: Exam, reviewer: User) -> None:
    exam.images.all().delete()
    absent = {eye: finding(eye, **NOT_PHOTOGRAPHED, absent_reason="Prosthesis") for eye in Laterality}
    with pytest.raises(ReviewError, match="nothing to sign"):
        sign_review(exam=exam, findings=absent, by=reviewer)


@pytest.mark.parametrize(("values", "outcome"), [(HEALTHY, "rescreen"), ({"is_gradable": False}, "repeat_imaging")])
def test_an_eye_that_the_model_calls_ungradable_is_graded_or_signed_as_ungradable(
    exam: Exam, sign: Sign, values: dict[str, Any], outcome: str
) -> None:
    GradingFactory(image=FundusImageFactory(exam=exam, laterality=LEFT), is_ungradable=True)
    assert sign(**values).outcome == outcome


def test_the_photographer_submits_an_eye_that_could_not_be_photographed(site: Site, photographer: User) -> None:
    exam: Exam = ExamFactory(patient__site=site)
    FundusImageFactory(exam=exam, laterality=RIGHT)
    with pytest.raises(ExamError, match="200"):
        mark_eye_not_photographed(exam=exam, laterality=LEFT, reason="x" * 201, by=photographer)
    with pytest.raises(ExamError, match="has photographs"):
        mark_eye_not_photographed(exam=exam, laterality=RIGHT, reason="Eye kept shut", by=photographer)
    marked = mark_eye_not_photographed(exam=exam, laterality=LEFT, reason=" Eye kept shut ", by=photographer)
    assert marked.not_photographed_reason(LEFT) == "Eye kept shut"
    assert submit_exam(exam=exam, by=photographer).status == Exam.Status.SUBMITTED
    event = AuditEvent.objects.get(verb="exam.eye_not_photographed")
    assert event.data == {"laterality": "OS", "is_photographed": False}


def test_no_eye_photographed_is_nothing_to_review(site: Site, photographer: User) -> None:
    exam: Exam = ExamFactory(patient__site=site)
    mark_eye_absent(exam=exam, laterality=RIGHT, reason="Prosthesis", by=photographer)
    mark_eye_not_photographed(exam=exam, laterality=LEFT, reason="Eye kept shut", by=photographer)
    with pytest.raises(ExamError, match="nothing to review"):
        submit_exam(exam=exam, by=photographer)


@pytest.fixture
def complete(exam: Exam) -> Exam:
    FundusImageFactory(exam=exam, laterality=LEFT)
    return exam


def left_image(exam: Exam) -> FundusImage:
    return FundusImage.objects.filter(exam=exam, laterality=LEFT).earliest("created_at")


def withdraw(exam: Exam, by: User) -> object:
    return withdraw_image(image=left_image(exam), code="wrong_patient", by=by)


def move(exam: Exam, by: User) -> object:
    return change_laterality(image=left_image(exam), laterality=RIGHT, by=by)


@pytest.mark.parametrize("change", [withdraw, move])
def test_an_exam_goes_back_if_an_eye_loses_its_photograph(
    complete: Exam, photographer: User, change: Callable[[Exam, User], object]
) -> None:
    change(complete, photographer)
    complete.refresh_from_db()
    assert (complete.status, complete.submitted_at) == (Exam.Status.RETURNED, None)
    assert complete.returned_reason == "The left eye (OS) has no photograph any more."
    assert complete.worklist_rank == 2
    assert AuditEvent.objects.filter(verb="exam.returned", object_id=str(complete.pk)).exists()


@pytest.mark.parametrize("change", [withdraw, move])
def test_first_readings_of_other_photographs_do_not_count(
    complete: Exam, photographer: User, reviewer: User, change: Callable[[Exam, User], object]
) -> None:
    Site.objects.update(reading_mode=Site.ReadingMode.BLIND_FIRST)
    FundusImageFactory(exam=complete, laterality=LEFT)
    for eye in Laterality:
        read_eye(exam=complete, laterality=eye, grade=0, by=reviewer)
    assert get_exam(user=reviewer, exam_id=complete.pk).is_model_revealed
    change(complete, photographer)
    detail = get_exam(user=reviewer, exam_id=complete.pk)
    assert detail.exam.status == Exam.Status.SUBMITTED
    assert not detail.is_model_revealed
    assert detail.first_reading(reviewer, LEFT) is None
    read_eye(exam=complete, laterality=LEFT, grade=2, by=reviewer)
    assert FirstReading.objects.count() == 3


def test_a_signed_exam_without_its_photograph_is_not_signed_any_more(
    complete: Exam, photographer: User, manager: User, sign: Sign
) -> None:
    review = sign(**HEALTHY)
    with pytest.raises(AccessDenied):
        withdraw(complete, photographer)
    withdraw(complete, manager)
    detail = get_exam(user=manager, exam_id=complete.pk)
    assert (detail.exam.status, detail.review, detail.reviews) == (Exam.Status.RETURNED, None, (review,))
    assert review.corrections.get().reason == "wrong_patient"


def test_a_photograph_of_a_cancelled_exam_stays(complete: Exam, photographer: User) -> None:
    Exam.objects.update(status=Exam.Status.CANCELLED)
    with pytest.raises(ExamNotOpen):
        withdraw(complete, photographer)


def test_a_new_photograph_deletes_the_reason_for_none(complete: Exam, photographer: User) -> None:
    FundusImageFactory(exam=complete, laterality=RIGHT)
    Exam.objects.update(left_eye_not_photographed_reason="Eye kept shut")
    image = complete.images.filter(laterality=RIGHT).earliest("created_at")
    change_laterality(image=image, laterality=LEFT, by=photographer)
    complete.refresh_from_db()
    assert complete.left_eye_not_photographed_reason == ""
