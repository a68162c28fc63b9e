"""Documents: requesting a report, its progress, its file."""

from uuid import UUID

from django.db.models import Q
from django.http import Http404
from django.http.response import HttpResponseBase
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from screening.access import Action
from screening.api.errors import ApiError
from screening.api.schema import RESULTS, error_response, responses
from screening.api.serializers.documents import DocumentSerializer, NewReportSerializer
from screening.api.views.base import ApiView
from screening.api.views.files import FileView
from screening.models import Document, Exam, Review
from screening.reports.clinical import ReportRefused
from screening.reports.downloads import file_response
from screening.reports.requests import request_report
from screening.selectors.documents import get_document, get_exam_of_documents
from screening.selectors.reviews import IN_FORCE, visible_reviews
from screening.services.documents import NotMade


class DocumentView(ApiView):
    """Base of views of one document; the response is its record."""

    serializer_class = DocumentSerializer

    def get_record(self, record_id: UUID) -> Document:
        """The document."""
        return get_document(user=self.user, document_id=record_id)

    def chosen_review(self, exam: Exam, review_id: UUID | None) -> Review:
        """A signed review of the exam, without an id the one in force. Raises Http404, ReportRefused."""
        rows = visible_reviews(user=self.user, exam=exam)
        review = rows.filter(IN_FORCE if review_id is None else Q(pk=review_id)).first()
        if review is not None:
            return review
        if review_id is not None:
            raise Http404
        raise ReportRefused(_("This exam is not signed. A report is made of a signed result."))


class ExamReportView(DocumentView):
    """``POST exams/{id}/reports``"""

    actions = {"POST": Action.VIEW_PATIENT}

    @extend_schema(
        operation_id="request_report",
        tags=[RESULTS],
        summary="Request the clinical report of an exam as PDF/A",
        description="It is made in some seconds: request `documents/{id}` every second until `status` is `done` or "
        "`failed`. Safe to repeat: the same data make one report, and one that failed is made again.",
        request=NewReportSerializer,
        responses=responses(404, 409, has_body=True, ok=DocumentSerializer, created=DocumentSerializer),
    )
    def post(self, request: Request, exam_id: UUID) -> Response:
        """201 with the queued report, 200 with one that exists. 409 if there is no final result."""
        exam = get_exam_of_documents(user=self.user, exam_id=exam_id)
        sent = self.validated_data(NewReportSerializer)
        review = self.chosen_review(exam, sent.get("review"))
        language = sent.get("language") or get_language()
        document, is_new = request_report(review=review, has_heatmaps=sent["heatmaps"], language=language, by=self.user)
        return self.record_response(document.pk, status=201 if is_new else 200)


class DocumentDetailView(DocumentView):
    """``GET documents/{id}``"""

    actions = {"GET": Action.VIEW_PATIENT}

    @extend_schema(
        operation_id="get_document",
        tags=[RESULTS],
        summary="One document: its progress, its hash, and whether it holds",
        responses=responses(404, ok=DocumentSerializer),
    )
    def get(self, request: Request, document_id: UUID) -> Response:
        """The record of a document."""
        return self.record_response(document_id)


class DocumentFileView(FileView, DocumentView):
    """``GET documents/{id}/file``"""

    actions = {"GET": Action.VIEW_PATIENT}

    @extend_schema(
        operation_id="get_document_file",
        tags=[RESULTS],
        summary="The PDF or the text file of a document",
        description="Each download is recorded. `409`, `document_not_made`, until `status` is `done`.",
        responses={
            (200, "application/pdf"): OpenApiResponse(OpenApiTypes.BINARY),
            (200, "text/plain"): OpenApiResponse(OpenApiTypes.STR),
            **{status: error_response(status) for status in (401, 403, 404, 409, 429, 503)},
        },
    )
    def get(self, request: Request, document_id: UUID) -> HttpResponseBase:
        """The file."""
        try:
            return file_response(document=self.get_record(document_id), by=self.user)
        except NotMade as error:
            raise ApiError(409, "document_not_made", str(error)) from None
