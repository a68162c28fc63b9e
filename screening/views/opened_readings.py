"""Exams that a reviewer has open for reading, before anything is entered; kept in the session.

If a colleague signs meanwhile, what was signed stays hidden: the reviewer began the reading first.
"""

from screening.models import Exam
from screening.selectors import ReadingChange, get_reading_change, has_read
from screening.services.drafts import save_draft
from screening.views.decorators import AuthenticatedRequest

_SESSION_KEY = "opened_readings"
_MAX_EXAMS = 50


def remember_reading(request: AuthenticatedRequest, exam: Exam) -> bool:
    """Remember that the user has this exam open; True if a colleague signed since then.

    In that case an empty draft is made, which hides what was signed until the user's own reading is stored.
    """
    if exam.is_waiting:
        remember_opened(request, exam)
        return False
    user = request.user
    if _key(exam) not in request.session.get(_SESSION_KEY, []):
        return False
    forget_reading(request, exam)
    change = get_reading_change(user=user, exam=exam, base_review=None)
    if change is not ReadingChange.SIGNED_BY_COLLEAGUE or has_read(user=user, exam=exam):
        return False
    if not exam.reading_drafts.filter(reviewer=user).exists():
        save_draft(exam=exam, entries={}, base_review=None, page_version="", version=None, by=user)
    return True


def remember_opened(request: AuthenticatedRequest, exam: Exam) -> None:
    """Remember that the user has this exam open, also as a repeat: the answers to both are the same."""
    opened = request.session.get(_SESSION_KEY, [])
    if _key(exam) not in opened:
        request.session[_SESSION_KEY] = [*opened, _key(exam)][-_MAX_EXAMS:]


def forget_reading(request: AuthenticatedRequest, exam: Exam) -> None:
    """The user gave up the reading, or a draft took its place."""
    opened = request.session.get(_SESSION_KEY, [])
    if _key(exam) in opened:
        request.session[_SESSION_KEY] = [one for one in opened if one != _key(exam)]


def _key(exam: Exam) -> str:
    return f"{exam.pk}:{exam.reading_round}"
