"""Photographs that a reader sees because they are in a teaching set."""

from django.db.models import QuerySet

from screening.access import Action, restrict
from screening.models import Exam, TeachingCase, User


def exams_in_teaching(user: User) -> QuerySet[Exam]:
    """Exams that are in a set that is in use and that ``user`` may read."""
    cases = TeachingCase.objects.filter(
        to_version__isnull=True, exam__isnull=False, teaching_set__archived_at__isnull=True
    )
    return Exam.objects.filter(pk__in=restrict(cases, user, Action.READ_TEACHING_SET).values("exam"))
