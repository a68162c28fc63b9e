"""Signed reviews with their findings."""

import uuid

from django.db.models import F, Prefetch, Q, QuerySet
from django.shortcuts import get_object_or_404

from screening.access import restrict
from screening.models import Correction, EyeFinding, Review, User
from screening.selectors.drafts import is_late_reader

IN_FORCE = Q(amendments__isnull=True, reading_round=F("exam__reading_round"))
"""Filter of reviews: those that count. An amended review does not, nor one of an earlier reading round."""


def reviews_with_findings() -> QuerySet[Review]:
    """Reviews with reviewer, exam, findings, amendment and corrections. NB: of all sites; restrict them."""
    findings = Prefetch("findings", EyeFinding.objects.order_by("laterality"))
    corrections = Prefetch("corrections", Correction.objects.select_related("made_by"))
    return Review.objects.select_related("reviewer", "exam").prefetch_related(findings, "amendments", corrections)


def reviews_in_error() -> QuerySet[Review]:
    """Reviews of earlier reading rounds, newest first; ``corrections`` has why they do not count any more.

    Without those that were amended. NB: of all sites; restrict them.
    """
    rows = reviews_with_findings().filter(amendments__isnull=True, reading_round__lt=F("exam__reading_round"))
    return rows.order_by("-signed_at")


def without_unread(reviews: QuerySet[Review], user: User) -> QuerySet[Review]:
    """Reviews without those that a colleague signed while ``user`` was reading the exam (``is_late_reader``)."""
    return reviews.exclude(is_late_reader(user, exam="exam"))


def get_review(*, user: User, review_id: uuid.UUID) -> Review:
    """A signed review of the user's sites, amended or not. Raises Http404."""
    reviews = without_unread(reviews_with_findings().select_related("exam__site"), user)
    return get_object_or_404(restrict(reviews, user), pk=review_id)
