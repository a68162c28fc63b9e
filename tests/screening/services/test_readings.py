"""Readings by two persons: who reads second, what agreement is, what counts."""

import uuid
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, IntegrityError, transaction

from ml.vocabulary import Laterality
from screening.models import (
    AuditEvent,
    Exam,
    FirstReading,
    FundusImage,
    LesionMark,
    Reading,
    ReadingEye,
    Review,
    Site,
    User,
)
from screening.policy.exam_states import ExamState
from screening.policy.lesions import Lesion
from screening.policy.marks import Mark, MarkShape
from screening.policy.protocols import SamplePurpose, sample_number
from screening.services.corrections import mark_in_error
from screening.services.exam_locks import NotWaiting, take_exam, take_next_exam
from screening.services.exams import ExamError, cancel_exam
from screening.services.hand_overs import return_exam
from screening.services.images import withdraw_image
from screening.services.readings import sign_findings
from screening.services.reviews import AlreadyReviewed, ReviewError, record_first_readings, sign_review
from screening.services.structured_findings import StructuredFindings
from tests.screening.factories import FundusImageFactory
from tests.screening.protocols import found, reader_of, sign, use_protocol, waiting_exam

RIGHT, LEFT = Laterality


@pytest.fixture
def exam(site: Site) -> Exam:
    """Two readers for every exam, side by side with the model."""
    use_protocol(site)
    return waiting_exam(site)


@pytest.fixture
def second(site: Site) -> User:
    return reader_of(site)


def state(exam: Exam) -> str:
    exam.refresh_from_db()
    return exam.status


def test_without_a_protocol_one_reader_signs_the_result(site: Site, reviewer: User) -> None:
    assert isinstance(sign(waiting_exam(site), reviewer, found(2, 0)), Review)
    assert not Reading.objects.exists()


def test_two_readers_who_agree_sign_the_more_severe_finding_of_each_eye(
    exam: Exam, reviewer: User, second: User
) -> None:
    mark = Mark(exam.images.get(laterality=RIGHT).pk, Lesion.HAEMORRHAGES, MarkShape.POINT, ((0.5, 0.25),), None)
    first_findings = found(1, 0)
    first_findings[RIGHT] = found(1, structured=StructuredFindings(other_disease="Drusen"), marks=(mark,))[RIGHT]
    first = sign_findings(exam=exam, findings=first_findings, note="First", by=reviewer)
    assert isinstance(first, Reading)
    assert (first.stage, state(exam)) == ("first", "second_reading")
    assert not Review.objects.exists()
    naevus = found(0, structured=StructuredFindings(other_disease="Naevus"))[RIGHT]
    review = sign(exam, second, {RIGHT: naevus, LEFT: found(0, 1)[LEFT]})
    assert isinstance(review, Review)
    assert (review.reviewer, review.reading_round, state(exam)) == (second, 0, "signed")
    by_eye = {one.laterality: one for one in review.findings.all()}
    assert (by_eye["OD"].grade, by_eye["OS"].grade) == (1, 1)
    assert by_eye["OD"].other_disease == "Drusen; Naevus"
    assert [one.value for one in by_eye["OD"].marks.all()] == [mark]
    assert review.note == "First"
    stages = Reading.objects.filter(exam=exam, reading_round=review.reading_round).values_list("stage", "reader")
    assert set(stages) == {("first", reviewer.pk), ("second", second.pk)}
    assert LesionMark.objects.filter(reading_eye__reading=first).count() == 1
    verbs = AuditEvent.objects.filter(object_type__in=["reading", "review"]).order_by("id").values_list("verb", "actor")
    assert list(verbs) == [
        ("reading.signed", reviewer.pk),
        ("reading.signed", second.pk),
        ("review.signed", second.pk),
    ]


@pytest.mark.parametrize(
    ("findings", "any_difference", "expected"),
    [
        (found(0, 0), False, "signed"),
        (found(1, 0), False, "signed"),
        (found(1, 0), True, "arbitration"),
        (found(2, 0), False, "arbitration"),
        (found(None, 0), False, "arbitration"),
        (found(0, 0, "unknown"), False, "arbitration"),
        (found(0, 0, "centre"), False, "arbitration"),
    ],
)
def test_a_difference_that_changes_what_follows_waits_for_a_senior_reviewer(
    site: Site, reviewer: User, second: User, findings: Any, any_difference: bool, expected: str
) -> None:
    use_protocol(site, arbitrates_any_difference=any_difference)
    exam = waiting_exam(site)
    sign_findings(exam=exam, findings=found(), by=reviewer)
    sign(exam, second, findings)
    assert state(exam) == expected
    assert Review.objects.exists() is (expected == "signed")
    assert AuditEvent.objects.filter(verb="exam.arbitration").exists() is (expected == "arbitration")
    if expected == "arbitration":
        for person in (reviewer, second, reader_of(site, "senior_reviewer")):
            for act in (sign_findings, sign_review):
                with pytest.raises(ReviewError, match="A senior reviewer decides"):
                    act(exam=exam, findings=found(), by=person)


def test_no_person_reads_the_same_exam_twice(exam: Exam, reviewer: User, second: User) -> None:
    sign_findings(exam=exam, findings=found(), by=reviewer)
    for act in (sign_findings, sign_review, record_first_readings):
        with pytest.raises(ReviewError, match="You have signed a reading"):
            act(exam=exam, findings=found(), by=reviewer)
    with pytest.raises(NotWaiting):
        take_exam(exam=exam, by=reviewer)
    with pytest.raises(ExamError, match="No exam is free"):
        take_next_exam(by=reviewer)
    assert take_next_exam(by=second) == exam
    row = Reading.objects.get()
    row.pk, row.stage, row.protocol = uuid.uuid4(), "second", None
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save(force_insert=True)


def test_the_result_cannot_be_signed_past_the_protocol(exam: Exam, reviewer: User, second: User) -> None:
    with pytest.raises(ReviewError, match="demands two readers"):
        sign_review(exam=exam, findings=found(), by=reviewer)
    sign_findings(exam=exam, findings=found(), by=reviewer)
    record_first_readings(exam=exam, findings=found(), by=second)
    with pytest.raises(ReviewError, match="demands two readers"):
        sign_review(exam=exam, findings=found(), by=second)
    with pytest.raises(ExamError, match="Ask a reader to return it"):
        cancel_exam(exam=exam, by=reader_of(exam.site, "manager"))


def test_the_second_reader_stores_an_own_reading_first_at_every_site(exam: Exam, reviewer: User, second: User) -> None:
    assert exam.site.reading_mode == Site.ReadingMode.SIDE_BY_SIDE
    sign_findings(exam=exam, findings=found(), by=reviewer)
    with pytest.raises(ReviewError, match="Record your own first reading"):
        sign_findings(exam=exam, findings=found(), by=second)
    record_first_readings(exam=exam, findings=found(), by=second)
    with pytest.raises(ReviewError, match="Enter the reason"):
        sign_findings(exam=exam, findings=found(1, 0), by=second)
    assert isinstance(sign_findings(exam=exam, findings=found(), by=second), Review)


@pytest.mark.parametrize(
    ("kind", "findings", "number", "expected"),
    [
        ("double_positives", found(), 0.5, "signed"),
        ("double_positives", found(), 0.09, "second_reading"),
        ("double_positives", found(1, 0), 0.5, "second_reading"),
        ("double_positives", found(None, 0), 0.5, "second_reading"),
        ("triage", found(), 0.5, "second_reading"),  # the photographs are not graded: no clear negative
        ("single", found(4, 4), 0.0, "signed"),
    ],
)
def test_positives_and_a_sample_of_negatives_are_read_twice(
    site: Site, reviewer: User, monkeypatch: pytest.MonkeyPatch, kind: str, findings: Any, number: float, expected: str
) -> None:
    use_protocol(site, kind)
    monkeypatch.setattr("screening.policy.protocols.sample_number", lambda *_args: number)
    exam = waiting_exam(site)
    sign_findings(exam=exam, findings=findings, by=reviewer)
    assert state(exam) == expected


def test_a_clear_negative_of_good_quality_has_one_reader_in_triage(
    site: Site, reviewer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_protocol(site, "triage")
    monkeypatch.setattr("screening.policy.protocols.sample_number", lambda *_args: 0.5)
    clear, limited, positive = (waiting_exam(site, *grades) for grades in ((0, 0), (0, 0), (2, 0)))
    Exam.objects.filter(pk=limited.pk).update(quality="limited")
    for exam, expected in ((clear, "signed"), (limited, "second_reading"), (positive, "second_reading")):
        sign_findings(exam=exam, findings=found(), by=reviewer)
        assert state(exam) == expected


def test_a_positive_that_its_reader_changed_after_the_model_counts(
    site: Site, reviewer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_protocol(site, "double_positives")
    monkeypatch.setattr("screening.policy.protocols.sample_number", lambda *_args: 0.5)
    exam = waiting_exam(site)
    record_first_readings(exam=exam, findings=found(2, 0), by=reviewer)
    sign_findings(exam=exam, findings=found(0, 0, changed_reason="Dust on the lens"), by=reviewer)
    assert state(exam) == "second_reading"


def test_the_sample_is_that_of_the_exam_and_its_round(site: Site, reviewer: User) -> None:
    use_protocol(site, "double_positives", negative_percent=50)
    for exam in [waiting_exam(site) for _ in range(6)]:
        is_sampled = sample_number(SamplePurpose.SECOND_READING, exam.pk, 0) < 0.5
        sign_findings(exam=exam, findings=found(), by=reviewer)
        assert state(exam) == ("second_reading" if is_sampled else "signed")


@pytest.mark.parametrize("change", ["return", "withdraw"])
def test_a_reading_of_an_earlier_round_does_not_count(
    exam: Exam, manager: User, reviewer: User, second: User, change: str
) -> None:
    extra = FundusImageFactory(exam=exam, laterality=RIGHT)
    sign_findings(exam=exam, findings=found(4, 4), by=reviewer)
    if change == "return":
        return_exam(exam=exam, reason="Blurred", by=second)
        assert state(exam) == "returned"
        return
    withdraw_image(image=extra, code=FundusImage.WithdrawnCode.POOR_QUALITY, by=manager)
    assert (state(exam), exam.reading_round) == ("submitted", 1)
    again = sign_findings(exam=exam, findings=found(), by=reviewer)
    assert isinstance(again, Reading)
    assert isinstance(sign(exam, second), Review), "it is compared with the reading of this round"


def test_a_result_of_two_readers_that_is_retracted_is_read_by_two_again(
    exam: Exam, reviewer: User, second: User
) -> None:
    sign_findings(exam=exam, findings=found(), by=reviewer)
    review = sign(exam, second)
    assert isinstance(review, Review)
    with pytest.raises(AlreadyReviewed):
        record_first_readings(exam=exam, findings=found(), by=reviewer)
    mark_in_error(review=review, reason="Wrong person", by=reviewer)
    assert state(exam) == ExamState.ENTERED_IN_ERROR
    assert isinstance(sign_findings(exam=exam, findings=found(), by=second), Reading)
    assert isinstance(sign(exam, reviewer), Review)


def test_a_protocol_that_changes_meanwhile_keeps_what_it_demanded(
    exam: Exam, site: Site, reviewer: User, second: User
) -> None:
    sign_findings(exam=exam, findings=found(2, 0), by=reviewer)
    use_protocol(site, "single")
    sign(exam, second)
    assert state(exam) == "arbitration"


def test_readings_with_their_eyes_are_never_changed(exam: Exam, reviewer: User) -> None:
    sign_findings(exam=exam, findings=found(), by=reviewer)
    changes = (
        lambda: Reading.objects.update(note="Other"),
        lambda: ReadingEye.objects.update(grade=4),
        ReadingEye.objects.all().delete,
    )
    for change in changes:
        with pytest.raises(DatabaseError), transaction.atomic():
            change()


def test_an_auditor_computes_the_sample_again(site: Site, reviewer: User) -> None:
    use_protocol(site, "double_positives", negative_percent=50)
    exams = [waiting_exam(site) for _ in range(4)]
    for exam in exams:
        sign_findings(exam=exam, findings=found(), by=reviewer)
    output = StringIO()
    call_command("reading_samples", site.code, stdout=output)
    _head, *lines = output.getvalue().split()
    printed = {line.split(",")[0]: line.rsplit(",", 1)[1] for line in lines}
    assert printed == {str(exam.pk): "yes" if state(exam) == "second_reading" else "no" for exam in exams}


@pytest.mark.parametrize("has_seen", [False, True])
def test_how_blind_a_second_reader_was_is_stored(exam: Exam, reviewer: User, second: User, has_seen: bool) -> None:
    view = {"actor": second, "verb": "exam.viewed", "object_type": "exam", "object_id": str(exam.pk)}
    if has_seen:
        AuditEvent.objects.create(**view)
    sign_findings(exam=exam, findings=found(), by=reviewer)
    AuditEvent.objects.create(**view)  # of the reading page, which hides the result
    record_first_readings(exam=exam, findings=found(), by=second)
    stored = FirstReading.objects.filter(reviewer=second).values_list("not_blind_reason", flat=True)
    assert set(stored) == {"site_shows_result" if has_seen else ""}


def test_an_eye_that_both_readers_find_absent_is_absent(site: Site, reviewer: User, second: User) -> None:
    use_protocol(site)
    exam = waiting_exam(site)
    exam.images.filter(laterality=LEFT).delete()
    absent = found() | {LEFT: found(0, None, is_photographed=False, absent_reason="Prosthesis")[LEFT]}
    sign_findings(exam=exam, findings=absent, by=reviewer)
    assert (state(exam), exam.left_eye_absent_reason) == ("second_reading", "")
    only_right = {RIGHT: absent[RIGHT]}
    record_first_readings(exam=exam, findings=only_right, by=second)
    assert isinstance(sign_findings(exam=exam, findings=absent, by=second), Review)
    assert (state(exam), exam.left_eye_absent_reason) == ("signed", "Prosthesis")
