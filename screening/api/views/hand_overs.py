"""Hand-overs of an exam: eyes that were not photographed, taking back, returning to the photographer."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from screening.access import Action
from screening.api.schema import EXAMS, responses
from screening.api.serializers.corrections import ReasonSerializer
from screening.api.serializers.empty import EmptySerializer
from screening.api.serializers.exams import ExamSerializer, NotPhotographedSerializer, UnobtainableSerializer
from screening.api.views.base import ApiView
from screening.models import Exam
from screening.selectors import get_exam_record
from screening.services.exams import mark_eye_not_photographed
from screening.services.hand_overs import return_exam, take_back_exam
from screening.services.unobtainable_eyes import mark_eye_unobtainable


class ExamChangeView(ApiView):
    """Base of views that change an exam; the response is the exam."""

    serializer_class = ExamSerializer

    def get_record(self, record_id: UUID) -> Exam:
        """The exam."""
        return get_exam_record(user=self.user, exam_id=record_id)


class NotPhotographedView(ExamChangeView):
    """``POST exams/{id}/not-photographed``"""

    actions = {"POST": Action.UPLOAD_IMAGE}

    @extend_schema(
        operation_id="mark_eye_not_photographed",
        tags=[EXAMS],
        summary="Record why a present eye has no photograph at this visit",
        description="The exam can then be submitted. The eye is signed as not photographed, which is never a negative: "
        "the photographs are taken again, and after two visits the eye is referred for slit-lamp examination.",
        request=NotPhotographedSerializer,
        responses=responses(404, 409, has_body=True, ok=ExamSerializer),
    )
    def post(self, request: Request, exam_id: UUID) -> Response:
        """200. 409 if the exam is closed, or the eye has photographs or is absent."""
        exam = self.get_record(exam_id)
        mark_eye_not_photographed(exam=exam, **self.validated_data(NotPhotographedSerializer), by=self.user)
        return self.record_response(exam_id)


class UnobtainableView(ExamChangeView):
    """``POST exams/{id}/unobtainable``"""

    actions = {"POST": Action.UPLOAD_IMAGE}

    @extend_schema(
        operation_id="mark_eye_unobtainable",
        tags=[EXAMS],
        summary="Record why no gradable photograph of a present eye can be obtained",
        description="After three ungradable photographs of the eye. Unless the reviewer can grade it, the eye is "
        "referred for slit-lamp examination; it is never a negative. A further photograph deletes the record.",
        request=UnobtainableSerializer,
        responses=responses(404, 409, has_body=True, ok=ExamSerializer),
    )
    def post(self, request: Request, exam_id: UUID) -> Response:
        """200. 409 if it is too early, the exam is closed, or a photograph of the eye is gradable."""
        exam = self.get_record(exam_id)
        mark_eye_unobtainable(exam=exam, **self.validated_data(UnobtainableSerializer), by=self.user)
        return self.record_response(exam_id)


class ExamTakeBackView(ExamChangeView):
    """``POST exams/{id}/take-back``"""

    actions = {"POST": Action.SUBMIT_EXAM}

    @extend_schema(
        operation_id="take_back_exam",
        tags=[EXAMS],
        summary="Open a submitted exam again, until a reviewer has begun to read it",
        request=None,
        responses=responses(404, 409, ok=ExamSerializer),
    )
    def post(self, request: Request, exam_id: UUID) -> Response:
        """200. 409 if a reviewer has begun to read it (`already_read`), or it does not wait for one."""
        self.validated_data(EmptySerializer)
        take_back_exam(exam=self.get_record(exam_id), by=self.user)
        return self.record_response(exam_id)


class ExamReturnView(ExamChangeView):
    """``POST exams/{id}/return``"""

    actions = {"POST": Action.REVIEW_EXAM}

    @extend_schema(
        operation_id="return_exam",
        tags=[EXAMS],
        summary="Return a submitted exam to the photographer, with a reason",
        request=ReasonSerializer,
        responses=responses(404, 409, has_body=True, ok=ExamSerializer),
    )
    def post(self, request: Request, exam_id: UUID) -> Response:
        """200; the exam is open again. 409 if it does not wait for a reviewer."""
        exam = self.get_record(exam_id)
        return_exam(exam=exam, **self.validated_data(ReasonSerializer), by=self.user)
        return self.record_response(exam_id)
