"""Signed reviews with their findings."""

import uuid

from django.db.models import F, Prefetch, Q, QuerySet
from django.shortcuts import get_object_or_404

from screening.access import restrict
from screening.models import EyeFinding, Review, User

IN_FORCE = Q(amendments__isnull=True, reading_round=F("exam__reading_round"))
"""Filter of reviews: those that count. An amended review does not, nor one of an earlier reading round."""


def reviews_with_findings() -> QuerySet[Review]:
    """Reviews with reviewer, findings and amendment. NB: of all sites; restrict them."""
    findings = Prefetch("findings", EyeFinding.objects.order_by("laterality"))
    return Review.objects.select_related("reviewer").prefetch_related(findings, "amendments")


def get_review(*, user: User, review_id: uuid.UUID) -> Review:
    """A signed review of the user's sites, amended or not. Raises Http404."""
    return get_object_or_404(restrict(reviews_with_findings().select_related("exam__site"), user), pk=review_id)
