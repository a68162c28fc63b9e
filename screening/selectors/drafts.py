"""Drafts of readings: each user's own, and what a draft hides from its writer."""

import uuid
from datetime import timedelta
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from screening.access import Action, restrict
from screening.models import ArbitrationDraft, Exam, FirstReading, Reading, ReadingDraft, Review, User
from screening.request_facts import only_reads, values_in_request

MAX_AGE = timedelta(days=7)
"""Since the last change. An older draft is not shown and is deleted."""


def get_draft(*, user: User, exam: Exam) -> ReadingDraft | None:
    """The user's own draft for this exam; None if there is none."""
    return own_drafts(user).filter(exam=exam).select_related("base_review").first()


def get_decision_draft(*, user: User, exam: Exam) -> ArbitrationDraft | None:
    """The user's own draft of a decision between two readers; None if there is none."""
    drafts = ArbitrationDraft.objects.filter(arbiter=user, exam=exam, updated_at__gt=timezone.now() - MAX_AGE)
    return restrict(drafts, user, Action.ARBITRATE_EXAM).first()


def is_late_reader(user: User, *, exam: str = "pk") -> Q:
    """Whether ``user`` was reading the exam when a colleague signed it, and has stored and signed no own findings.

    Until then the review is hidden from that user, so that the reading is not influenced. ``exam`` is the path from a
    row to its exam.
    """
    return Q(**{f"{exam}__in": late_exam_ids(user)})


def late_exam_ids(user: User) -> QuerySet[ReadingDraft, Any] | list[uuid.UUID]:
    """``late_exams`` for a filter ``__in``: the ids in a request that only reads."""
    return values_in_request(("late exams", user.pk), lambda: late_exams(user))


def is_read_late(user: User, *, patient: str = "pk") -> Q:
    """Whether ``user`` is a late reader of an exam of the patient, to whom ``patient`` is the path from a row."""
    return Q(**{f"{patient}__in": values_in_request(("late patients", user.pk), lambda: _late_patients(user))})


def _late_patients(user: User) -> QuerySet[Exam, Any]:
    return Exam.objects.filter(is_late_reader(user)).order_by().values_list("patient", flat=True)


def late_exams(user: User) -> QuerySet[ReadingDraft, Any]:
    """Ids of the exams of ``is_late_reader``.

    It starts from the few drafts of the user, so that a database runs it once and not for each row of a list. In a
    request that only reads, a first query asks whether there are any: most users have none, and pages need it often.
    """
    first = _recent_drafts(user).filter(base_review__isnull=True)
    if only_reads() and not first.exists():
        return first.none().values_list("exam", flat=True)
    current = {"exam": OuterRef("exam"), "reading_round": OuterRef("exam__reading_round")}
    read = FirstReading.objects.filter(**current, reviewer=user, is_blind_complete=True)
    own = Reading.in_protocol.filter(**current, reader=user)
    signed = Review.objects.filter(**current)
    drafts = own_drafts(user).filter(base_review__isnull=True, reading_round=F("exam__reading_round"))
    return drafts.filter(~Exists(read), ~Exists(own), Exists(signed)).order_by().values_list("exam", flat=True)


def own_drafts(user: User) -> QuerySet[ReadingDraft]:
    """The user's own drafts that are not too old."""
    return restrict(_recent_drafts(user), user, Action.VIEW_CASE)


def _recent_drafts(user: User) -> QuerySet[ReadingDraft]:
    return ReadingDraft.objects.filter(reviewer=user, updated_at__gt=timezone.now() - MAX_AGE)
