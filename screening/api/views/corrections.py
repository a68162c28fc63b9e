"""Corrections: cancelling, moving, withdrawing, merging, results entered in error."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from screening.access import Action
from screening.api.schema import EXAMS, PATIENTS, RESULTS, responses
from screening.api.serializers.corrections import (
    CancelSerializer,
    MergeSerializer,
    MoveSerializer,
    ReasonSerializer,
    WithdrawSerializer,
)
from screening.api.serializers.exams import ExamSerializer
from screening.api.serializers.images import ImageSerializer
from screening.api.serializers.patients import PatientSerializer
from screening.api.serializers.reviews import ReviewSerializer
from screening.api.views.base import ApiView
from screening.api.views.hand_overs import ExamChangeView
from screening.models import FundusImage, Patient, Review
from screening.selectors import get_image_record, get_patient, get_review
from screening.services.corrections import mark_in_error, move_exam, move_image
from screening.services.exams import cancel_exam
from screening.services.images import withdraw_image
from screening.services.merges import merge_patients, unmerge_patients


class ExamCancelView(ExamChangeView):
    """``POST exams/{id}/cancel``"""

    actions = {"POST": Action.CANCEL_EXAM}

    @extend_schema(
        operation_id="cancel_exam",
        tags=[EXAMS],
        summary="Cancel an exam that is not signed",
        description="Everything is kept. The exam leaves the lists: `GET exams` has it with `status=cancelled` only.",
        request=CancelSerializer,
        responses=responses(404, 409, has_body=True, ok=ExamSerializer),
    )
    def post(self, request: Request, exam_id: UUID) -> Response:
        """200. 409 if it is signed or cancelled."""
        cancel_exam(exam=self.get_record(exam_id), **self.validated_data(CancelSerializer), by=self.user)
        return self.record_response(exam_id)


class ExamMoveView(ExamChangeView):
    """``POST exams/{id}/move``"""

    actions = {"POST": Action.CORRECT_RECORD}

    @extend_schema(
        operation_id="move_exam",
        tags=[EXAMS],
        summary="Move an exam to another patient of the same site",
        description="A signed exam is `submitted` again: its result does not count until it is signed again.",
        request=MoveSerializer,
        responses=responses(404, 409, has_body=True, ok=ExamSerializer),
    )
    def post(self, request: Request, exam_id: UUID) -> Response:
        """200. 404 for a patient of another site, 409 if the exam cannot be moved."""
        exam, move = self.get_record(exam_id), self.validated_data(MoveSerializer)
        target = get_patient(user=self.user, patient_id=move["patient"])
        move_exam(exam=exam, to_patient=target, reason=move["reason"], by=self.user)
        return self.record_response(exam_id)


class ImageChangeView(ApiView):
    """Base of views that change a photograph; the response is its record."""

    serializer_class = ImageSerializer

    def get_record(self, record_id: UUID) -> FundusImage:
        """The photograph."""
        return get_image_record(user=self.user, image_id=record_id)


class ImageMoveView(ImageChangeView):
    """``POST images/{id}/move``"""

    actions = {"POST": Action.CORRECT_RECORD}

    @extend_schema(
        operation_id="move_image",
        tags=[EXAMS],
        summary="Move a photograph to another patient of the same site",
        description="It goes into the open exam of that patient, or into a new one: `exam` of the response. The exam "
        "that it leaves is read again, and is `open` if an eye has no photograph now; its result does not "
        "count any more.",
        request=MoveSerializer,
        responses=responses(404, 409, has_body=True, ok=ImageSerializer),
    )
    def post(self, request: Request, image_id: UUID) -> Response:
        """200. 404 for a patient of another site, 409 if the photograph cannot be moved."""
        image, move = self.get_record(image_id), self.validated_data(MoveSerializer)
        target = get_patient(user=self.user, patient_id=move["patient"])
        move_image(image=image, to_patient=target, reason=move["reason"], by=self.user)
        return self.record_response(image_id)


class ImageWithdrawView(ImageChangeView):
    """``POST images/{id}/withdraw``"""

    actions = {"POST": Action.WITHDRAW_IMAGE}

    @extend_schema(
        operation_id="withdraw_image",
        tags=[EXAMS],
        summary="Withdraw a photograph from its exam",
        description="Record and file stay. A submitted exam is read again, and is `open` if an eye has no photograph "
        "now. In a signed exam a manager may do this; the result does not count any more.",
        request=WithdrawSerializer,
        responses=responses(404, 409, has_body=True, ok=ImageSerializer),
    )
    def post(self, request: Request, image_id: UUID) -> Response:
        """200. 409 if it is withdrawn already or the exam is cancelled."""
        withdraw_image(image=self.get_record(image_id), **self.validated_data(WithdrawSerializer), by=self.user)
        return self.record_response(image_id)


class ReviewInErrorView(ApiView):
    """``POST reviews/{id}/entered-in-error``"""

    actions = {"POST": Action.CORRECT_RECORD}
    serializer_class = ReviewSerializer

    def get_record(self, record_id: UUID) -> Review:
        """The review."""
        return get_review(user=self.user, review_id=record_id)

    @extend_schema(
        operation_id="mark_review_in_error",
        tags=[RESULTS],
        summary="Mark a signed result as entered in error",
        description="It is kept with the `status` `entered-in-error`, and does not count: the due date falls back to "
        "the last valid result. The exam is `submitted` again.",
        request=ReasonSerializer,
        responses=responses(404, 409, has_body=True, ok=ReviewSerializer),
    )
    def post(self, request: Request, review_id: UUID) -> Response:
        """200. 409 if it does not count already."""
        mark_in_error(review=self.get_record(review_id), **self.validated_data(ReasonSerializer), by=self.user)
        return self.record_response(review_id)


class PatientChangeView(ApiView):
    """Base of views that change a patient; the response is the patient."""

    serializer_class = PatientSerializer

    def get_record(self, record_id: UUID) -> Patient:
        """The patient."""
        return get_patient(user=self.user, patient_id=record_id)


class PatientMergeView(PatientChangeView):
    """``POST patients/{id}/merge``"""

    actions = {"POST": Action.CORRECT_RECORD}

    @extend_schema(
        operation_id="merge_patient",
        tags=[PATIENTS],
        summary="Merge a record into another record of the same person",
        description="All exams of this record, with their results, belong to the record `into` then. This record "
        "leaves the lists and has `merged_into`. Details of both stay as they are.",
        request=MergeSerializer,
        responses=responses(404, 409, has_body=True, ok=PatientSerializer),
    )
    def post(self, request: Request, patient_id: UUID) -> Response:
        """200. 404 for a patient of another site, 409 if one of the two is merged already."""
        patient, merge = self.get_record(patient_id), self.validated_data(MergeSerializer)
        into = get_patient(user=self.user, patient_id=merge["into"])
        merge_patients(patient=patient, into=into, reason=merge["reason"], by=self.user)
        return self.record_response(patient_id)


class PatientUnmergeView(PatientChangeView):
    """``POST patients/{id}/unmerge``"""

    actions = {"POST": Action.CORRECT_RECORD}

    @extend_schema(
        operation_id="unmerge_patient",
        tags=[PATIENTS],
        summary="Part a merged record from the other one",
        description="It has the exams again that it had before the merge. Exams opened since then stay.",
        request=ReasonSerializer,
        responses=responses(404, 409, has_body=True, ok=PatientSerializer),
    )
    def post(self, request: Request, patient_id: UUID) -> Response:
        """200. 409 if it is not merged."""
        unmerge_patients(patient=self.get_record(patient_id), **self.validated_data(ReasonSerializer), by=self.user)
        return self.record_response(patient_id)
