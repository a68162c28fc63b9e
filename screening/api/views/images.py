"""Photographs: uploading, reading their records."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from screening.access import Action
from screening.api.errors import ApiError
from screening.api.schema import EXAMS, responses
from screening.api.serializers.errors import UploadConflictSerializer
from screening.api.serializers.images import EYE_REQUIRED, ImageQuerySerializer, ImageSerializer, NewImageSerializer
from screening.api.views.base import ApiListView, ApiView, PhotoUploadView
from screening.models import AuditEvent, FundusImage
from screening.selectors import can_see_image, get_exam_to_photograph, get_image_record, list_images
from screening.selectors.uploads import get_upload_of_exam
from screening.services.audit import record_event
from screening.services.dicom_checks import DicomOfOtherEye, DicomOfOtherPatient
from screening.services.images import (
    Answers,
    EyeRequired,
    OnWriting,
    PictureOfOtherEye,
    PictureOfOtherPatient,
    UploadQuestion,
    WritingFound,
    get_or_attach_image,
)
from screening.services.upload_checks import ANSWERABLE
from screening.services.uploads import attach_upload


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
                UploadConflictSerializer,
                "The exam is closed (`exam_not_open`), the eye is recorded as absent (`exam_conflict`), or the exam "
                "has this picture as a photograph of the other eye (`other_eye`): the same file, or one that was "
                "mirrored, resized or encoded again. Or a question: the picture is in the exam of another patient of "
                "the site (`other_patient`), the photograph was taken more than a year ago (`capture_date_old`), the "
                "DICOM file names another person than the patient (`dicom_other_patient`) or the other eye "
                "(`dicom_other_eye`). Send the request again with `confirm`. A date in the future "
                "(`capture_date_future`) can only be corrected. With `writing=question`: something is written outside "
                "the retina (`writing_outside`).",
            ),
        },
    )
    def post(self, request: Request, exam_id: UUID) -> Response:
        """201 for a new photograph, 200 for a known one."""
        exam = get_exam_to_photograph(user=self.user, exam_id=exam_id)
        data = self.validated_data(NewImageSerializer)
        answers = Answers(confirmed=data["confirm"], reason=data["reason"], is_bulk=data["is_bulk"])
        values: dict[str, Any] = {name: data.get(name, "") for name in ("laterality", "field", "pupil")}
        values |= {"captured_on": data.get("captured_on"), "on_writing": OnWriting(data["writing"]), "answers": answers}
        try:
            if "upload" in data:
                upload = get_upload_of_exam(user=self.user, exam=exam, upload_id=data["upload"])
                image, grading = attach_upload(upload=upload, **values, by=self.user)
            else:
                image, grading = get_or_attach_image(exam=exam, upload=data["photo"], **values, by=self.user)
        except PictureOfOtherEye as error:
            details = {"existing_id": str(error.image.pk)}
            raise ApiError(409, "other_eye", str(error), {"laterality": str(error)}, **details) from None
        except EyeRequired:
            raise ValidationError({"laterality": EYE_REQUIRED}) from None
        except UploadQuestion as question:
            raise self._conflict(question, answers) from None
        if grading is None:
            return self.record_response(image.pk)
        grading.is_revealed, grading.exam_id = not exam.is_blind, exam.pk  # type: ignore[attr-defined]  # annotated
        return Response(ImageSerializer(image, context={"grading": grading}).data, status=201)

    def _conflict(self, question: UploadQuestion, answers: Answers) -> ApiError:
        """The question as an error, with what confirms it. The other photograph is named if the user may see it."""
        details: dict[str, Any] = {}
        if question.code in ANSWERABLE:
            details["confirm"] = sorted({*answers.confirmed, question.code})
        if isinstance(question, PictureOfOtherPatient) and can_see_image(user=self.user, image=question.image):
            details["existing_id"] = str(question.image.pk)
        fields = {
            PictureOfOtherPatient: "photo",
            WritingFound: "writing",
            DicomOfOtherPatient: "photo",
            DicomOfOtherEye: "laterality",
        }
        field = fields.get(type(question), "captured_on")
        return ApiError(409, question.code, str(question), {field: str(question)}, **details)


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
