"""Repeats: taken by *next exam*, read blind once more, stored beside the result, which does not change."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from ml.vocabulary import Laterality
from screening.access import Action, require
from screening.models import AuditEvent, Exam, ExamLock, Reading, Repeat, User
from screening.policy.protocols import ReadingStage, SamplePurpose, is_sampled
from screening.policy.repeats import OFFERED_PERCENT, OPEN_STATES, DropReason, RepeatState
from screening.policy.worklist import WorklistBand
from screening.selectors.exam_locks import free_exams
from screening.selectors.repeats import drop_reason, due_repeats, open_repeats, readable_repeats
from screening.selectors.worklist_filters import WorklistFilters
from screening.services.audit import record_event
from screening.services.drafts import delete_draft
from screening.services.exam_locks import take_next_exam
from screening.services.exams import lock_exam
from screening.services.findings import checked_findings
from screening.services.prefetches import record_shown_photos
from screening.services.readings import store_reading
from screening.services.structured_findings import Finding, ReviewError

Verb = AuditEvent.Verb


class RepeatEnded(ReviewError):
    """The repeat was read or dropped meanwhile."""

    def __init__(self) -> None:
        super().__init__(_("This exam is signed already, so nothing was stored."))


def take_next(*, filters: WorklistFilters, by: User) -> Exam:
    """Take the next free exam as ``take_next_exam``, or before some of them a repeat that is due to ``by``.

    A repeat comes before no exam of the priority band, not into a filtered list, not if no exam is free, and at most
    once in ``PAUSE``. Raises NoFreeExam, AccessDenied.
    """
    require(by, Action.REVIEW_EXAM)
    repeat = _take_repeat(by) if next_repeat(filters=filters, by=by) is not None else None
    return take_next_exam(filters=filters, by=by) if repeat is None else repeat.exam


def next_repeat(*, filters: WorklistFilters, by: User) -> Repeat | None:
    """The repeat that comes before the next free exam of the list, if any; whether one does follows from the exam's id.

    Nothing is stored.
    """
    if filters != WorklistFilters(sort=filters.sort) or not due_repeats(by).exists():
        return None
    exam = free_exams(user=by, filters=filters).first()
    if exam is None or exam.worklist_band == WorklistBand.PRIORITY:
        return None
    is_before = is_sampled(SamplePurpose.REPEAT_OFFER, exam.pk, exam.reading_round, OFFERED_PERCENT)
    return next(readable_repeats(by), None) if is_before else None


@transaction.atomic
def open_repeat_in_advance(*, exam: Exam, by: User) -> bool:
    """Take the repeat of an exam whose page ``by`` loaded in advance, and record the views as for another exam.

    Whether it may still be read. The page is displayed afterwards.
    """
    if next(readable_repeats(by, exam=exam), None) is None or _take_repeat(by, exam=exam) is None:
        return False
    record_hidden_view(exam=exam, by=by)
    return True


def record_hidden_view(*, exam: Exam, by: User) -> None:
    """Record a view of the reading page of a repeat, which shows no result: it does not drop the repeat."""
    record_event(verb=Verb.EXAM_VIEWED, subject=exam, site=exam.site, data={"is_hidden": True}, by=by)
    record_shown_photos(exam=exam, by=by)


@transaction.atomic
def _take_repeat(by: User, *, exam: Exam | None = None) -> Repeat | None:
    """Take the first repeat that is due and may be read; those before it that may not are dropped."""
    due = due_repeats(by) if exam is None else due_repeats(by).filter(exam=exam)
    for repeat in due.select_for_update(of=("self",), skip_locked=True):
        reason = drop_reason(repeat)
        if reason is not None:
            _drop(repeat, reason)
            continue
        repeat.state, repeat.taken_at = RepeatState.TAKEN.value, timezone.now()
        repeat.save(update_fields=["state", "taken_at"])
        record_event(verb=Verb.EXAM_LOCKED, subject=repeat.exam, site=repeat.exam.site, by=by)
        return repeat
    return None


@transaction.atomic
def current_repeat(*, exam: Exam, by: User) -> Repeat | None:
    """The repeat of the exam that ``by`` has open; None if there is none. It is dropped now if it may not be read."""
    repeat = open_repeats(by).select_for_update(of=("self",)).filter(exam=exam).first()
    reason = None if repeat is None else drop_reason(repeat)
    if repeat is not None and reason is not None:
        _drop(repeat, reason)
    return repeat


@transaction.atomic
def store_repeat(*, exam: Exam, findings: Mapping[Laterality, Finding], by: User) -> Reading:
    """Store what ``by`` found in a repeat, without visual acuities; exam, result and all that follows stay the same.

    Raises RepeatEnded if it may not be read any more, ReviewError, AccessDenied.
    """
    locked = lock_exam(exam)
    require(by, Action.REVIEW_EXAM, locked.site)
    repeat = open_repeats(by).select_for_update(of=("self",)).filter(exam=locked).first()
    if repeat is None or drop_reason(repeat) is not None:
        raise RepeatEnded
    without_acuity = {eye: replace(one, acuity="", acuity_correction=None) for eye, one in findings.items()}
    reading = store_reading(locked, ReadingStage.REPEAT, checked_findings(locked, without_acuity), by=by)
    repeat.state, repeat.reading = RepeatState.DONE.value, reading
    repeat.save(update_fields=["state", "reading"])
    delete_draft(locked, by)
    return reading


@transaction.atomic
def give_up_repeat(*, exam: Exam, by: User) -> bool:
    """Drop the repeat of the exam that ``by`` has open; whether there was one."""
    repeat = open_repeats(by).select_for_update(of=("self",)).filter(exam=exam).first()
    if repeat is None:
        return False
    _drop(repeat, DropReason.GIVEN_UP)
    return True


def drop_ended_repeats() -> int:
    """Drop repeats that are not read any more; a second run changes nothing. Returns how many."""
    n_dropped = 0
    states = [state.value for state in OPEN_STATES]
    for pk in Repeat.objects.filter(state__in=states).order_by("pk").values_list("pk", flat=True):
        with transaction.atomic():
            rows = Repeat.objects.select_related("exam__site", "exam__patient", "review", "reader")
            repeat = rows.select_for_update(of=("self",)).filter(pk=pk, state__in=states).first()
            reason = None if repeat is None else drop_reason(repeat)
            if repeat is not None and reason is not None:
                _drop(repeat, reason)
                n_dropped += 1
    return n_dropped


def lock_of(repeat: Repeat) -> ExamLock:
    """The lock that the reading page of a repeat shows. It is not stored: no one else waits for the exam."""
    now = timezone.now()
    ends_at = now + timedelta(minutes=settings.EXAM_LOCK_MINUTES)
    times = {"taken_at": repeat.taken_at or now, "active_at": now, "expires_at": ends_at}
    return ExamLock(exam=repeat.exam, holder=repeat.reader, **times)


def _drop(repeat: Repeat, reason: DropReason) -> None:
    repeat.state, repeat.dropped_reason = RepeatState.DROPPED.value, reason.value
    repeat.save(update_fields=["state", "dropped_reason"])
    if repeat.taken_at is not None:
        delete_draft(repeat.exam, repeat.reader)
    data = {"exam": str(repeat.exam_id), "reason": reason.value}
    record_event(verb=Verb.REPEAT_DROPPED, subject=repeat, site=repeat.exam.site, data=data, by=None)
