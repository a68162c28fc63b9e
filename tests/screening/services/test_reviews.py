"""First readings, signing and amending."""

import datetime
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from ml.vocabulary import ICDRGrade, Laterality
from screening.access import AccessDenied
from screening.models import AuditEvent, Exam, EyeFinding, FirstReading, Review, Site, User
from screening.policy import MacularOedema
from screening.services.exams import ExamError
from screening.services.reviews import AlreadyReviewed, Finding, ReviewError, record_first_reading, sign_review
from tests.screening.factories import (
    ExamFactory,
    EyeFindingFactory,
    FundusImageFactory,
    MembershipFactory,
    ReviewFactory,
)

RIGHT, LEFT = Laterality.RIGHT, Laterality.LEFT
NONE = MacularOedema.NONE


@pytest.fixture
def exam(site: Site) -> Exam:
    exam = ExamFactory(patient__site=site, is_submitted=True)
    for eye in ("OD", "OS"):
        FundusImageFactory(exam=exam, laterality=eye)
    return exam


def finding(eye: Laterality, grade: int | None, **changes: Any) -> Finding:
    values: dict[str, Any] = {"macular_oedema": NONE, **changes}
    return Finding(
        laterality=eye,
        is_gradable=grade is not None,
        grade=None if grade is None else ICDRGrade(grade),
        **values,
    )


def both(right: int | None = 0, left: int | None = 0, **changes: Any) -> dict[Laterality, Finding]:
    return {RIGHT: finding(RIGHT, right, **changes), LEFT: finding(LEFT, left, **changes)}


def blind(exam: Exam) -> None:
    exam.site.reading_mode = Site.ReadingMode.BLIND_FIRST
    exam.site.save()


def test_signing_stores_both_eyes_the_outcome_and_the_recall(exam: Exam, reviewer: User) -> None:
    review = sign_review(exam=exam, findings=both(0, 2), note=" See note ", by=reviewer)
    exam.refresh_from_db()
    assert exam.status == Exam.Status.REVIEWED
    assert (review.outcome, review.urgency, review.note, review.reviewer) == ("refer", "soon", "See note", reviewer)
    assert review.recall_on is not None
    assert (review.recall_on - review.signed_at.date()).days in range(178, 187)
    rows = review.findings.order_by("laterality").values_list("laterality", "is_gradable", "grade", "macular_oedema")
    assert list(rows) == [("OD", True, 0, "none"), ("OS", True, 2, "none")]
    event = AuditEvent.objects.get(verb="review.signed")
    assert event.data == {"exam": str(exam.pk), "outcome": "refer", "reasons": "right_grade_0,left_grade_2"}


def test_the_right_finding_is_stored_for_the_right_eye(exam: Exam, reviewer: User) -> None:
    review = sign_review(exam=exam, findings=both(4, 1), by=reviewer)
    assert review.findings.get(laterality="OD").grade == 4
    assert review.findings.get(laterality="OS").grade == 1
    with pytest.raises(ReviewError, match="other eye"):
        sign_review(exam=_another(exam), findings={RIGHT: finding(LEFT, 0), LEFT: finding(RIGHT, 0)}, by=reviewer)


def _another(exam: Exam) -> Exam:
    other: Exam = ExamFactory(patient=exam.patient, is_submitted=True)
    return other


def test_the_recall_date_is_counted_in_the_sites_own_day(
    exam: Exam, reviewer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    exam.site.timezone = "Pacific/Auckland"
    exam.site.save()
    evening = datetime.datetime(2026, 6, 30, 22, 0, tzinfo=datetime.UTC)  # 1 July in Auckland
    monkeypatch.setattr("django.utils.timezone.now", lambda: evening)
    assert sign_review(exam=exam, findings=both(), by=reviewer).recall_on == datetime.date(2027, 7, 1)


def test_an_ungradable_eye_is_photographed_again_and_then_referred(exam: Exam, reviewer: User) -> None:
    other = _another(exam)
    first = sign_review(exam=exam, findings=both(None, 0), by=reviewer)
    assert (first.outcome, first.findings.get(laterality="OD").grade) == ("repeat_imaging", None)
    second = sign_review(exam=other, findings=both(None, 0), by=reviewer)
    assert (second.outcome, second.recall_on) == ("refer_slit_lamp", None)


def test_a_gradable_visit_between_starts_the_count_again(exam: Exam, reviewer: User) -> None:
    visits = [exam, _another(exam), _another(exam)]
    grades = [None, 0, None]
    outcomes = [
        sign_review(exam=visit, findings=both(grade, 0), by=reviewer).outcome
        for visit, grade in zip(visits, grades, strict=True)
    ]
    assert outcomes == ["repeat_imaging", "rescreen", "repeat_imaging"]


def test_three_photographs_of_an_ungradable_eye_are_enough(exam: Exam, reviewer: User) -> None:
    FundusImageFactory(exam=exam, laterality="OD")
    FundusImageFactory(exam=exam, laterality="OD", withdrawn_at=exam.created_at, withdrawn_reason="Blurred")
    assert sign_review(exam=exam, findings=both(None, 0), by=reviewer).outcome == "refer_slit_lamp"


def test_an_absent_eye_is_signed_as_absent(exam: Exam, reviewer: User) -> None:
    Exam.objects.update(left_eye_absent_reason="Prosthesis")
    with pytest.raises(ReviewError, match="absent"):
        sign_review(exam=exam, findings=both(), by=reviewer)
    review = sign_review(exam=exam, findings={RIGHT: finding(RIGHT, 0)}, by=reviewer)
    left = review.findings.get(laterality="OS")
    assert (left.is_absent, left.is_gradable, left.grade, review.outcome) == (True, False, None, "rescreen")


@pytest.mark.parametrize(
    ("findings", "eye"),
    [
        ({RIGHT: finding(RIGHT, 0)}, LEFT),
        ({}, RIGHT),
        (both() | {LEFT: Finding(laterality=LEFT)}, LEFT),
        (both() | {LEFT: Finding(laterality=LEFT, is_gradable=False, grade=ICDRGrade.NONE)}, LEFT),
    ],
)
def test_an_incomplete_review_is_not_signed(
    exam: Exam, reviewer: User, findings: dict[Laterality, Finding], eye: Laterality
) -> None:
    with pytest.raises(ReviewError) as caught:
        sign_review(exam=exam, findings=findings, by=reviewer)
    assert caught.value.laterality is eye
    exam.refresh_from_db()
    assert exam.status == Exam.Status.SUBMITTED
    assert not Review.objects.exists()
    assert not EyeFinding.objects.exists()


def test_an_exam_is_signed_once(exam: Exam, reviewer: User) -> None:
    sign_review(exam=exam, findings=both(), by=reviewer)
    with pytest.raises(AlreadyReviewed, match="already signed"):
        sign_review(exam=exam, findings=both(), by=reviewer)
    assert Review.objects.count() == 1


@pytest.mark.parametrize("status", [Exam.Status.OPEN, Exam.Status.CANCELLED])
def test_an_exam_that_is_not_submitted_is_not_signed(site: Site, reviewer: User, status: str) -> None:
    exam = ExamFactory(patient__site=site, status=status)
    with pytest.raises(ReviewError):
        sign_review(exam=exam, findings=both(), by=reviewer)


def test_only_a_reviewer_of_the_site_signs(exam: Exam, photographer: User, manager: User, outsider: User) -> None:
    for user in (photographer, manager, outsider):
        with pytest.raises(AccessDenied):
            sign_review(exam=exam, findings=both(), by=user)
        with pytest.raises(AccessDenied):
            record_first_reading(exam=exam, laterality="OD", is_gradable=True, grade=0, by=user)
    assert not Review.objects.exists()


def test_an_amendment_is_a_new_review_and_the_signed_one_stays(exam: Exam, reviewer: User) -> None:
    signed = sign_review(exam=exam, findings=both(0, 0), by=reviewer)
    amended = sign_review(exam=exam, findings=both(3, 0), amends=signed, amend_reason="Missed IRMA", by=reviewer)
    signed.refresh_from_db()
    assert (signed.outcome, signed.findings.get(laterality="OD").grade) == ("rescreen", 0)
    assert (amended.outcome, amended.amends, amended.amend_reason) == ("refer_urgent", signed, "Missed IRMA")
    assert AuditEvent.objects.filter(verb="review.amended", object_id=str(amended.pk)).exists()
    with pytest.raises(ReviewError, match="amended meanwhile"):
        sign_review(exam=exam, findings=both(), amends=signed, amend_reason="Again", by=reviewer)


def test_an_amendment_needs_a_reason_and_its_own_exam(exam: Exam, reviewer: User) -> None:
    signed = sign_review(exam=exam, findings=both(), by=reviewer)
    with pytest.raises(ReviewError, match="Enter the reason for"):
        sign_review(exam=exam, findings=both(), amends=signed, amend_reason="  ", by=reviewer)
    foreign = ReviewFactory()
    with pytest.raises(ReviewError, match="another exam"):
        sign_review(exam=exam, findings=both(), amends=foreign, amend_reason="x", by=reviewer)
    with pytest.raises(ReviewError, match="no review to amend"):
        sign_review(exam=_another(exam), findings=both(), amend_reason="x", by=reviewer)
    assert Review.objects.filter(amends__isnull=False).count() == 0


def test_a_blind_first_site_signs_only_after_its_own_reading(exam: Exam, reviewer: User) -> None:
    blind(exam)
    with pytest.raises(ReviewError, match="own first reading") as caught:
        sign_review(exam=exam, findings=both(), by=reviewer)
    assert caught.value.laterality is RIGHT
    for eye in ("OD", "OS"):
        record_first_reading(exam=exam, laterality=eye, is_gradable=True, grade=0, macular_oedema="none", by=reviewer)
    assert sign_review(exam=exam, findings=both(), by=reviewer).outcome == "rescreen"


def test_another_reviewers_first_reading_is_not_ones_own(exam: Exam, reviewer: User) -> None:
    blind(exam)
    colleague = MembershipFactory(site=exam.site, role="reviewer").user
    for eye in ("OD", "OS"):
        record_first_reading(exam=exam, laterality=eye, is_gradable=True, grade=0, by=colleague)
    with pytest.raises(ReviewError, match="own first reading"):
        sign_review(exam=exam, findings=both(), by=reviewer)


@pytest.mark.parametrize(
    "changed", [finding(RIGHT, 2), finding(RIGHT, None), finding(RIGHT, 0, macular_oedema=MacularOedema.CENTRE)]
)
def test_a_change_after_the_reveal_needs_a_reason(exam: Exam, reviewer: User, changed: Finding) -> None:
    record_first_reading(exam=exam, laterality="OD", is_gradable=True, grade=0, macular_oedema="none", by=reviewer)
    with pytest.raises(ReviewError, match="Enter the reason") as caught:
        sign_review(exam=exam, findings=both() | {RIGHT: changed}, by=reviewer)
    assert caught.value.laterality is RIGHT
    explained = Finding(
        laterality=RIGHT,
        is_gradable=changed.is_gradable,
        grade=changed.grade,
        macular_oedema=changed.macular_oedema,
        changed_reason=" Haemorrhage at the edge ",
    )
    review = sign_review(exam=exam, findings=both() | {RIGHT: explained}, by=reviewer)
    assert review.findings.get(laterality="OD").changed_reason == "Haemorrhage at the edge"
    assert FirstReading.objects.get().grade == 0


def test_a_first_reading_is_recorded_once_and_cannot_be_changed(exam: Exam, reviewer: User) -> None:
    reading = record_first_reading(exam=exam, laterality="OD", is_gradable=True, grade=1, by=reviewer)
    with pytest.raises(ReviewError, match="already recorded"):
        record_first_reading(exam=exam, laterality="OD", is_gradable=True, grade=2, by=reviewer)
    reading.grade = 2
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        reading.save()
    assert FirstReading.objects.get().grade == 1
    assert AuditEvent.objects.filter(verb="first_reading.recorded").count() == 1


@pytest.mark.parametrize("absent", ["", "OS"])
def test_the_reading_of_the_last_present_eye_completes_the_blind_reading(
    exam: Exam, reviewer: User, absent: str
) -> None:
    if absent:
        Exam.objects.update(left_eye_absent_reason="Prosthesis")
    colleague = MembershipFactory(site=exam.site, role="reviewer").user
    reads = [(reviewer, "OD"), (colleague, "OS"), (reviewer, "OS"), (colleague, "OD")]
    completes = [
        record_first_reading(exam=exam, laterality=eye, is_gradable=True, grade=0, by=by).is_blind_complete
        for by, eye in reads
        if eye != absent
    ]
    assert completes == ([True, True] if absent else [False, False, True, True])


@pytest.mark.parametrize(("is_gradable", "grade"), [(True, None), (False, 0)])
def test_a_first_reading_must_fit_together(exam: Exam, reviewer: User, is_gradable: bool, grade: int | None) -> None:
    with pytest.raises(ReviewError):
        record_first_reading(exam=exam, laterality="OS", is_gradable=is_gradable, grade=grade, by=reviewer)
    assert not FirstReading.objects.exists()


def test_a_text_that_is_too_long_is_refused_before_anything_is_stored(exam: Exam, reviewer: User) -> None:
    with pytest.raises(ExamError, match="2000"):
        sign_review(exam=exam, findings=both(), note="x" * 2001, by=reviewer)
    with pytest.raises(ExamError, match="300"):
        sign_review(exam=exam, findings=both(), amend_reason="x" * 301, by=reviewer)
    assert not Review.objects.exists()


def test_visits_of_another_patient_do_not_count(exam: Exam, reviewer: User) -> None:
    EyeFindingFactory(review__exam__created_at=exam.created_at, is_gradable=False, grade=None)
    assert sign_review(exam=exam, findings=both(None, 0), by=reviewer).outcome == "repeat_imaging"
