"""Letters: requesting one, and the documents of a patient."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from screening.access import Action
from screening.api.schema import PATIENTS, RESULTS, responses
from screening.api.serializers.documents import DocumentSerializer, NewLetterSerializer, NewRecallLetterSerializer
from screening.api.serializers.empty import EmptySerializer
from screening.api.views.documents import DocumentView
from screening.api.views.patient_rows import PatientRowsView
from screening.models import Document
from screening.policy.letters import LetterVariant
from screening.reports.requests import request_letter
from screening.selectors.documents import documents_of_patient, get_document, get_exam_of_documents

_MADE_LATER = (
    "It is made in some seconds: request `documents/{id}` every second until `status` is `done` or `failed`. "
    "Safe to repeat: on one day the same data make one letter."
)


class ExamLetterView(DocumentView):
    """``POST exams/{id}/letters``"""

    actions = {"POST": Action.VIEW_PATIENT}

    @extend_schema(
        operation_id="request_letter",
        tags=[RESULTS],
        summary="Request a letter about the result of an exam",
        description=f"To the patient, to the doctor, or to the eye hospital with photographs. {_MADE_LATER}",
        request=NewLetterSerializer,
        responses=responses(404, 409, has_body=True, ok=DocumentSerializer, created=DocumentSerializer),
    )
    def post(self, request: Request, exam_id: UUID) -> Response:
        """201 with the queued letter, 200 with one that exists. 409 if there is no result that counts."""
        exam = get_exam_of_documents(user=self.user, exam_id=exam_id)
        sent = self.validated_data(NewLetterSerializer)
        document, is_new = request_letter(
            kind=Document.Kind(sent["kind"]),
            patient=exam.patient,
            review=self.chosen_review(exam, sent.get("review")),
            variant=LetterVariant(sent["variant"]),
            by=self.user,
        )
        return self.record_response(document.pk, status=201 if is_new else 200)


class PatientDocumentListView(PatientRowsView):
    """``GET`` and ``POST patients/{id}/documents``"""

    actions = {"GET": Action.VIEW_PATIENT, "POST": Action.MANAGE_REGISTER}
    serializer_class = DocumentSerializer

    def get_record(self, record_id: UUID) -> Document:
        """The document."""
        return get_document(user=self.user, document_id=record_id)

    def get_queryset(self) -> QuerySet[Document]:
        """All documents about the patient. Raises Http404."""
        self.validated_query(EmptySerializer)
        return documents_of_patient(user=self.user, patient=self.patient)

    @extend_schema(
        operation_id="list_patient_documents",
        tags=[PATIENTS],
        summary="Reports and letters of a patient, newest first",
        responses=responses(400, 404, ok=DocumentSerializer(many=True)),
    )
    def get(self, request: Request, patient_id: UUID, **kwargs: Any) -> Response:
        """Audited as a view of the patient."""
        return self.list(request, **kwargs)

    @extend_schema(
        operation_id="request_recall_letter",
        tags=[PATIENTS],
        summary="Request an invitation, a reminder or a letter after a missed appointment",
        description=_MADE_LATER,
        request=NewRecallLetterSerializer,
        responses=responses(404, 409, has_body=True, ok=DocumentSerializer, created=DocumentSerializer),
    )
    def post(self, request: Request, patient_id: UUID) -> Response:
        """201 with the queued letter, 200 with one that exists."""
        patient, sent = self.patient, self.validated_data(NewRecallLetterSerializer)
        kind, variant = Document.Kind(sent["kind"]), LetterVariant(sent["variant"])
        document, is_new = request_letter(kind=kind, patient=patient, review=None, variant=variant, by=self.user)
        return self.record_response(document.pk, status=201 if is_new else 200)
