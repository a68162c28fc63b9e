"""For whom the reading page of an exam is."""

from screening.access import Action, can
from screening.models import User
from screening.policy.exam_states import ExamState, is_readable
from screening.selectors import ExamDetail
from screening.selectors.readings import may_read


def can_review(user: User, exam_detail: ExamDetail) -> bool:
    """Whether ``user`` may read the exam, or amend its review, in its present state.

    One who does not see the person amends only own reviews: the texts of others could name the person.
    """
    exam, review = exam_detail.exam, exam_detail.review
    state = ExamState(exam.status)
    is_for_user = state is ExamState.SIGNED or (is_readable(state) and may_read(user=user, exam=exam))
    if not (is_for_user and can(user, Action.REVIEW_EXAM, exam.site)):
        return False
    return exam_detail.sees_identity or review is None or review.reviewer_id == user.pk
