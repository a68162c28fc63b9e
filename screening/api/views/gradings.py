"""Gradings: reading, retrying."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from screening.access import Action
from screening.api.schema import RESULTS, responses
from screening.api.serializers.empty import EmptySerializer
from screening.api.serializers.gradings import GradingDetailSerializer, GradingQuerySerializer, GradingSerializer
from screening.api.serializers.models import NewGradingSerializer
from screening.api.views.base import ApiListView, ApiView
from screening.models import Grading
from screening.selectors import get_grading, get_image, get_revealed_grading, list_gradings
from screening.services.gradings import grade_image, retry_grading

_LOOKUPS = {"status": "status", "image": "image", "exam": "image__exam"}


class GradingListView(ApiListView):
    """``GET gradings``"""

    actions = {"GET": Action.VIEW_PATIENT}
    serializer_class = GradingSerializer

    def get_queryset(self) -> QuerySet[Grading]:
        """Gradings of the user's sites, filtered by status, photograph and exam."""
        query = self.validated_query(GradingQuerySerializer)
        return list_gradings(user=self.user).filter(**{_LOOKUPS[name]: value for name, value in query.items()})

    @extend_schema(
        operation_id="list_gradings",
        tags=[RESULTS],
        summary="Gradings of your sites, newest first",
        description="Without heatmaps. `status=failed` lists those to retry.",
        parameters=[GradingQuerySerializer],
        responses=responses(400, ok=GradingSerializer(many=True)),
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """A page of gradings."""
        return self.list(request, *args, **kwargs)


class GradingDetailView(ApiView):
    """``GET gradings/{id}``"""

    actions = {"GET": Action.VIEW_PATIENT}
    serializer_class = GradingDetailSerializer

    @extend_schema(
        operation_id="get_grading",
        tags=[RESULTS],
        summary="One grading with its heatmap",
        description="Request it every second or two until `status` is `done` or `failed`.",
        responses=responses(404, ok=GradingDetailSerializer),
    )
    def get(self, request: Request, grading_id: UUID) -> Response:
        """Status and result."""
        grading = get_revealed_grading(user=self.user, grading_id=grading_id)
        return Response(GradingDetailSerializer(grading).data)


class GradingRetryView(ApiView):
    """``POST gradings/{id}/retry``"""

    actions = {"POST": Action.RETRY_GRADING}
    serializer_class = GradingDetailSerializer

    def get_record(self, record_id: UUID) -> Grading:
        """The grading."""
        return get_revealed_grading(user=self.user, grading_id=record_id)

    @extend_schema(
        operation_id="retry_grading",
        tags=[RESULTS],
        summary="Retry a failed grading",
        description="With the model in use. If the model was replaced, the response is a new grading.",
        request=None,
        responses=responses(404, 409, ok=GradingDetailSerializer),
    )
    def post(self, request: Request, grading_id: UUID) -> Response:
        """200 with the queued grading. 409 unless it has failed."""
        self.validated_data(EmptySerializer)
        grading = retry_grading(grading=get_grading(user=self.user, grading_id=grading_id), by=self.user)
        return self.record_response(grading.pk)


class ImageGradingView(ApiView):
    """``POST images/{id}/gradings``"""

    actions = {"POST": Action.RETRY_GRADING}
    serializer_class = GradingDetailSerializer

    def get_record(self, record_id: UUID) -> Grading:
        """The grading."""
        return get_revealed_grading(user=self.user, grading_id=record_id)

    @extend_schema(
        operation_id="grade_image",
        tags=[RESULTS],
        summary="Grade a photograph by a model",
        description="Each model has its own grading of a photograph, and both are kept. The one by the model of the "
        "site is current: pages, worklist and `grading` of the photograph have it. Safe to repeat: the response is "
        "the grading that exists, queued again if it has failed.",
        request=NewGradingSerializer,
        responses=responses(404, has_body=True, ok=GradingDetailSerializer),
    )
    def post(self, request: Request, image_id: UUID) -> Response:
        """200 with the grading, which is queued if it is new."""
        model = self.validated_data(NewGradingSerializer).get("model")
        grading = grade_image(image=get_image(user=self.user, image_id=image_id), model=model, by=self.user)
        return self.record_response(grading.pk)
