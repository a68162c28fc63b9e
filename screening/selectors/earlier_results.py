"""What was signed of an exam before it had to be read again, for example before the result was retracted.

It would influence the next reader as the model's result does, so it is hidden until the own reading is stored.
"""

from typing import Any, TypeVar

from django.db.models import Exists, F, Model, OuterRef, Q, QuerySet

from screening.models import Exam, User
from screening.selectors.gradings import unread_by

M = TypeVar("M", bound=Model)


def is_earlier_unread(user: User, *, exam: str = "exam", reading_round: str = "reading_round") -> Q:
    """Rows of an earlier reading round of an exam that ``user`` reads blind and has yet to read.

    The arguments are the paths from a row to its exam and to its round.
    """
    again: QuerySet[Any] = Exam.objects.filter(pk=OuterRef(exam), reading_round__gt=0)
    return Q(**{f"{reading_round}__lt": F(f"{exam}__reading_round")}) & Q(Exists(unread_by(again, user)))


def without_earlier_unread(rows: QuerySet[M], user: User) -> QuerySet[M]:
    """Reviews or readings without those of ``is_earlier_unread``."""
    return rows.exclude(is_earlier_unread(user))
