"""Random sequences of what people do with an exam, through the services, compared with the transition table."""

from collections.abc import Callable

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ml.vocabulary import ICDRGrade, Laterality
from screening.access import AccessDenied
from screening.models import Exam, FirstReading, FundusImage, Reading, Site, User
from screening.policy import MacularOedema
from screening.policy.exam_states import TRANSITIONS, ExamEvent, ExamState, can_happen, next_state
from screening.services.arbitrations import arbitrate
from screening.services.corrections import mark_in_error
from screening.services.exam_locks import end_lock
from screening.services.exams import ExamError, cancel_exam, submit_exam
from screening.services.hand_overs import return_exam, review_in_force, take_back_exam
from screening.services.images import withdraw_image
from screening.services.reviews import Finding, ReviewError, record_first_readings, sign_review
from tests.screening.factories import ExamFactory, FundusImageFactory
from tests.screening.protocols import reader_of, sign, use_protocol, waiting_exam

E = ExamEvent


def findings(grade: int = 0) -> dict[Laterality, Finding]:
    return {
        eye: Finding(laterality=eye, grade=ICDRGrade(grade), macular_oedema=MacularOedema.NONE) for eye in Laterality
    }


def amend(exam: Exam, by: User) -> None:
    review = review_in_force(exam)
    if review is None:
        raise ReviewError("Nothing is signed.")
    sign_review(exam=exam, findings=findings(), amends=review, amend_reason="Looked again", by=by)


def retract(exam: Exam, by: User) -> None:
    review = review_in_force(exam)
    if review is None:
        raise ReviewError("Nothing is signed.")
    mark_in_error(review=review, reason="Wrong exam", by=by)


def add_and_withdraw(exam: Exam, by: User) -> None:
    extra = FundusImageFactory(exam=exam, laterality=Laterality.RIGHT)
    withdraw_image(image=extra, code=FundusImage.WithdrawnCode.POOR_QUALITY, by=by)


def withdraw_all_of_an_eye(exam: Exam, by: User) -> None:
    for image in exam.images.filter(laterality=Laterality.LEFT, withdrawn_at__isnull=True):
        withdraw_image(image=image, code=FundusImage.WithdrawnCode.POOR_QUALITY, by=by)
    if exam.is_open:
        raise ExamError("An exam that is photographed stays as it is.")


@pytest.fixture
def steps(photographer: User, reviewer: User, manager: User) -> dict[ExamEvent, Callable[[Exam], object]]:
    """What a service does for each event of a site with one reader."""
    return {
        E.SUBMIT: lambda exam: submit_exam(exam=exam, by=photographer),
        E.TAKE_BACK: lambda exam: take_back_exam(exam=exam, by=photographer),
        E.STORE_READING: lambda exam: record_first_readings(exam=exam, findings=findings(), by=reviewer),
        E.SIGN: lambda exam: sign_review(exam=exam, findings=findings(), by=reviewer),
        E.AMEND: lambda exam: amend(exam, reviewer),
        E.MARK_IN_ERROR: lambda exam: retract(exam, reviewer),
        E.READ_AGAIN: lambda exam: add_and_withdraw(exam, manager),
        E.LOSE_PHOTOGRAPHS: lambda exam: withdraw_all_of_an_eye(exam, manager),
        E.RETURN: lambda exam: return_exam(exam=exam, reason="Blurred", by=reviewer),
        E.CANCEL: lambda exam: cancel_exam(exam=exam, by=photographer),
    }


def state_of(exam: Exam) -> ExamState:
    exam.refresh_from_db()
    return ExamState(exam.status)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=st.lists(st.sampled_from([E.SUBMIT, *E]), max_size=12))
def test_services_follow_the_table(
    events: list[ExamEvent], site: Site, reviewer: User, steps: dict[ExamEvent, Callable[[Exam], object]]
) -> None:
    with transaction.atomic():
        exam = ExamFactory(patient__site=site)
        for event in filter(steps.__contains__, events):
            for eye in Laterality:  # one that was withdrawn is taken again
                if exam.is_open and not exam.images.filter(laterality=eye, withdrawn_at__isnull=True).exists():
                    FundusImageFactory(exam=exam, laterality=eye)
            current = FirstReading.objects.filter(exam=exam, reading_round=exam.reading_round)
            before, is_read = state_of(exam), current.exists()
            is_refused = not can_happen(before, event) or (event is E.STORE_READING and is_read)
            try:
                with transaction.atomic():
                    steps[event](exam)
            except (ExamError, ReviewError):
                assert is_refused or event is E.SIGN, f"{event} in {before}"
                assert state_of(exam) is before
                continue
            expected = before if is_refused else next_state(before, event)
            assert state_of(exam) is expected, f"{event} in {before}"
            end_lock(exam)
        transaction.set_rollback(True)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_exams_of_several_readers_follow_the_table(
    data: st.DataObject, site: Site, reviewer: User, manager: User
) -> None:
    """Each signature leaves a waiting exam to another person, or a result; no result comes from one person alone."""
    with transaction.atomic():
        use_protocol(site, data.draw(st.sampled_from(["double_positives", "double_all"])), negative_percent=30)
        seniors = [reader_of(site, "senior_reviewer") for _ in range(3)]
        exam = waiting_exam(site)
        for _ in range(data.draw(st.integers(1, 8))):
            before, person = state_of(exam), data.draw(st.sampled_from([reviewer, *seniors]))
            step = data.draw(st.sampled_from(["sign", "sign", "sign", "decide", "retract", "photo", "cancel"]))
            try:
                with transaction.atomic():
                    take_step(step, exam, person, manager, data.draw(st.integers(0, 3)))
            except (ExamError, ReviewError, AccessDenied):
                assert state_of(exam) is before
                continue
            after = state_of(exam)
            assert after in {target for (source, _event), target in TRANSITIONS.items() if source is before}
            readers = Reading.objects.filter(exam=exam, reading_round=exam.reading_round).values_list("reader")
            assert len(set(readers)) == len(readers), "no one signs twice"
            if after is ExamState.SIGNED and before in {ExamState.SECOND_READING, ExamState.ARBITRATION}:
                assert len(readers) == (2 if before is ExamState.SECOND_READING else 3)
            assert (review_in_force(exam) is not None) is (after is ExamState.SIGNED)
        transaction.set_rollback(True)


def take_step(step: str, exam: Exam, person: User, manager: User, grade: int) -> None:
    if step == "sign":
        sign(exam, person, findings(grade))
    elif step == "decide":
        arbitrate(exam=exam, findings=findings(grade), reason="Looked again", by=person)
    elif step == "retract":
        retract(exam, person)
    elif step == "photo":
        add_and_withdraw(exam, manager)
    else:
        cancel_exam(exam=exam, by=manager)
