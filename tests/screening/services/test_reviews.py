"""First readings, signing and amending."""

import datetime
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from ml.vocabulary import ICDRGrade, Laterality
from screening.access import AccessDenied
from screening.models import AuditEvent, Exam, EyeFinding, FirstReading, Review, Site, User
from screening.policy import MacularOedema
from screening.services.reviews import AlreadyReviewed, Finding, ReviewError, sign_review
from tests.screening.factories import (
    ExamFactory,
    EyeFindingFactory,
    FundusImageFactory,
    MembershipFactory,
    ReviewFactory,
)
from tests.screening.readings import read_eye

RIGHT, LEFT = Laterality.RIGHT, Laterality.LEFT
Sign = Callable[..., Review]
Read = Callable[..., FirstReading]


@pytest.fixture
def exam(site: Site) -> Exam:
    exam = ExamFactory(patient__site=site, is_submitted=True)
    for eye in Laterality:
        FundusImageFactory(exam=exam, laterality=eye)
    return exam


@pytest.fixture
def blind_exam(exam: Exam) -> Exam:
    Site.objects.update(reading_mode=Site.ReadingMode.BLIND_FIRST)
    return exam


def finding(eye: Laterality, grade: int | None, oedema: MacularOedema = MacularOedema.NONE) -> Finding:
    known = None if grade is None else ICDRGrade(grade)
    return Finding(laterality=eye, is_gradable=grade is not None, grade=known, macular_oedema=oedema)


def both(right: int | None = 0, left: int | None = 0) -> dict[Laterality, Finding]:
    return {RIGHT: finding(RIGHT, right), LEFT: finding(LEFT, left)}


@pytest.fixture
def sign(exam: Exam, reviewer: User) -> Sign:
    """Signs two healthy eyes; keywords change the arguments."""

    def call(findings: dict[Laterality, Finding] | None = None, **changes: Any) -> Review:
        chosen = both() if findings is None else findings
        return sign_review(**{"exam": exam, "findings": chosen, "by": reviewer, **changes})

    return call


@pytest.fixture
def read(exam: Exam, reviewer: User) -> Read:
    """Records a first reading of a healthy right eye; keywords change the arguments."""

    def call(eye: str = "OD", **changes: Any) -> FirstReading:
        values = {"exam": exam, "is_gradable": True, "grade": 0, "macular_oedema": "none", "by": reviewer}
        return read_eye(laterality=eye, **{**values, **changes})

    return call


def next_visit(exam: Exam) -> Exam:
    following: Exam = ExamFactory(patient=exam.patient, is_submitted=True)
    for eye in Laterality:
        FundusImageFactory(exam=following, laterality=eye)
    return following


def test_signing_stores_both_eyes_the_outcome_and_the_recall(exam: Exam, sign: Sign, reviewer: User) -> None:
    review = sign(both(0, 2), note=" See note ")
    exam.refresh_from_db()
    assert exam.status == Exam.Status.SIGNED
    assert (review.outcome, review.urgency, review.note, review.reviewer) == ("refer", "soon", "See note", reviewer)
    assert review.site == exam.site
    assert review.recall_on is not None
    assert (review.recall_on - review.signed_at.date()).days in range(178, 187)
    rows = review.findings.order_by("laterality").values_list("laterality", "is_gradable", "grade", "macular_oedema")
    assert list(rows) == [("OD", True, 0, "none"), ("OS", True, 2, "none")]
    event = AuditEvent.objects.get(verb="review.signed")
    assert event.data == {"exam": str(exam.pk), "outcome": "refer", "reasons": "right_grade_0,left_grade_2"}


def test_a_finding_is_stored_for_its_eye(sign: Sign) -> None:
    with pytest.raises(ReviewError, match="other eye"):
        sign({RIGHT: finding(LEFT, 0), LEFT: finding(RIGHT, 0)})
    assert dict(sign(both(4, 1)).findings.values_list("laterality", "grade")) == {"OD": 4, "OS": 1}


AUCKLAND_EVENING = datetime.datetime(2026, 6, 30, 22, 0, tzinfo=datetime.UTC)  # 1 July in Auckland


@pytest.mark.parametrize(
    ("taken_on", "recall_on"),
    [
        ({RIGHT: None, LEFT: None}, datetime.date(2027, 7, 1)),
        ({RIGHT: datetime.date(2026, 5, 31), LEFT: datetime.date(2026, 5, 31)}, datetime.date(2027, 5, 31)),
        ({RIGHT: datetime.date(2026, 5, 31), LEFT: datetime.date(2026, 6, 2)}, datetime.date(2027, 5, 31)),
        ({RIGHT: None, LEFT: datetime.date(2026, 7, 1)}, datetime.date(2027, 7, 1)),
    ],
)
def test_the_recall_date_is_counted_from_the_day_of_the_photographs(
    exam: Exam, sign: Sign, taken_on: dict[Laterality, datetime.date | None], recall_on: datetime.date
) -> None:
    Site.objects.update(timezone="Pacific/Auckland")
    for eye, day in taken_on.items():
        source = "exif" if day else ""
        exam.images.filter(laterality=eye).update(
            created_at=AUCKLAND_EVENING, captured_on=day, captured_on_source=source
        )
    withdrawn = FundusImageFactory(exam=exam, withdrawn_at=exam.created_at, withdrawn_code="wrong_patient")
    type(withdrawn).objects.filter(pk=withdrawn.pk).update(created_at="2020-01-01T00:00:00Z")
    assert sign().recall_on == recall_on


def test_an_amendment_changes_the_recall_date_only_with_its_findings(exam: Exam, sign: Sign) -> None:
    signed = sign()
    exam.images.update(captured_on=datetime.date(2020, 2, 3), captured_on_source="client")
    same = sign(note="Spelling", amends=signed, amend_reason="A word")
    assert (same.outcome, same.recall_on) == (signed.outcome, signed.recall_on)
    other = sign(both(0, 2), amends=same, amend_reason="Missed haemorrhage")
    assert (other.outcome, other.recall_on) == ("refer", datetime.date(2020, 8, 3))


@pytest.mark.parametrize(
    ("grades", "outcomes"),
    [
        ([None, None], ["repeat_imaging", "refer_slit_lamp"]),
        ([None, 0, None], ["repeat_imaging", "rescreen", "repeat_imaging"]),
    ],
)
def test_a_second_ungradable_visit_in_succession_is_referred(
    exam: Exam, sign: Sign, grades: list[int | None], outcomes: list[str]
) -> None:
    visits = [exam, *(next_visit(exam) for _ in grades[1:])]
    reviews = [sign(both(grade, 0), exam=visit) for visit, grade in zip(visits, grades, strict=True)]
    assert [review.outcome for review in reviews] == outcomes
    assert reviews[0].findings.get(laterality="OD").grade is None


def test_visits_of_another_patient_do_not_count(exam: Exam, sign: Sign) -> None:
    EyeFindingFactory(review__exam__created_at=exam.created_at, is_gradable=False, grade=None)
    assert sign(both(None, 0)).outcome == "repeat_imaging"


def test_three_photographs_of_an_ungradable_eye_are_enough(exam: Exam, sign: Sign) -> None:
    FundusImageFactory(exam=exam, laterality="OD")
    FundusImageFactory(exam=exam, laterality="OD", withdrawn_at=exam.created_at, withdrawn_code="poor_quality")
    assert sign(both(None, 0)).outcome == "refer_slit_lamp"


def test_an_absent_eye_is_signed_as_absent(sign: Sign) -> None:
    Exam.objects.update(left_eye_absent_reason="Prosthesis")
    with pytest.raises(ReviewError, match="absent"):
        sign()
    review = sign({RIGHT: finding(RIGHT, 0)})
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
    exam: Exam, sign: Sign, findings: dict[Laterality, Finding], eye: Laterality
) -> None:
    with pytest.raises(ReviewError) as caught:
        sign(findings)
    assert caught.value.laterality is eye
    exam.refresh_from_db()
    assert exam.status == Exam.Status.SUBMITTED
    assert not Review.objects.exists()
    assert not EyeFinding.objects.exists()


def test_an_exam_is_signed_once(sign: Sign) -> None:
    sign()
    with pytest.raises(AlreadyReviewed, match="already signed"):
        sign()
    assert Review.objects.count() == 1


@pytest.mark.parametrize("status", [Exam.Status.OPEN, Exam.Status.CANCELLED])
def test_an_exam_that_is_not_submitted_is_not_signed(exam: Exam, sign: Sign, status: str) -> None:
    Exam.objects.update(status=status)
    with pytest.raises(ReviewError):
        sign()


def test_only_a_reviewer_of_the_site_reads_and_signs(
    sign: Sign, read: Read, photographer: User, manager: User, outsider: User
) -> None:
    for user in (photographer, manager, outsider):
        with pytest.raises(AccessDenied):
            sign(by=user)
        with pytest.raises(AccessDenied):
            read(by=user)
    assert not Review.objects.exists()


def test_an_amendment_is_a_new_review_and_the_signed_one_stays(sign: Sign) -> None:
    signed = sign()
    amended = sign(both(3, 0), amends=signed, amend_reason="Missed IRMA")
    signed.refresh_from_db()
    assert (signed.outcome, signed.findings.get(laterality="OD").grade) == ("rescreen", 0)
    assert (amended.outcome, amended.amends, amended.amend_reason) == ("refer_urgent", signed, "Missed IRMA")
    assert AuditEvent.objects.filter(verb="review.amended", object_id=str(amended.pk)).exists()
    with pytest.raises(ReviewError, match="amended meanwhile"):
        sign(amends=signed, amend_reason="Again")


def test_an_amendment_needs_a_reason_and_a_review_of_the_same_exam(exam: Exam, sign: Sign) -> None:
    signed = sign()
    with pytest.raises(ReviewError, match="Enter the reason for"):
        sign(amends=signed, amend_reason="  ")
    with pytest.raises(ReviewError, match="another exam"):
        sign(amends=ReviewFactory(), amend_reason="x")
    with pytest.raises(ReviewError, match="no review to amend"):
        sign(exam=next_visit(exam), amend_reason="x")
    assert Review.objects.filter(amends__isnull=False).count() == 0


def test_a_blind_first_site_signs_after_first_readings_by_the_signer(blind_exam: Exam, sign: Sign, read: Read) -> None:
    colleague = MembershipFactory(site=blind_exam.site, role="reviewer").user
    for eye in Laterality:
        read(eye, by=colleague)
    for eye in Laterality:
        with pytest.raises(ReviewError, match="own first reading") as caught:
            sign()
        assert caught.value.laterality is eye
        read(eye)
    assert sign().outcome == "rescreen"


@pytest.mark.parametrize("changed", [finding(RIGHT, 2), finding(RIGHT, None), finding(RIGHT, 0, MacularOedema.CENTRE)])
def test_a_change_after_the_reveal_needs_a_reason(sign: Sign, read: Read, changed: Finding) -> None:
    read()
    for reason, message in (("", "Enter the reason"), ("x" * 301, "300")):
        with pytest.raises(ReviewError, match=message) as caught:
            sign(both() | {RIGHT: replace(changed, changed_reason=reason)})
        assert caught.value.laterality is RIGHT
    review = sign(both() | {RIGHT: replace(changed, changed_reason=" Haemorrhage at the edge ")})
    assert review.findings.get(laterality="OD").changed_reason == "Haemorrhage at the edge"
    assert FirstReading.objects.get().grade == 0


def test_a_first_reading_is_recorded_once_and_cannot_be_changed(read: Read) -> None:
    reading = read(grade=1)
    with pytest.raises(ReviewError, match="already recorded"):
        read(grade=2)
    reading.grade = 2
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        reading.save()
    assert FirstReading.objects.get().grade == 1
    assert AuditEvent.objects.filter(verb="first_reading.recorded").count() == 1


@pytest.mark.parametrize("absent", ["", "OS"])
def test_the_reading_of_the_last_present_eye_completes_the_blind_reading(exam: Exam, read: Read, absent: str) -> None:
    if absent:
        exam.images.filter(laterality="OS").delete()
        Exam.objects.update(left_eye_absent_reason="Prosthesis")
    colleague = {"by": MembershipFactory(site=exam.site, role="reviewer").user}
    readings: list[tuple[str, dict[str, Any]]] = [("OD", {}), ("OS", colleague), ("OS", {}), ("OD", colleague)]
    completes = [read(eye, **by).is_blind_complete for eye, by in readings if eye != absent]
    assert completes == ([True, True] if absent else [False, False, True, True])


@pytest.mark.parametrize(("is_gradable", "grade"), [(True, None), (False, 0)])
def test_an_inconsistent_first_reading_is_refused(read: Read, is_gradable: bool, grade: int | None) -> None:
    with pytest.raises(ReviewError):
        read(is_gradable=is_gradable, grade=grade)
    assert not FirstReading.objects.exists()


@pytest.mark.parametrize(("field", "limit"), [("note", 2000), ("amend_reason", 300)])
def test_a_text_longer_than_its_column_is_refused(sign: Sign, field: str, limit: int) -> None:
    with pytest.raises(ReviewError, match=str(limit)):
        sign(**{field: "x" * (limit + 1)})
    assert not Review.objects.exists()
