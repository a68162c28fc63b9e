"""Locks of exams: taking, keeping, taking over, releasing, the next free exam."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from ml.vocabulary import Laterality
from screening.access import AccessDenied
from screening.models import AuditEvent, Exam, ExamLock, ReadingDraft, Review, Site, User
from screening.selectors.drafts import is_late_reader
from screening.selectors.exam_locks import free_exams
from screening.services import exam_locks
from screening.services.drafts import save_draft
from screening.services.exam_locks import (
    ExamLocked,
    NoFreeExam,
    NotWaiting,
    release_all_exams,
    release_exam,
    take_exam,
    take_next_exam,
    take_over_exam,
)
from screening.services.hand_overs import AlreadyRead, return_exam, take_back_exam
from screening.services.reviews import Finding, record_first_readings, sign_review
from tests.screening.factories import ExamFactory, MembershipFactory, PatientFactory, UserFactory

Verb = AuditEvent.Verb
ABSENT = {eye: Finding(laterality=eye, is_photographed=False, is_gradable=False) for eye in Laterality}


@pytest.fixture
def exam(site: Site) -> Exam:
    return ExamFactory(patient=PatientFactory(site=site), is_submitted=True)


@pytest.fixture
def colleague(site: Site) -> User:
    user = UserFactory(username="second.reader", first_name="Ruth", last_name="Reed")
    return MembershipFactory(site=site, role="reviewer", user=user).user


def end(exam: Exam, *, ago: timedelta = timedelta(seconds=1)) -> None:
    """Let the lock of an exam end."""
    at = timezone.now() - ago
    ExamLock.objects.filter(exam=exam).update(taken_at=at, active_at=at, expires_at=at)


def verbs(exam: Exam) -> list[str]:
    events = AuditEvent.objects.filter(object_id=str(exam.pk)).order_by("id")
    return list(events.values_list("verb", flat=True))


def test_an_exam_is_taken_for_thirty_minutes_and_others_learn_by_whom(
    exam: Exam, reviewer: User, colleague: User
) -> None:
    lock = take_exam(exam=exam, by=colleague)
    assert lock.expires_at - lock.active_at == timedelta(minutes=30)
    with pytest.raises(ExamLocked, match="Ruth Reed is reading this exam"):
        take_exam(exam=exam, by=reviewer)
    assert verbs(exam) == [Verb.EXAM_LOCKED]


def test_activity_extends_the_lock_without_a_further_event(exam: Exam, reviewer: User, settings: Any) -> None:
    settings.EXAM_LOCK_MINUTES = 10
    take_exam(exam=exam, by=reviewer)
    before = timezone.now() - timedelta(minutes=9)
    for extend in (
        lambda: take_exam(exam=exam, by=reviewer),
        lambda: save_draft(exam=exam, entries={"note": "x"}, base_review=None, page_version="", version=0, by=reviewer),
    ):
        ExamLock.objects.update(taken_at=before, active_at=before, expires_at=before + timedelta(minutes=10))
        extend()
        lock = ExamLock.objects.get()
        assert lock.taken_at == before
        assert lock.expires_at > timezone.now() + timedelta(minutes=9)
    assert verbs(exam) == [Verb.EXAM_LOCKED]


def test_a_lock_ends_by_itself(exam: Exam, reviewer: User, colleague: User) -> None:
    take_exam(exam=exam, by=colleague)
    end(exam)
    assert take_exam(exam=exam, by=reviewer).holder == reviewer
    assert take_exam(exam=exam, by=reviewer).is_in_force()


def test_a_draft_takes_a_free_exam_again_and_never_that_of_a_colleague(
    exam: Exam, reviewer: User, colleague: User
) -> None:
    take_exam(exam=exam, by=reviewer)
    end(exam)
    values: dict[str, Any] = {"exam": exam, "base_review": None, "page_version": "", "version": None, "by": reviewer}
    save_draft(entries={"note": "one"}, **values)
    assert ExamLock.objects.get().is_in_force()
    take_over_exam(exam=exam, holder_id=reviewer.pk, by=colleague)
    save_draft(entries={"note": "two"}, **values)
    assert ExamLock.objects.get().holder == colleague
    assert ReadingDraft.objects.get().entries == {"note": "two"}


def test_a_take_over_is_audited_and_the_former_holder_cannot_sign(exam: Exam, reviewer: User, colleague: User) -> None:
    take_exam(exam=exam, by=reviewer)
    take_over_exam(exam=exam, holder_id=reviewer.pk, by=colleague)
    event = AuditEvent.objects.get(verb=Verb.EXAM_TAKEN_OVER)
    assert (event.actor, event.data) == (colleague, {"from_user": str(reviewer.pk)})
    for refused in (
        lambda: sign_review(exam=exam, findings=ABSENT, by=reviewer),
        lambda: record_first_readings(exam=exam, findings={}, by=reviewer),
        lambda: return_exam(exam=exam, reason="Out of focus", by=reviewer),
    ):
        with pytest.raises(ExamLocked, match="Ruth Reed is reading this exam"):
            refused()
    take_over_exam(exam=exam, holder_id=colleague.pk, by=reviewer)
    sign_review(exam=exam, findings=ABSENT, by=reviewer)
    assert Review.objects.get().reviewer == reviewer


def test_what_is_signed_after_a_take_over_is_hidden_from_a_reader_who_had_entered_nothing(
    exam: Exam, reviewer: User, colleague: User
) -> None:
    take_exam(exam=exam, by=reviewer)
    take_over_exam(exam=exam, holder_id=reviewer.pk, by=colleague)
    sign_review(exam=exam, findings=ABSENT, by=colleague)
    late = Exam.objects.filter(is_late_reader(reviewer), pk=exam.pk)
    assert late.exists()
    assert not Exam.objects.filter(is_late_reader(colleague), pk=exam.pk).exists()
    draft = save_draft(exam=exam, entries={"note": "x"}, base_review=None, page_version="", version=0, by=reviewer)
    assert draft.entries == {"note": "x"}


def test_only_the_person_of_the_warning_is_taken_over(exam: Exam, site: Site, reviewer: User, colleague: User) -> None:
    third = MembershipFactory(site=site, role="reviewer").user
    take_exam(exam=exam, by=colleague)
    take_over_exam(exam=exam, holder_id=colleague.pk, by=third)
    with pytest.raises(ExamLocked):
        take_over_exam(exam=exam, holder_id=colleague.pk, by=reviewer)
    assert ExamLock.objects.get().holder == third
    end(exam)
    assert take_over_exam(exam=exam, holder_id=third.pk, by=reviewer).holder == reviewer


def test_a_signature_ends_the_lock(exam: Exam, reviewer: User) -> None:
    take_exam(exam=exam, by=reviewer)
    sign_review(exam=exam, findings=ABSENT, by=reviewer)
    assert not ExamLock.objects.exists()
    with pytest.raises(NotWaiting):
        take_exam(exam=exam, by=reviewer)


def test_a_release_is_audited_and_frees_only_own_exams(exam: Exam, reviewer: User, colleague: User) -> None:
    take_exam(exam=exam, by=reviewer)
    release_exam(exam=exam, by=colleague)
    assert ExamLock.objects.exists()
    release_exam(exam=exam, by=reviewer)
    release_exam(exam=exam, by=reviewer)
    assert not ExamLock.objects.exists()
    assert verbs(exam) == [Verb.EXAM_LOCKED, Verb.EXAM_RELEASED]
    take_exam(exam=exam, by=reviewer)
    release_all_exams(by=colleague)
    assert ExamLock.objects.exists()
    release_all_exams(by=reviewer)
    assert not ExamLock.objects.exists()


def test_the_photographer_cannot_take_back_an_exam_that_is_being_read(
    exam: Exam, photographer: User, reviewer: User
) -> None:
    take_exam(exam=exam, by=reviewer)
    with pytest.raises(AlreadyRead):
        take_back_exam(exam=exam, by=photographer)
    return_exam(exam=exam, reason="Out of focus", by=reviewer)
    assert not ExamLock.objects.exists()


def test_only_readers_of_the_site_take_exams(exam: Exam, photographer: User, outsider: User) -> None:
    for user in (photographer, outsider):
        with pytest.raises(AccessDenied):
            take_exam(exam=exam, by=user)
        with pytest.raises(AccessDenied):
            take_over_exam(exam=exam, holder_id=user.pk, by=user)
    with pytest.raises(AccessDenied):
        take_next_exam(by=photographer)
    with pytest.raises(NoFreeExam):
        take_next_exam(by=outsider)


def test_the_next_exam_is_the_first_free_one_of_the_worklist(site: Site, reviewer: User, colleague: User) -> None:
    now = timezone.now()
    last, first, taken, ended = (
        ExamFactory(patient__site=site, is_submitted=True, due_at=now + timedelta(days=days)) for days in (4, 1, 0, 2)
    )
    ExamFactory(is_submitted=True, due_at=now)  # of another site
    for exam in (taken, ended):
        take_exam(exam=exam, by=colleague)
    end(ended)
    assert [take_next_exam(by=reviewer).pk for _ in range(3)] == [first.pk, ended.pk, last.pk]
    with pytest.raises(NoFreeExam, match="No exam is free"):
        take_next_exam(by=reviewer)


def test_a_lock_that_is_stored_after_the_query_for_free_exams_is_found(
    site: Site, reviewer: User, colleague: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken, free = (ExamFactory(patient__site=site, is_submitted=True) for _ in range(2))
    take_exam(exam=taken, by=colleague)
    stale = iter([Exam.objects.filter(pk=taken.pk)])
    monkeypatch.setattr(exam_locks, "free_exams", lambda *, user, **_more: next(stale, None) or free_exams(user=user))
    assert take_next_exam(by=reviewer) == free
    assert ExamLock.objects.get(exam=taken).holder == colleague
