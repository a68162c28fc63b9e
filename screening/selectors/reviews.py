"""Signed reviews with their findings."""

import uuid
from collections.abc import Iterable
from typing import Any

from django.db.models import Exists, F, OuterRef, Prefetch, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.shortcuts import get_object_or_404

from screening.access import restrict
from screening.models import Correction, Exam, EyeFinding, FirstReading, Review, User
from screening.selectors.drafts import is_late_reader
from screening.selectors.earlier_results import without_earlier_unread

IN_FORCE = Q(~Exists(Review.objects.filter(amends=OuterRef("pk"))), reading_round=F("exam__reading_round"))
"""Filter of reviews: those that count. An amended review does not, nor one of an earlier reading round.

NB: of ``amendments__isnull`` PostgreSQL expects one row for the whole table, and joins in a bad order.
"""


def reviews_with_findings() -> QuerySet[Review]:
    """Reviews with reviewer, exam, findings, amendment and corrections. NB: of all sites; restrict them."""
    reviews = with_not_blind(Review.objects.select_related("reviewer", "exam", "outcome_table"))
    return reviews.prefetch_related(*_findings_and_corrections(), "amendments")


def current_with_findings() -> QuerySet[Review]:
    """Reviews that count, as parts of their exams: with reviewer, findings and corrections.

    They have no amendments, which are not asked for. NB: of all sites; restrict them.
    """
    reviews = with_not_blind(Review.objects.filter(IN_FORCE).select_related("reviewer"))
    return reviews.prefetch_related(*_findings_and_corrections(), Prefetch("amendments", Review.objects.none()))


def _findings_and_corrections() -> tuple[Any, Any]:
    findings = Prefetch("findings", EyeFinding.objects.order_by("laterality").prefetch_related("marks"))
    return findings, Prefetch("corrections", Correction.objects.select_related("made_by", "image"))


def with_not_blind(reviews: QuerySet[Review]) -> QuerySet[Review]:
    """Annotate ``not_blind_reason``: that of the signer's first readings of the exam; empty if there is none."""
    own = FirstReading.objects.filter(
        exam=OuterRef("exam"), reviewer=OuterRef("reviewer"), reading_round=OuterRef("reading_round")
    )
    reasons = own.exclude(not_blind_reason="").order_by("created_at").values("not_blind_reason")
    return reviews.annotate(not_blind_reason=Coalesce(Subquery(reasons[:1]), Value("")))


def replaced_reviews(reviews: Iterable[Review]) -> tuple[tuple[Review, Review], ...]:
    """Each amended review with its amendment, in the order of ``reviews``."""
    reviews = tuple(reviews)
    newer = {one.amends_id: one for one in reviews}
    return tuple((one, newer[one.pk]) for one in reviews if one.pk in newer)


def reviews_in_error(user: User) -> QuerySet[Review]:
    """Reviews of earlier reading rounds, newest first; ``corrections`` has why they do not count any more.

    Without those that were amended, and those that are hidden from ``user``, who reads the exam again (
    ``earlier_results``). NB: of all sites; restrict them.
    """
    rows = reviews_with_findings().filter(amendments__isnull=True, reading_round__lt=F("exam__reading_round"))
    return without_earlier_unread(rows, user).order_by("-signed_at")


def visible_reviews(*, user: User, exam: Exam) -> QuerySet[Review]:
    """The signed reviews of an exam that ``user`` may see, newest first, with findings."""
    rows = without_unread(reviews_with_findings().filter(exam=exam), user)
    return restrict(without_earlier_unread(rows, user), user).order_by("-signed_at")


def without_unread(reviews: QuerySet[Review], user: User) -> QuerySet[Review]:
    """Reviews without those that a colleague signed while ``user`` was reading the exam (``is_late_reader``)."""
    return reviews.exclude(is_late_reader(user, exam="exam"))


def get_review(*, user: User, review_id: uuid.UUID) -> Review:
    """A signed review of the user's sites, amended or not. Raises Http404."""
    reviews = without_unread(reviews_with_findings().select_related("exam__site"), user)
    reviews = without_earlier_unread(reviews, user)
    return get_object_or_404(restrict(reviews, user), pk=review_id)
