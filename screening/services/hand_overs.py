"""Hand-overs of an exam between photographer and reviewer: returning, taking back, reading again."""

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ml.vocabulary import Laterality
from screening.access import Action, require
from screening.models import AuditEvent, Correction, Exam, FirstReading, ReadingDraft, Review, User
from screening.policy.exam_states import ExamEvent, ExamState, can_happen
from screening.services.audit import record_event
from screening.services.exam_locks import end_lock, is_locked, require_free
from screening.services.exams import ExamError, apply_event, check_length, eyes_without_photograph, lock_exam
from screening.services.recalls import update_recall
from screening.services.referrals import withdraw_referral
from screening.services.worklist import update_priority_later

_UNPHOTOGRAPHED = {
    Laterality.RIGHT: gettext_lazy("The right eye (OD) has no photograph any more."),
    Laterality.LEFT: gettext_lazy("The left eye (OS) has no photograph any more."),
}


class AlreadyRead(ExamError):
    """A reviewer has begun to read the exam, so the photographer cannot take it back."""

    def __init__(self) -> None:
        super().__init__(_("A reviewer is already reading this exam. Ask the reviewer to return it to you."))


@transaction.atomic
def return_exam(*, exam: Exam, reason: str, by: User) -> Exam:
    """Return a submitted exam to the photographer, with a reason that the photographer's list shows.

    Raises ExamLocked if a colleague is reading it, ExamError without a reason or if the exam is not waiting for a
    reviewer, AccessDenied.
    """
    locked = lock_exam(exam)
    require(by, Action.REVIEW_EXAM, locked.site)
    require_free(locked, by)
    reason = reason.strip()
    if not reason:
        raise ExamError(_("Enter what the photographer has to do, for example: left eye out of focus."))
    check_length(reason, Correction, "reason")
    if not locked.is_waiting:
        raise ExamError(_("Only an exam that is waiting for the reviewer can be returned to the photographer."))
    _return(locked, ExamEvent.RETURN, reason, by)
    return locked


@transaction.atomic
def take_back_exam(*, exam: Exam, by: User) -> Exam:
    """Open a submitted exam again for the photographer, until a reviewer has begun to read it.

    Raises AlreadyRead, ExamError if the exam is not waiting for a reviewer, AccessDenied.
    """
    locked = lock_exam(exam)
    require(by, Action.SUBMIT_EXAM, locked.site)
    if not locked.is_waiting:
        raise ExamError(_("Only an exam that is waiting for the reviewer can be taken back."))
    if is_being_read(locked):
        raise AlreadyRead
    apply_event(locked, ExamEvent.TAKE_BACK)
    locked.submitted_at, locked.due_at = None, None
    locked.save(update_fields=["status", "submitted_at", "due_at"])
    update_priority_later(locked.site)
    record_event(verb=AuditEvent.Verb.EXAM_TAKEN_BACK, subject=locked, site=locked.site, by=by)
    return locked


def is_being_read(exam: Exam) -> bool:
    """Whether a reviewer has taken the exam, has recorded a first reading of it as it is now, or has a draft of one."""
    if not can_happen(ExamState(exam.status), ExamEvent.TAKE_BACK):
        return True
    current = {"exam": exam, "reading_round": exam.reading_round}
    has_readings = FirstReading.objects.filter(**current).exists() or ReadingDraft.objects.filter(**current).exists()
    return has_readings or is_locked(exam)


def read_again(exam: Exam, *, event: ExamEvent = ExamEvent.READ_AGAIN, by: User) -> None:
    """After a change of the photographs of a submitted or signed exam: what was read or signed does not count any more.

    ``event``: READ_AGAIN, or MARK_IN_ERROR if the signed result was retracted.

    The exam waits for a reviewer; if a present eye has no photograph now, it is returned to the photographer instead.
    Call it with the exam locked.
    """
    if not can_happen(ExamState(exam.status), ExamEvent.READ_AGAIN):
        return
    withdraw_referral(exam, by=by)
    missing = eyes_without_photograph(exam)
    if missing:
        _return(exam, ExamEvent.LOSE_PHOTOGRAPHS, " ".join(str(_UNPHOTOGRAPHED[eye]) for eye in missing), by)
        return
    apply_event(exam, event)
    exam.reading_round += 1
    exam.save(update_fields=["status", "reading_round"])
    update_recall(exam.patient_id)
    update_priority_later(exam.site)


def review_in_force(exam: Exam) -> Review | None:
    """The signed review that counts, if any."""
    return exam.reviews.filter(amendments__isnull=True, reading_round=exam.reading_round).first()


def _return(exam: Exam, event: ExamEvent, reason: str, by: User) -> None:
    apply_event(exam, event)
    exam.submitted_at, exam.due_at = None, None
    exam.returned_at, exam.returned_reason = timezone.now(), reason
    exam.reading_round += 1
    exam.save(update_fields=["status", "submitted_at", "due_at", "returned_at", "returned_reason", "reading_round"])
    update_recall(exam.patient_id)
    update_priority_later(exam.site)
    end_lock(exam)
    Correction.objects.create(site=exam.site, kind=Correction.Kind.EXAM_RETURNED, exam=exam, reason=reason, made_by=by)
    record_event(verb=AuditEvent.Verb.EXAM_RETURNED, subject=exam, site=exam.site, by=by)
