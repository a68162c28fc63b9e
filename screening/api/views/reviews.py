"""Signed reviews, read-only: clinicians sign on the pages."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from screening.access import Action
from screening.api.schema import RESULTS, responses
from screening.api.serializers.reviews import ReviewSerializer
from screening.api.views.base import ApiView
from screening.models import AuditEvent
from screening.selectors import get_review
from screening.services.audit import record_event


class ReviewDetailView(ApiView):
    """``GET reviews/{id}``"""

    actions = {"GET": Action.VIEW_PATIENT}
    serializer_class = ReviewSerializer

    @extend_schema(
        operation_id="get_review",
        tags=[RESULTS],
        summary="A signed review with its findings and outcome",
        description="An amended review does not change; `amended_by` is the id of its amendment. A reviewer who was "
        "reading the exam when a colleague signed it gets 404 until the own reading is stored on the pages.",
        responses=responses(404, ok=ReviewSerializer),
    )
    def get(self, request: Request, review_id: UUID) -> Response:
        """Audited as a view of the exam."""
        review = get_review(user=self.user, review_id=review_id)
        record_event(verb=AuditEvent.Verb.EXAM_VIEWED, subject=review.exam, site=review.exam.site, by=self.user)
        return Response(ReviewSerializer(review).data)
