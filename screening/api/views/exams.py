"""Exams: opening, reading, absent eyes, submitting."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from screening.access import Action
from screening.api.errors import ApiError
from screening.api.schema import EXAMS, NEW_EXAM_EXAMPLE, responses
from screening.api.serializers.exams import (
    AbsentEyeSerializer,
    ExamQuerySerializer,
    ExamSerializer,
    NewExamSerializer,
    SubmitSerializer,
)
from screening.api.views.base import ApiListView, ApiView
from screening.models import AuditEvent, Exam
from screening.policy import Urgency
from screening.selectors import get_exam_record, get_patient, list_exams
from screening.services.audit import record_event
from screening.services.exams import HandOverQuestion, get_or_open_exam, mark_eye_absent, submit_exam


class ExamListView(ApiListView):
    """``GET`` and ``POST exams``"""

    actions = {"GET": Action.VIEW_PATIENT, "POST": Action.OPEN_EXAM}
    serializer_class = ExamSerializer

    def get_record(self, record_id: UUID) -> Exam:
        """The exam."""
        return get_exam_record(user=self.user, exam_id=record_id)

    def get_queryset(self) -> QuerySet[Exam]:
        """Exams of the user's sites, filtered by status and patient; cancelled ones by their status only."""
        chosen = self.validated_query(ExamQuerySerializer)
        exams = list_exams(user=self.user).filter(**chosen)
        return exams if "status" in chosen else exams.exclude(status=Exam.Status.CANCELLED)

    @extend_schema(
        operation_id="list_exams",
        tags=[EXAMS],
        summary="Exams of your sites, newest first",
        description="With photographs, gradings and the signed review. `status=signed` lists those that are signed, "
        "`status=cancelled` those that are cancelled, which are not listed otherwise.",
        parameters=[ExamQuerySerializer],
        responses=responses(400, ok=ExamSerializer(many=True)),
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """A page of exams."""
        return self.list(request, *args, **kwargs)

    @extend_schema(
        operation_id="open_exam",
        tags=[EXAMS],
        summary="Open an exam, or get the patient's open one",
        description="201 for a new exam. 200 if the patient has an open exam already: it is returned, and may be from "
        "an earlier day (`created_at`).",
        request=NewExamSerializer,
        responses={
            **responses(404, has_body=True, created=ExamSerializer),
            200: OpenApiResponse(ExamSerializer, "The patient has an open exam already."),
        },
        examples=[NEW_EXAM_EXAMPLE],
    )
    def post(self, request: Request) -> Response:
        """201, or 200 for the exam that is open. 404 for a patient of another site."""
        patient = get_patient(user=self.user, patient_id=self.validated_data(NewExamSerializer)["patient"])
        exam, is_new = get_or_open_exam(patient=patient, by=self.user)
        return self.record_response(exam.pk, status=201 if is_new else 200)


class ExamDetailView(ApiView):
    """``GET exams/{id}``"""

    actions = {"GET": Action.VIEW_PATIENT}
    serializer_class = ExamSerializer

    @extend_schema(
        operation_id="get_exam",
        tags=[EXAMS],
        summary="One exam with photographs, gradings and signed review",
        description="Request it until `n_pending` is 0 to wait for the model, and until `review` is not null to wait "
        "for the clinician.",
        responses=responses(404, ok=ExamSerializer),
    )
    def get(self, request: Request, exam_id: UUID) -> Response:
        """Audited as a view of the exam."""
        exam = get_exam_record(user=self.user, exam_id=exam_id)
        record_event(verb=AuditEvent.Verb.EXAM_VIEWED, subject=exam, site=exam.site, by=self.user)
        return Response(ExamSerializer(exam).data)


class ExamSubmitView(ApiView):
    """``POST exams/{id}/submit``"""

    actions = {"POST": Action.SUBMIT_EXAM}
    serializer_class = ExamSerializer

    def get_record(self, record_id: UUID) -> Exam:
        """The exam."""
        return get_exam_record(user=self.user, exam_id=record_id)

    @extend_schema(
        operation_id="submit_exam",
        tags=[EXAMS],
        summary="Submit an exam for review",
        description="Each eye needs a photograph or a reason why it has none; otherwise 409, `eye_not_photographed`. "
        "If a field that the site requires was not photographed: 409, `fields_missing`; send the request again with "
        "`confirm`. Gradings may be unfinished.",
        request=SubmitSerializer,
        responses=responses(404, 409, has_body=True, ok=ExamSerializer),
    )
    def post(self, request: Request, exam_id: UUID) -> Response:
        """200. 409 if the exam is closed or an eye is missing."""
        exam, sent = self.get_record(exam_id), self.validated_data(SubmitSerializer)
        confirmed, urgency = sent["confirm"], Urgency(sent["reading_urgency"]) if "reading_urgency" in sent else None
        try:
            submit_exam(exam=exam, confirmed=confirmed, urgency=urgency, by=self.user)
        except HandOverQuestion as question:
            confirm = sorted({*confirmed, question.code})
            raise ApiError(409, question.code, str(question), confirm=confirm) from None
        return self.record_response(exam_id)


class AbsentEyeView(ApiView):
    """``POST exams/{id}/absent-eye``"""

    actions = {"POST": Action.UPLOAD_IMAGE}
    serializer_class = ExamSerializer

    def get_record(self, record_id: UUID) -> Exam:
        """The exam."""
        return get_exam_record(user=self.user, exam_id=record_id)

    @extend_schema(
        operation_id="mark_eye_absent",
        tags=[EXAMS],
        summary="Record why an eye can never be photographed",
        description="For example a prosthesis. Not for an ungradable photograph: take another one.",
        request=AbsentEyeSerializer,
        responses=responses(404, 409, has_body=True, ok=ExamSerializer),
    )
    def post(self, request: Request, exam_id: UUID) -> Response:
        """200. 409 if the exam is closed or the eye has photographs."""
        exam = self.get_record(exam_id)
        mark_eye_absent(exam=exam, **self.validated_data(AbsentEyeSerializer), by=self.user)
        return self.record_response(exam_id)
