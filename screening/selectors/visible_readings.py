"""Signed readings of exams that several persons read, as far as a user may see them."""

from django.db.models import F, Prefetch, Q, QuerySet

from screening.models import Exam, Reading, ReadingEye, User
from screening.policy.exam_states import FIRST_READER_WAITED, ExamState
from screening.selectors.drafts import is_late_reader


def visible_readings(user: User) -> QuerySet[Reading]:
    """Readings with eyes and marks that ``user`` may see: own ones, and all once the exam waits for no second reader.

    Of the present round of each exam, so that none is of before an exam that ``user`` reads again. NB: of all sites;
    restrict them.
    """
    is_for_others = ~Q(exam__status=ExamState.SECOND_READING) & ~Q(is_late_reader(user, exam="exam"))
    rows = Reading.in_protocol.filter(Q(reader=user) | is_for_others, reading_round=F("exam__reading_round"))
    eyes = Prefetch("eyes", ReadingEye.objects.order_by("laterality").prefetch_related("marks"))
    return rows.select_related("reader", "taken_over__reader").prefetch_related(eyes).order_by("signed_at", "pk")


def readings_in_round(*, user: User, exam: Exam) -> list[Reading]:
    """Signed readings of the exam's present round that ``user`` may see, in the order of signature."""
    if exam.is_open or exam.status in FIRST_READER_WAITED:
        return []  # none is signed in this round
    return list(visible_readings(user).filter(exam=exam))
