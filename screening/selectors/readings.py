"""Signed readings of exams that several persons read: who may read an exam next, and what may be shown of it."""

import uuid

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from screening.access import Action, can, members_who, site_ids_for
from screening.models import Exam, FirstReading, Reading, User
from screening.policy.exam_states import FIRST_READER_WAITED, ExamState


def own_readings(user: User, *, exam: str = "pk", reading_round: str = "reading_round") -> Exists:
    """Whether ``user`` signed a reading of the exam's present round; the arguments are paths from a row to its exam."""
    current = {"exam": OuterRef(exam), "reading_round": OuterRef(reading_round)}
    return Exists(Reading.in_protocol.filter(**current, reader=user))


def is_first_reader_waited() -> Q:
    """Exams that wait for a first signature."""
    return Q(status__in=FIRST_READER_WAITED)


def is_second_reader_waited(user: User) -> Q:
    """Exams that wait for the signature of a second reader, who may be ``user``."""
    return Q(status=ExamState.SECOND_READING) & ~Q(own_readings(user))


def is_arbiter_waited(user: User) -> Q:
    """Exams on which ``user`` may decide: a senior reviewer who has not read them in this round."""
    sites = site_ids_for(user, Action.ARBITRATE_EXAM)
    stored = FirstReading.objects.filter(exam=OuterRef("pk"), reading_round=OuterRef("reading_round"), reviewer=user)
    return Q(status=ExamState.ARBITRATION, site__in=sites) & ~Q(own_readings(user)) & ~Q(Exists(stored))


def may_read(*, user: User, exam: Exam) -> bool:
    """Whether ``user`` is the person for whom a waiting exam waits: not the first reader, nor an arbiter.

    At most one query.
    """
    if exam.status in FIRST_READER_WAITED:
        return True
    is_second = exam.status == ExamState.SECOND_READING
    return is_second and Exam.objects.filter(is_second_reader_waited(user), pk=exam.pk).exists()


def may_arbitrate(*, user: User, exam: Exam) -> bool:
    """Whether ``user`` may decide between the two readers of the exam; at most one query."""
    is_arbitration = exam.status == ExamState.ARBITRATION
    return is_arbitration and Exam.objects.filter(is_arbiter_waited(user), pk=exam.pk).exists()


def reads_second(user: User, *, exam: str = "") -> Q:
    """Rows of exams that ``user`` would read second, which is blind at every site. ``exam``: path to the exam."""
    path = f"{exam}__" if exam else ""
    own = own_readings(user, exam=exam or "pk", reading_round=f"{path}reading_round")
    sites = site_ids_for(user, Action.REVIEW_EXAM)
    is_second = Q(**{f"{path}status": ExamState.SECOND_READING, f"{path}site__in": sites})
    return is_second & ~Q(own)


def arbitrations_without_arbiter() -> QuerySet[Exam]:
    """Exams that wait for a decision, and no senior reviewer of their site may make it. NB: of all sites."""
    current = {"exam": OuterRef(OuterRef("pk")), "reading_round": OuterRef(OuterRef("reading_round"))}
    signed = Reading.in_protocol.filter(**current, reader=OuterRef("user"))
    stored = FirstReading.objects.filter(**current, reviewer=OuterRef("user"))
    seniors = members_who(Action.ARBITRATE_EXAM).filter(~Exists(signed), ~Exists(stored), site=OuterRef("site"))
    return Exam.objects.filter(~Exists(seniors), status=ExamState.ARBITRATION)


def second_readings_without_reader() -> QuerySet[Exam]:
    """Exams that wait for a second reader, and no other person of their site may read exams. NB: of all sites."""
    current = {"exam": OuterRef(OuterRef("pk")), "reading_round": OuterRef(OuterRef("reading_round"))}
    signed = Reading.in_protocol.filter(**current, reader=OuterRef("user"))
    others = members_who(Action.REVIEW_EXAM).filter(~Exists(signed), site=OuterRef("site"))
    return Exam.objects.filter(~Exists(others), status=ExamState.SECOND_READING)


def count_without_reader(user: User) -> dict[tuple[uuid.UUID, ExamState], int]:
    """How many exams wait for a second reader or an arbiter whom their site lacks, by site and state.

    Of the sites that ``user`` manages. At most one query.
    """
    if not can(user, Action.MANAGE_SITE):
        return {}
    found = (second_readings_without_reader() | arbitrations_without_arbiter()).order_by()
    states = (ExamState.SECOND_READING, ExamState.ARBITRATION)  # implied, but an index can use it
    found = found.filter(site__in=site_ids_for(user, Action.MANAGE_SITE), status__in=states)
    rows = found.values_list("site", "status")
    return {(site, ExamState(status)): n for site, status, n in rows.annotate(n=Count("pk"))}
