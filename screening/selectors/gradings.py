"""Gradings as programs read them, each with whether the reader may see the model's grade yet."""

import uuid

from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Value, When
from django.db.models.fields import BooleanField
from django.shortcuts import get_object_or_404

from ml.vocabulary import Laterality
from screening.access import Action, restrict, sites_for
from screening.models import FirstReading, Grading, Review, Site, User


def reveal(gradings: QuerySet[Grading], user: User) -> QuerySet[Grading]:
    """Annotate ``is_revealed``: ``ExamDetail.is_model_revealed`` written for the database; a test holds them
    together.

    At a site that reads blind first, whoever reviews there sees the model's grade only after their own.
    """
    exam = "image__exam"
    is_blind = Q(**{f"{exam}__site__reading_mode": Site.ReadingMode.BLIND_FIRST}) & Q(
        **{f"{exam}__site__in": sites_for(user, Action.REVIEW_EXAM)}
    )
    is_signed = Exists(Review.objects.filter(exam=OuterRef(exam)))
    unread = Q()
    for eye, reason in ((Laterality.RIGHT, "right_eye_absent_reason"), (Laterality.LEFT, "left_eye_absent_reason")):
        read = FirstReading.objects.filter(exam=OuterRef(exam), reviewer=user, laterality=eye.value)
        unread |= Q(**{f"{exam}__{reason}": ""}) & ~Q(Exists(read))
    hidden = is_blind & ~Q(is_signed) & unread
    return gradings.annotate(
        is_revealed=Case(When(hidden, then=Value(False)), default=Value(True), output_field=BooleanField())  # noqa: FBT003
    )


def list_gradings(*, user: User, with_heatmap: bool = False) -> QuerySet[Grading]:
    """Gradings of the user's sites, newest first, with ``is_revealed`` and ``exam_id``; the heatmap only if asked."""
    gradings = reveal(restrict(Grading.objects.all(), user), user).annotate(exam_id=F("image__exam_id"))
    return (gradings if with_heatmap else gradings.defer("heatmap")).order_by("-created_at", "pk")


def get_revealed_grading(*, user: User, grading_id: uuid.UUID) -> Grading:
    """A grading of the user's sites with its heatmap and ``is_revealed``. Raises Http404."""
    return get_object_or_404(list_gradings(user=user, with_heatmap=True), pk=grading_id)
