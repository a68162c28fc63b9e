"""What happened to an exam since a reviewer opened it for reading."""

from enum import StrEnum

from screening.models import Exam, FirstReading, Reading, Repeat, Review, User
from screening.policy.exam_states import ExamState, is_readable
from screening.policy.repeats import RepeatState


class ReadingChange(StrEnum):
    """What happened since the page was loaded."""

    SIGNED_BY_YOU = "signed_by_you"
    SIGNED_BY_COLLEAGUE = "signed_by_colleague"
    AMENDED = "amended"
    FIRST_READING_STORED = "first_reading_stored"
    NOT_WAITING = "not_waiting"
    TAKEN = "taken"
    """A colleague has taken the exam, so the user cannot sign it."""
    PHOTOS_CHANGED = "photos_changed"
    SCALE_CHANGED = "scale_changed"


def has_read(*, user: User, exam: Exam) -> bool:
    """Whether ``user`` has stored own findings of the exam, as it is now, in a first reading or a signed one."""
    current = {"exam": exam, "reading_round": exam.reading_round}
    is_stored = FirstReading.objects.filter(**current, reviewer=user, is_blind_complete=True).exists()
    return is_stored or Reading.in_protocol.filter(**current, reader=user).exists()


def get_reading_change(
    *, user: User, exam: Exam, base_review: Review | None, is_first_reading: bool = False
) -> ReadingChange | None:
    """What happened since ``user`` opened ``exam`` with this review in force (None: not signed); in two queries.

    None for a repeat that the user has open: its page shows the exam as it was before the signature.
    ``is_first_reading``: the page was opened for the first reading of the user.
    """
    later = []
    reviews = Review.objects.filter(exam=exam, reading_round=exam.reading_round)
    for review in reviews.order_by("-signed_at").only("reviewer_id"):
        if review == base_review:
            break
        later.append(review.reviewer_id)
    if (
        later
        and base_review is None
        and Repeat.objects.filter(reader=user, exam=exam, state=RepeatState.TAKEN).exists()
    ):
        return None
    if user.pk in later:
        return ReadingChange.SIGNED_BY_YOU
    if is_first_reading and has_read(user=user, exam=exam):
        return ReadingChange.FIRST_READING_STORED
    if later:
        return ReadingChange.AMENDED if base_review else ReadingChange.SIGNED_BY_COLLEAGUE
    if not is_readable(ExamState(exam.status)):
        return ReadingChange.NOT_WAITING
    return None
