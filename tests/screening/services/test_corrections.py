"""Moving records to another patient, and results entered in error."""

import datetime
from collections.abc import Callable

import pytest

from ml.vocabulary import ICDRGrade, Laterality
from screening.access import AccessDenied
from screening.models import AuditEvent, Correction, Exam, FirstReading, FundusImage, Patient, Review, Site, User
from screening.policy import MacularOedema
from screening.selectors import (
    corrections_of_exam,
    corrections_of_patient,
    due_on,
    get_exam,
    get_patient,
    get_patient_history,
    get_previous_exam,
    list_exams,
)
from screening.services.corrections import CorrectionRefused, mark_in_error, move_exam, move_image
from screening.services.drafts import save_draft
from screening.services.exam_locks import take_over_exam
from screening.services.exams import ExamError, cancel_exam
from screening.services.gradings import run_grading
from screening.services.reviews import Finding, ReviewError, sign_review
from tests.builders import FakeGrader, make_prediction
from tests.screening.factories import ExamFactory, FundusImageFactory, GradingFactory, MembershipFactory, PatientFactory
from tests.screening.readings import read_eye

Status = Exam.Status
WHY = "Wrong name on the list"
DAY = datetime.date(2026, 5, 31)


@pytest.fixture
def patient(site: Site) -> Patient:
    return PatientFactory(site=site)


@pytest.fixture
def other(site: Site) -> Patient:
    return PatientFactory(site=site)


def make_visit(patient: Patient, day: datetime.date = DAY) -> Exam:
    """A submitted exam with a photograph of each eye, of grade 0."""
    exam: Exam = ExamFactory(patient=patient, is_submitted=True)
    for eye in Laterality:
        image = FundusImageFactory(exam=exam, laterality=eye, captured_on=day, captured_on_source="client")
        GradingFactory(image=image, is_done=True, grade=0)
    return exam


@pytest.fixture
def exam(patient: Patient) -> Exam:
    return make_visit(patient)


def sign(exam: Exam, by: User, grade: int = 0) -> Review:
    findings = {
        eye: Finding(laterality=eye, grade=ICDRGrade(grade), macular_oedema=MacularOedema.NONE) for eye in Laterality
    }
    return sign_review(exam=exam, findings=findings, by=by)


def due(patient: Patient, user: User) -> datetime.date | None:
    return due_on(get_patient(user=user, patient_id=patient.pk))


def feed(user: User) -> list[Exam]:
    """What a hospital system reads as signed."""
    return [exam for exam in list_exams(user=user).filter(status=Status.SIGNED) if exam.current_reviews]  # type: ignore[attr-defined]


def test_a_moved_signed_exam_counts_for_no_one_until_it_is_signed_again(
    exam: Exam, patient: Patient, other: Patient, reviewer: User
) -> None:
    review = sign(exam, reviewer)
    assert due(patient, reviewer) == datetime.date(2027, 5, 31)
    today = datetime.datetime.now(tz=datetime.UTC).date()
    moved = move_exam(exam=exam, to_patient=other, reason=f" {WHY} ", by=reviewer)
    assert (moved.patient, moved.status) == (other, Status.SUBMITTED)
    assert [due(one, reviewer) for one in (patient, other)] == [today, today]
    assert feed(reviewer) == []
    history = get_patient_history(user=reviewer, patient_id=other.pk).exams[0]
    assert (history.current_reviews, history.reviews_in_error) == ([], [review])  # type: ignore[attr-defined]
    again = sign(exam, reviewer)
    assert (due(patient, reviewer), due(other, reviewer)) == (today, datetime.date(2027, 5, 31))
    assert get_exam(user=reviewer, exam_id=exam.pk).review == again
    assert (review.findings.count(), Review.objects.count()) == (2, 2)


def test_a_move_is_audited_and_in_both_histories(exam: Exam, patient: Patient, other: Patient, reviewer: User) -> None:
    move_exam(exam=exam, to_patient=other, reason=WHY, by=reviewer)
    row = Correction.objects.get(kind="exam_moved")
    assert (row.from_patient, row.to_patient, row.reason, row.made_by) == (patient, other, WHY, reviewer)
    for history in (corrections_of_patient(patient), corrections_of_patient(other), corrections_of_exam(exam)):
        assert list(history) == [row]
    event = AuditEvent.objects.get(verb="exam.moved")
    assert event.data == {"exam": str(exam.pk), "from_patient": str(patient.pk), "to_patient": str(other.pk)}
    assert WHY not in str(event.data)


def test_an_open_exam_stays_open_for_its_patient(exam: Exam, other: Patient, manager: User) -> None:
    Exam.objects.update(status=Status.OPEN)
    assert move_exam(exam=exam, to_patient=other, reason=WHY, by=manager).status == Status.OPEN


def test_first_readings_beside_another_patients_history_do_not_count(
    exam: Exam, other: Patient, reviewer: User
) -> None:
    Site.objects.update(reading_mode=Site.ReadingMode.BLIND_FIRST)
    for eye in Laterality:
        FirstReading.objects.create(exam=exam, reviewer=reviewer, laterality=eye, is_gradable=True, grade=0)
    move_exam(exam=exam, to_patient=other, reason=WHY, by=reviewer)
    with pytest.raises(ReviewError, match="own first reading"):
        sign(exam, reviewer)


@pytest.mark.parametrize("is_signed", [False, True])
def test_a_moved_photograph_is_in_an_open_exam_of_the_right_patient(
    exam: Exam, patient: Patient, other: Patient, manager: User, reviewer: User, is_signed: bool
) -> None:
    review = sign(exam, reviewer) if is_signed else None
    image = exam.images.get(laterality="OS")
    moved = move_image(image=image, to_patient=other, reason=WHY, by=manager)
    exam.refresh_from_db()
    assert (moved.exam.patient, moved.exam.status, moved.gradings.count()) == (other, Status.OPEN, 1)
    assert (moved.exam.worst_grade, exam.worst_grade) == (0, 0)
    assert (exam.status, exam.returned_reason) == (Status.RETURNED, "The left eye (OS) has no photograph any more.")
    assert get_exam(user=reviewer, exam_id=exam.pk).review is None
    row = Correction.objects.get(kind="image_moved")
    assert (row.exam, row.to_exam, row.image, row.review) == (exam, moved.exam, moved, review)
    for history in map(corrections_of_patient, (patient, other)):
        assert row in history
    for history in map(corrections_of_exam, (exam, moved.exam)):
        assert row in history
    assert AuditEvent.objects.filter(verb="image.moved", object_id=str(image.pk)).count() == 1
    second = exam.images.get(laterality="OD")
    assert move_image(image=second, to_patient=other, reason=WHY, by=manager).exam == moved.exam


def test_an_exam_that_keeps_both_eyes_is_read_again(exam: Exam, other: Patient, reviewer: User) -> None:
    extra = FundusImageFactory(exam=exam, laterality="OD")
    sign(exam, reviewer)
    move_image(image=extra, to_patient=other, reason=WHY, by=reviewer)
    exam.refresh_from_db()
    assert (exam.status, feed(reviewer)) == (Status.SUBMITTED, [])


def test_a_photograph_is_not_moved_onto_an_absent_eye_or_its_copy(exam: Exam, other: Patient, manager: User) -> None:
    image = exam.images.get(laterality="OS")
    waiting = ExamFactory(patient=other, left_eye_absent_reason="Prosthesis")
    with pytest.raises(CorrectionRefused, match="recorded as absent"):
        move_image(image=image, to_patient=other, reason=WHY, by=manager)
    Exam.objects.filter(pk=waiting.pk).update(left_eye_absent_reason="")
    FundusImageFactory(exam=waiting, laterality="OS", sha256=image.sha256)
    with pytest.raises(CorrectionRefused, match="has this photograph already"):
        move_image(image=image, to_patient=other, reason=WHY, by=manager)
    image.refresh_from_db()
    assert image.exam == exam


Move = Callable[[Exam, Patient, User, str], object]


def _move_exam(exam: Exam, to: Patient, by: User, reason: str) -> object:
    return move_exam(exam=exam, to_patient=to, reason=reason, by=by)


def _move_image(exam: Exam, to: Patient, by: User, reason: str) -> object:
    return move_image(image=FundusImage.objects.filter(exam=exam)[0], to_patient=to, reason=reason, by=by)


@pytest.mark.parametrize("move", [_move_exam, _move_image])
def test_a_move_that_is_refused_changes_nothing(
    move: Move,
    exam: Exam,
    patient: Patient,
    other: Patient,
    other_site: Site,
    manager: User,
    photographer: User,
    outsider: User,
) -> None:
    for user in (photographer, outsider):
        with pytest.raises(AccessDenied):
            move(exam, other, user, WHY)
    refusals = [
        (other, " ", "Enter the reason"),
        (other, "x" * 301, "300"),
        (patient, WHY, "same patient"),
        (PatientFactory(site=other_site), WHY, "one site"),
        (PatientFactory(site=patient.site, merged_into=other), WHY, "merged"),
    ]
    for target, reason, message in refusals:
        with pytest.raises(ExamError, match=message):
            move(exam, target, manager, reason)
    Exam.objects.update(status=Status.CANCELLED)
    with pytest.raises(CorrectionRefused, match="cancelled"):
        move(exam, other, manager, WHY)
    exam.refresh_from_db()
    assert (exam.patient, exam.images.count(), Correction.objects.count()) == (patient, 2, 0)


def test_a_withdrawn_photograph_is_not_moved(exam: Exam, other: Patient, manager: User) -> None:
    image = FundusImageFactory(exam=exam, withdrawn_at=exam.created_at, withdrawn_code="wrong_patient")
    with pytest.raises(CorrectionRefused, match="withdrawn"):
        move_image(image=image, to_patient=other, reason=WHY, by=manager)


def test_a_result_in_error_is_kept_and_the_due_date_falls_back(exam: Exam, patient: Patient, reviewer: User) -> None:
    sign(exam, reviewer)
    later = make_visit(patient, datetime.date(2026, 9, 1))
    wrong = sign(later, reviewer, grade=3)
    assert due(patient, reviewer) is None, "referred"
    mark_in_error(review=wrong, reason="Signed for the next patient", by=reviewer)
    later.refresh_from_db()
    assert (later.status, feed(reviewer)) == (Status.ENTERED_IN_ERROR, [exam])
    assert due(patient, reviewer) == datetime.date(2027, 5, 31)
    assert Review.objects.get(pk=wrong.pk).outcome == "refer_urgent"
    assert wrong.corrections.get().reason == "Signed for the next patient"
    assert AuditEvent.objects.get(verb="review.in_error").object_id == str(wrong.pk)
    with pytest.raises(CorrectionRefused, match="does not count any more"):
        mark_in_error(review=wrong, reason=WHY, by=reviewer)
    with pytest.raises(ReviewError, match="nothing to amend"):
        sign_review(exam=later, findings={}, amends=wrong, amend_reason=WHY, by=reviewer)
    again = sign(later, reviewer, grade=3)
    assert again.pk != wrong.pk
    assert due(patient, reviewer) is None


def test_an_ungradable_visit_in_error_is_no_visit(exam: Exam, patient: Patient, reviewer: User) -> None:
    ungradable = {eye: Finding(laterality=eye, is_gradable=False) for eye in Laterality}
    first = sign_review(exam=exam, findings=ungradable, by=reviewer)
    mark_in_error(review=first, reason=WHY, by=reviewer)
    second = sign_review(exam=make_visit(patient), findings=ungradable, by=reviewer)
    assert second.outcome == "repeat_imaging"


def test_the_whole_chain_of_an_amended_result_stops_counting(exam: Exam, patient: Patient, reviewer: User) -> None:
    first = sign(exam, reviewer)
    findings = {eye: Finding(laterality=eye, is_gradable=False) for eye in Laterality}
    second = sign_review(exam=exam, findings=findings, amends=first, amend_reason="Blurred", by=reviewer)
    with pytest.raises(CorrectionRefused):
        mark_in_error(review=first, reason=WHY, by=reviewer)
    mark_in_error(review=second, reason=WHY, by=reviewer)
    assert feed(reviewer) == []
    assert due(patient, reviewer) == datetime.datetime.now(tz=datetime.UTC).date()


def test_only_reviewers_and_managers_retract_a_result(
    exam: Exam, reviewer: User, manager: User, photographer: User, outsider: User
) -> None:
    review = sign(exam, reviewer)
    for user in (photographer, outsider):
        with pytest.raises(AccessDenied):
            mark_in_error(review=review, reason=WHY, by=user)
    with pytest.raises(CorrectionRefused, match="Enter the reason"):
        mark_in_error(review=review, reason="", by=manager)
    mark_in_error(review=review, reason=WHY, by=manager)


def test_a_cancelled_exam_keeps_everything_and_leaves_the_lists(
    exam: Exam, patient: Patient, photographer: User
) -> None:
    cancel_exam(exam=exam, reason="Patient left", by=photographer)
    assert exam.images.count() == 2
    assert corrections_of_exam(exam)[0].reason == "Patient left"
    assert [one.status for one in get_patient_history(user=photographer, patient_id=patient.pk).exams] == ["cancelled"]
    assert get_previous_exam(user=photographer, exam=make_visit(patient)) is None


def test_a_hidden_result_is_not_revealed_by_the_due_date(exam: Exam, patient: Patient, reviewer: User) -> None:
    Site.objects.update(reading_mode=Site.ReadingMode.BLIND_FIRST)
    colleague = MembershipFactory(site=exam.site, role="reviewer").user
    save_draft(exam=exam, entries={"OD-verdict": "2"}, base_review=None, page_version="", version=0, by=reviewer)
    take_over_exam(exam=exam, holder_id=reviewer.pk, by=colleague)
    for eye in Laterality:
        read_eye(exam=exam, laterality=eye, grade=0, macular_oedema="none", by=colleague)
    sign(exam, colleague)
    today = datetime.datetime.now(tz=datetime.UTC).date()
    assert (due(patient, reviewer), due(patient, colleague)) == (today, datetime.date(2027, 5, 31))


def test_a_photograph_that_is_moved_while_it_is_graded_sorts_its_new_exam(
    exam: Exam, other: Patient, manager: User, fake_grader: FakeGrader
) -> None:
    image = FundusImageFactory(exam=exam, laterality="OS")
    grading = GradingFactory(image=image)
    fake_grader.prediction = make_prediction(4)
    fake_grader.before_answer = lambda: move_image(image=image, to_patient=other, reason=WHY, by=manager)
    run_grading(grading_id=grading.pk)
    image.refresh_from_db()
    exam.refresh_from_db()
    assert (image.exam.patient, image.exam.worst_grade, exam.worst_grade) == (other, 4, 0)
