"""Locks of exams: a reader takes a waiting exam, keeps it by being active, releases it; a colleague takes it over."""

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from screening.access import Action, require
from screening.labels.dates import time_text
from screening.models import AuditEvent, Exam, ExamLock, ReadingDraft, Site, User
from screening.selectors.exam_locks import free_exams
from screening.selectors.readings import may_read
from screening.selectors.worklist import ALL
from screening.selectors.worklist_filters import WorklistFilters
from screening.services.audit import record_event
from screening.services.exams import ExamError, lock_exam
from screening.services.structured_findings import ReviewError

Verb = AuditEvent.Verb
MIN_UPDATE_INTERVAL = timedelta(seconds=10)
"""Not every activity writes to the table."""


class ExamLocked(ReviewError):
    """A colleague has taken the exam. ``lock`` names the holder and the last activity."""

    def __init__(self, lock: ExamLock) -> None:
        self.lock = lock
        zone = lock.exam.site.zone
        message = _("%(who)s is reading this exam, and was last active at %(active)s. The lock ends at %(end)s.")
        texts = {"active": time_text(lock.active_at, zone), "end": time_text(lock.expires_at, zone)}
        super().__init__(message % {"who": lock.holder, **texts})


class NotWaiting(ExamError):
    """Only an exam that waits for a reader can be taken."""

    def __init__(self) -> None:
        super().__init__(_("This exam does not wait for a reader, so it cannot be taken."))


class NoFreeExam(ExamError):
    """All exams that wait are taken, or none waits."""

    def __init__(self) -> None:
        super().__init__(_("No exam is free: none waits, or colleagues are reading those that wait."))


@transaction.atomic
def take_exam(*, exam: Exam, by: User) -> ExamLock:
    """Take a waiting exam for reading; one that ``by`` has already is kept for longer.

    Raises ExamLocked if a colleague has it, NotWaiting, AccessDenied.
    """
    locked = lock_exam(exam)
    require(by, Action.REVIEW_EXAM, locked.site)
    if not may_read(user=by, exam=locked):
        raise NotWaiting
    lock = _stored_lock(locked)
    _require_free(lock, by)
    return _hold(locked, lock, by)


@transaction.atomic
def take_over_exam(*, exam: Exam, holder_id: UUID, by: User) -> ExamLock:
    """Take an exam from a colleague, of whom ``by`` was warned; the colleague's draft stays.

    One who has entered nothing gets an empty draft: what ``by`` signs is hidden from a reader who had the exam open.

    Raises ExamLocked if another person than ``holder_id`` has it by now, NotWaiting, AccessDenied.
    """
    locked = lock_exam(exam)
    require(by, Action.REVIEW_EXAM, locked.site)
    if not may_read(user=by, exam=locked):
        raise NotWaiting
    lock = _stored_lock(locked)
    if lock is None or not lock.is_in_force() or lock.holder_id == by.pk:
        return _hold(locked, lock, by)
    if lock.holder_id != holder_id:
        raise ExamLocked(lock)
    lock.holder = by
    lock.taken_at = timezone.now()
    _extend(lock)
    empty = {"updated_at": lock.taken_at, "reading_round": locked.reading_round}
    ReadingDraft.objects.get_or_create(exam=locked, reviewer_id=holder_id, defaults=empty)
    record_event(verb=Verb.EXAM_TAKEN_OVER, subject=locked, site=locked.site, data={"from_user": str(holder_id)}, by=by)
    return lock


@transaction.atomic
def release_exam(*, exam: Exam, by: User) -> None:
    """Release an exam that ``by`` has taken; without an effect if it is not so. Raises AccessDenied."""
    locked = lock_exam(exam)
    require(by, Action.REVIEW_EXAM, locked.site)
    _release(ExamLock.objects.filter(exam=locked, holder=by).select_related("exam__site"), by)


@transaction.atomic
def release_all_exams(*, by: User) -> None:
    """Release the exams of a user who logs out; one audit event for each."""
    _release(ExamLock.objects.filter(holder=by).select_related("exam__site"), by)


def release_exams_of(*, person: User, site: Site | None = None, by: User) -> None:
    """Release the exams of a person who may not read any more, at a site or everywhere; drafts stay.

    In the transaction of the caller, which has checked the access of ``by``; one audit event for each.
    """
    locks = ExamLock.objects.filter(holder=person).select_related("exam__site")
    _release(locks if site is None else locks.filter(exam__site=site), by)


def take_next_exam(*, filters: WorklistFilters = ALL, of_seen_people: bool = False, by: User) -> Exam:
    """Take the first free exam of the worklist, as ``free_exams``. Of several calls at once each takes another one.

    NB: the row of an exam is skipped while another transaction has it (SKIP LOCKED; on SQLite writers wait for each
    other). A lock that was stored between query and row lock is found by the query after it.
    Raises NoFreeExam, AccessDenied.
    """
    require(by, Action.REVIEW_EXAM)
    while True:
        with transaction.atomic():
            free = free_exams(user=by, filters=filters, of_seen_people=of_seen_people)
            exam = free.select_for_update(of=("self",), skip_locked=True).first()
            if exam is None:  # the rows of all free exams may be in use for a moment, for example by a grading
                exam = free.select_for_update(of=("self",)).first()
            if exam is None:
                raise NoFreeExam
            lock = _stored_lock(exam)
            if may_read(user=by, exam=exam) and (lock is None or not lock.is_in_force()):
                _hold(exam, lock, by)
                return exam


def hold_if_free(exam: Exam, by: User) -> None:
    """Count an activity of ``by``: keep the exam, or take it if it is free. Call it with the exam locked."""
    if not may_read(user=by, exam=exam):
        return
    lock = _stored_lock(exam)
    if lock is None or not lock.is_in_force() or lock.holder_id == by.pk:
        _hold(exam, lock, by)


def require_free(exam: Exam, by: User) -> None:
    """Raise ExamLocked if a colleague of ``by`` has taken the exam."""
    _require_free(_stored_lock(exam), by)


def end_lock(exam: Exam) -> None:
    """Delete the lock of an exam that does not wait any more. The caller records the event of what happened."""
    ExamLock.objects.filter(exam=exam).delete()


def is_locked(exam: Exam) -> bool:
    """Whether a reader has taken the exam."""
    lock = _stored_lock(exam)
    return lock is not None and lock.is_in_force()


def _stored_lock(exam: Exam) -> ExamLock | None:
    """The lock of the exam, with its holder; it may have ended."""
    lock = ExamLock.objects.select_related("holder").filter(exam=exam).first()
    if lock is not None:
        lock.exam = exam
    return lock


def _require_free(lock: ExamLock | None, by: User) -> None:
    if lock is not None and lock.is_in_force() and lock.holder_id != by.pk:
        raise ExamLocked(lock)


def _hold(exam: Exam, lock: ExamLock | None, by: User) -> ExamLock:
    """Keep ``lock`` if ``by`` holds it; else store one in place of it. Call it with the exam locked."""
    if lock is not None and lock.holder_id == by.pk and lock.is_in_force():
        if timezone.now() - lock.active_at > MIN_UPDATE_INTERVAL:
            _extend(lock)
        return lock
    lock = lock or ExamLock(exam=exam)
    lock.holder = by
    lock.taken_at = timezone.now()
    _extend(lock)
    record_event(verb=Verb.EXAM_LOCKED, subject=exam, site=exam.site, by=by)
    return lock


def _extend(lock: ExamLock) -> None:
    lock.active_at = timezone.now()
    lock.expires_at = lock.active_at + timedelta(minutes=settings.EXAM_LOCK_MINUTES)
    lock.save()


def _release(locks: QuerySet[ExamLock], by: User) -> None:
    for lock in locks:
        if lock.is_in_force():
            data = {} if lock.holder_id == by.pk else {"from_user": str(lock.holder_id)}
            record_event(verb=Verb.EXAM_RELEASED, subject=lock.exam, site=lock.exam.site, data=data, by=by)
        lock.delete()
