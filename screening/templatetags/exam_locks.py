"""Who reads an exam, and until when. Reads ``exam.lock`` with its holder, which the selectors of exams load."""

from django import template

from screening.labels.dates import time_text
from screening.models import Exam, ExamLock

register = template.Library()


@register.filter
def lock_in_force(exam: Exam) -> ExamLock | None:
    """The lock of the exam; None if it is free."""
    lock: ExamLock | None = getattr(exam, "lock", None)
    if lock is None:
        return None
    lock.exam = exam
    return lock if lock.is_in_force() else None


@register.filter
def lock_end(lock: ExamLock) -> str:
    """``15:04``, in the zone of the site: when the lock ends without further activity."""
    return time_text(lock.expires_at, lock.exam.site.zone)


@register.filter
def lock_activity(lock: ExamLock) -> str:
    """``15:04``: the last activity of the holder."""
    return time_text(lock.active_at, lock.exam.site.zone)


@register.filter
def lock_beginning(lock: ExamLock) -> str:
    """``15:04``: when the holder took the exam."""
    return time_text(lock.taken_at, lock.exam.site.zone)
