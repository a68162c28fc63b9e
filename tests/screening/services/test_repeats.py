"""Repeats: sampled at the signature, taken by *next exam*, stored beside the result, dropped if they are not blind."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from ml.vocabulary import Laterality
from screening.access import AccessDenied
from screening.models import AuditEvent, Exam, Membership, Reading, ReadingDraft, Repeat, Site, User, VisualAcuity
from screening.policy.protocols import SamplePurpose, is_sampled
from screening.policy.repeats import DropReason
from screening.selectors.worklist import ALL
from screening.selectors.worklist_filters import WorklistFilters, WorklistSort
from screening.services.audit import record_event
from screening.services.corrections import mark_in_error
from screening.services.exam_locks import NoFreeExam
from screening.services.hand_overs import review_in_force
from screening.services.repeats import (
    RepeatEnded,
    current_repeat,
    drop_ended_repeats,
    give_up_repeat,
    store_repeat,
    take_next,
)
from screening.services.reviews import sign_review
from screening.tasks import delete_old_drafts
from tests.screening.factories import ExamFactory
from tests.screening.protocols import found, reader_of, sign, use_protocol, waiting_exam
from tests.screening.repeats import Clock, blind_site, exam_before_a_repeat, signed_exam, take_repeat

RIGHT, LEFT = Laterality
Verb = AuditEvent.Verb


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture
def exam(site: Site, reviewer: User, clock: Clock) -> Exam:
    """Signed nine weeks ago; its repeat is due."""
    exam = signed_exam(blind_site(site), reviewer, found(2, 0))
    clock.move(weeks=9)
    return exam


def state(exam: Exam) -> tuple[str, str]:
    row = Repeat.objects.get(exam=exam)
    return row.state, row.dropped_reason


def view(exam: Exam, by: User, verb: AuditEvent.Verb = Verb.EXAM_VIEWED, **data: Any) -> None:
    record_event(verb=verb, subject=exam, site=exam.site, data=data, by=by)


def test_the_draw_follows_from_the_id_of_the_exam(site: Site, reviewer: User) -> None:
    blind_site(site, repeat_percent=40, repeat_weeks=6)
    exams = [signed_exam(site, reviewer) for _ in range(12)]
    sampled = {exam.pk for exam in exams if is_sampled(SamplePurpose.REPEAT, exam.pk, 0, 40)}
    assert set(Repeat.objects.values_list("exam", flat=True)) == sampled
    for repeat in Repeat.objects.all():
        day = timezone.localdate(repeat.review.signed_at, site.zone)
        assert (repeat.due_on - day, repeat.reader, repeat.state) == (timedelta(weeks=6), reviewer, "waiting")


def test_only_a_blind_first_site_has_repeats(site: Site, reviewer: User) -> None:
    use_protocol(site, kind="single", repeat_percent=100)
    signed_exam(site, reviewer)
    blind_site(site, repeat_percent=0)
    signed_exam(site, reviewer)
    assert not Repeat.objects.exists()


def test_both_blind_readers_of_an_exam_get_it_back(site: Site, reviewer: User) -> None:
    blind_site(site, kind="double_all")
    exam, second = waiting_exam(site), reader_of(site)
    sign(exam, reviewer)
    assert not Repeat.objects.exists(), "there is no result yet"
    sign(exam, second)
    assert set(Repeat.objects.values_list("reader", flat=True)) == {reviewer.pk, second.pk}


def test_an_amendment_draws_nothing(site: Site, reviewer: User) -> None:
    exam = signed_exam(blind_site(site), reviewer)
    review = review_in_force(exam)
    sign_review(exam=exam, findings=found(), amends=review, amend_reason="Note", by=reviewer)
    assert Repeat.objects.count() == 1


def test_next_exam_offers_it_between_others_and_not_before_it_is_due(site: Site, reviewer: User, clock: Clock) -> None:
    exam = signed_exam(blind_site(site), reviewer)
    other = exam_before_a_repeat(site)
    clock.move(weeks=7)
    assert take_next(filters=ALL, by=reviewer) == other
    other = exam_before_a_repeat(site)
    clock.move(weeks=1.2)
    colleague = reader_of(site)
    assert take_next(filters=ALL, by=colleague) != exam, "only its reader gets it"
    exam_before_a_repeat(site)
    assert take_next(filters=WorklistFilters(site=site), by=reviewer) != exam, "not into a filtered list"
    exam_before_a_repeat(site)
    assert take_next(filters=WorklistFilters(sort=WorklistSort.DUE), by=reviewer) == exam
    assert state(exam) == ("taken", "")


def test_it_is_never_the_only_exam_nor_before_an_urgent_one(exam: Exam, site: Site, reviewer: User) -> None:
    with pytest.raises(NoFreeExam):
        take_next(filters=ALL, by=reviewer)
    urgent = exam_before_a_repeat(site)
    Exam.objects.filter(pk=urgent.pk).update(worklist_band=0)
    assert take_next(filters=ALL, by=reviewer) == urgent


def test_one_comes_in_an_hour(exam: Exam, site: Site, reviewer: User, clock: Clock) -> None:
    other = signed_exam(site, reviewer)
    clock.move(weeks=9)
    take_repeat(exam, reviewer)
    assert take_next(filters=ALL, by=reviewer) not in {exam, other}
    clock.move(hours=2)
    exam_before_a_repeat(site)
    assert take_next(filters=ALL, by=reviewer) == other


def test_it_is_stored_beside_the_result(exam: Exam, reviewer: User) -> None:
    take_repeat(exam, reviewer)
    findings = found(1, None, acuity="0.5")
    reading = store_repeat(exam=exam, findings=findings, by=reviewer)
    assert (reading.stage, reading.reader, state(exam)) == ("repeat", reviewer, ("done", ""))
    assert [(eye.laterality, eye.grade, eye.acuity) for eye in reading.eyes.all()] == [("OD", 1, ""), ("OS", None, "")]
    assert not VisualAcuity.objects.exists()
    assert not Reading.in_protocol.exists()
    with pytest.raises(RepeatEnded):
        store_repeat(exam=exam, findings=findings, by=reviewer)
    assert Reading.objects.count() == 1


def amend(exam: Exam, by: User) -> None:
    findings = found(3, 0, changed_reason="Looked again")
    sign_review(exam=exam, findings=findings, amends=review_in_force(exam), amend_reason="Looked again", by=by)


def retract(exam: Exam, by: User) -> None:
    review = review_in_force(exam)
    assert review is not None
    mark_in_error(review=review, reason="Wrong exam", by=by)


def leave(exam: Exam, by: User) -> None:
    Membership.objects.filter(user=by).delete()


def deactivate(exam: Exam, by: User) -> None:
    User.objects.filter(pk=by.pk).update(is_active=False)


def change_mode(exam: Exam, by: User) -> None:
    Site.objects.update(reading_mode=Site.ReadingMode.SIDE_BY_SIDE)


def photograph_again(exam: Exam, by: User) -> None:
    ExamFactory(patient=exam.patient)


def view_person(exam: Exam, by: User) -> None:
    record_event(verb=Verb.PATIENT_VIEWED, subject=exam.patient, site=exam.site, by=by)


def view_photograph_by_the_api(exam: Exam, by: User) -> None:
    data = {"route": "api:image", "record": str(exam.images.all()[0].pk)}
    record_event(verb=Verb.RECORD_VIEWED, subject=None, site=exam.site, data=data, by=by)


ENDS: list[tuple[Callable[[Exam, User], None], DropReason]] = [
    (amend, DropReason.RESULT_CHANGED),
    (retract, DropReason.RESULT_CHANGED),
    (leave, DropReason.READER_LEFT),
    (deactivate, DropReason.READER_LEFT),
    (change_mode, DropReason.SITE_CHANGED),
    (photograph_again, DropReason.LATER_EXAM),
    (view, DropReason.VIEWED),
    (view_person, DropReason.VIEWED),
    (view_photograph_by_the_api, DropReason.VIEWED),
]


@pytest.mark.parametrize("is_taken", [False, True])
@pytest.mark.parametrize(("act", "reason"), ENDS)
def test_what_ends_it(
    exam: Exam, reviewer: User, act: Callable[[Exam, User], None], reason: DropReason, is_taken: bool
) -> None:
    assert drop_ended_repeats() == 0
    if is_taken:
        take_repeat(exam, reviewer)
    act(exam, reviewer)
    if is_taken:
        with pytest.raises((RepeatEnded, AccessDenied)):
            store_repeat(exam=exam, findings=found(), by=reviewer)
        assert state(exam) == ("taken", ""), "a refused reading stores nothing"
    delete_old_drafts()
    assert state(exam) == ("dropped", reason)
    event = AuditEvent.objects.get(verb=Verb.REPEAT_DROPPED)
    assert (event.data, event.actor) == ({"exam": str(exam.pk), "reason": reason}, None)
    assert drop_ended_repeats() == 0, "a second run changes nothing"


def test_views_of_others_and_those_of_the_day_of_signature_do_not_end_it(
    site: Site, reviewer: User, clock: Clock
) -> None:
    exam = signed_exam(blind_site(site), reviewer)
    view(exam, reviewer)
    clock.move(weeks=9)
    view(exam, reader_of(site))
    assert drop_ended_repeats() == 0
    take_repeat(exam, reviewer)
    view(exam, reviewer, is_hidden=True)
    view(exam, reviewer, Verb.RECORD_VIEWED, route="screening:exam-review-status", record=str(exam.pk))
    for image in exam.images.all():
        record_event(verb=Verb.IMAGE_VIEWED, subject=image, site=site, by=reviewer)
    record_event(verb=Verb.LIST_VIEWED, subject=None, site=None, data={"route": "screening:worklist"}, by=reviewer)
    current_repeat(exam=exam, by=reviewer)
    assert state(exam) == ("taken", ""), "its own page shows no result"
    record_event(verb=Verb.LIST_VIEWED, subject=None, site=None, data={}, by=reviewer)
    current_repeat(exam=exam, by=reviewer)
    assert state(exam) == ("dropped", "viewed")


def test_next_exam_drops_one_that_was_seen_and_takes_the_next_one(
    exam: Exam, site: Site, reviewer: User, clock: Clock
) -> None:
    other = signed_exam(site, reviewer)
    clock.move(weeks=9)
    view(exam, reviewer)
    take_repeat(other, reviewer)
    assert state(exam) == ("dropped", "viewed")


@pytest.mark.parametrize(("is_taken", "period"), [(False, {"weeks": 12}), (True, {"days": 1.1})])
def test_one_that_is_not_read_in_time_is_dropped(
    exam: Exam, reviewer: User, clock: Clock, is_taken: bool, period: dict[str, float]
) -> None:
    if is_taken:
        take_repeat(exam, reviewer)
    clock.move(**period)
    assert (drop_ended_repeats(), drop_ended_repeats()) == (1, 0)
    assert state(exam) == ("dropped", "too_late")


def test_its_reader_gives_it_up(exam: Exam, reviewer: User, site: Site) -> None:
    take_repeat(exam, reviewer)
    ReadingDraft.objects.create(exam=exam, reviewer=reviewer, updated_at=timezone.now(), entries={"note": "x"})
    assert not give_up_repeat(exam=exam, by=reader_of(site))
    assert give_up_repeat(exam=exam, by=reviewer)
    assert not give_up_repeat(exam=exam, by=reviewer)
    assert state(exam) == ("dropped", "given_up")
    assert not ReadingDraft.objects.exists(), "the entries are of no use"
