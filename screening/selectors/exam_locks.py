"""Locks of exams: who reads an exam, and which waiting exams are free."""

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from screening.access import Action, restrict, sites_for
from screening.models import Exam, ExamLock, User
from screening.policy.exam_states import WAITING
from screening.selectors.readings import is_first_reader_waited, is_second_reader_waited
from screening.selectors.worklist import ALL, worklist
from screening.selectors.worklist_filters import WorklistFilters


def get_lock_of_colleague(*, user: User, exam: Exam) -> ExamLock | None:
    """The lock in force on an exam of the user's sites, if another user holds it. One query."""
    waiting = ExamLock.objects.filter(expires_at__gt=timezone.now(), exam__status__in=WAITING)
    others = restrict(waiting, user, Action.VIEW_CASE).filter(exam=exam).exclude(holder=user)
    return others.select_related("holder", "exam__site").first()


def free_exams(*, user: User, filters: WorklistFilters = ALL, of_seen_people: bool = False) -> QuerySet[Exam]:
    """Waiting exams that ``user`` may read next and no reader has taken, filtered, in the order of the worklist.

    ``of_seen_people``: only those whose patient the user may see.
    """
    sites = sites_for(user, Action.REVIEW_EXAM)
    if of_seen_people:
        sites = sites.filter(pk__in=sites_for(user).values("pk"))
    taken = ExamLock.objects.filter(exam=OuterRef("pk"), expires_at__gt=timezone.now())
    waits = is_first_reader_waited() | is_second_reader_waited(user)
    return worklist(user=user, filters=filters).filter(waits, ~Exists(taken), site__in=sites)
