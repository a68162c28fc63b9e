"""Photographs: uploading, reading their records."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from screening.access import Action
from screening.api.errors import ApiError
from screening.api.schema import EXAMS, responses
from screening.api.serializers.errors import ExistingSerializer
from screening.api.serializers.images import ImageQuerySerializer, ImageSerializer, NewImageSerializer
from screening.api.views.base import ApiListView, ApiView, PhotoUploadView
from screening.models import AuditEvent, FundusImage
from screening.selectors import get_exam_record, get_image_record, list_images
from screening.services.audit import record_event
from screening.services.images import get_or_attach_image


class ExamImageUploadView(PhotoUploadView):
    """``POST exams/{id}/images``"""

    actions = {"POST": Action.UPLOAD_IMAGE}
    serializer_class = ImageSerializer

    def get_record(self, record_id: UUID) -> FundusImage:
        """The photograph."""
        return get_image_record(user=self.user, image_id=record_id)

    @extend_schema(
        operation_id="attach_image",
        tags=[EXAMS],
        summary="Add a photograph of one eye to an open exam",
        description="The response does not wait for the grading: request `GET gradings/{id}` with the id in `grading`. "
        "Safe to repeat: 201 for a new photograph, 200 if the exam has the same file already. Metadata are removed, "
        "and the name of the file is not stored. If the request is refused, nothing is stored.",
        request={"multipart/form-data": NewImageSerializer},
        responses={
            **responses(404, has_body=True, created=ImageSerializer),
            200: OpenApiResponse(ImageSerializer, "The exam has this file already."),
            409: OpenApiResponse(
                ExistingSerializer,
                "The exam is closed (`exam_not_open`), the eye is recorded as absent (`exam_conflict`), or the exam "
                "has this file as a photograph of the other eye (`other_eye`, with `existing_id`).",
            ),
        },
    )
    def post(self, request: Request, exam_id: UUID) -> Response:
        """201 for a new photograph, 200 for a known one. 409 if it is in the exam for the other eye."""
        exam = get_exam_record(user=self.user, exam_id=exam_id)
        data = self.validated_data(NewImageSerializer)
        image, is_new = get_or_attach_image(
            exam=exam, upload=data["photo"], laterality=data["laterality"], field=data["field"], by=self.user
        )
        if image.laterality != data["laterality"]:
            message = _("This exam has this file as a photograph of the other eye. Check which eye it shows.")
            raise ApiError(409, "other_eye", message, {"laterality": message}, existing_id=str(image.pk))
        return self.record_response(image.pk, status=201 if is_new else 200)


class ImageListView(ApiListView):
    """``GET images``"""

    actions = {"GET": Action.VIEW_PATIENT}
    serializer_class = ImageSerializer

    def get_queryset(self) -> QuerySet[FundusImage]:
        """Photographs of the user's sites, also withdrawn ones."""
        return list_images(user=self.user).filter(**self.validated_query(ImageQuerySerializer))

    @extend_schema(
        operation_id="list_images",
        tags=[EXAMS],
        summary="Photographs of your sites, newest first",
        parameters=[ImageQuerySerializer],
        responses=responses(400, ok=ImageSerializer(many=True)),
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """A page of records."""
        return self.list(request, *args, **kwargs)


class ImageDetailView(ApiView):
    """``GET images/{id}``"""

    actions = {"GET": Action.VIEW_PATIENT}
    serializer_class = ImageSerializer

    @extend_schema(
        operation_id="get_image",
        tags=[EXAMS],
        summary="The record of one photograph with its newest grading",
        responses=responses(404, ok=ImageSerializer),
    )
    def get(self, request: Request, image_id: UUID) -> Response:
        """Audited as a view of the photograph."""
        image = get_image_record(user=self.user, image_id=image_id)
        record_event(
            verb=AuditEvent.Verb.IMAGE_VIEWED,
            subject=image,
            site=image.exam.site,
            data={"exam": str(image.exam_id)},
            by=self.user,
        )
        return Response(ImageSerializer(image).data)
