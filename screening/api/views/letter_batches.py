"""Letters to the people of a list: making them, their progress, cancelling, their files."""

import uuid
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import FileResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from screening.access import Action, require, sites_for
from screening.api.errors import ApiError
from screening.api.schema import PATIENTS, error_response, responses
from screening.api.serializers.empty import EmptySerializer
from screening.api.serializers.letter_batches import (
    DUE_LETTER,
    LetterBatchDetailSerializer,
    LetterBatchSerializer,
    LetterFileQuerySerializer,
    NewLetterBatchSerializer,
)
from screening.api.views.base import ApiListView, ApiView
from screening.api.views.files import FileView
from screening.models import Document, LetterBatch, Site
from screening.policy.letters import LetterVariant
from screening.policy.recall import NextStep, RecallState
from screening.reports.letter_batches import (
    PlannedLetters,
    plan_due_letters,
    plan_referral_letters,
    plan_result_letters,
)
from screening.selectors.documents import get_letter_batch, list_letter_batches
from screening.selectors.due_list import DueFilters
from screening.selectors.referrals import ReferralFilters
from screening.selectors.results import ResultFilters
from screening.services.letter_batches import begin_batch, cancel_batch
from screening.services.letter_files import make_files_again, open_batch

_TYPES = {"pdf": "application/pdf", "zip": "application/zip"}


class LetterBatchListView(ApiListView):
    """``GET`` and ``POST sites/{id}/letter-batches``"""

    actions = {"GET": Action.MANAGE_REGISTER, "POST": Action.MANAGE_REGISTER}
    serializer_class = LetterBatchSerializer

    @property
    def site(self) -> Site:
        """The site. Raises Http404, AccessDenied."""
        site = get_object_or_404(sites_for(self.user), pk=self.kwargs["site_id"])
        require(self.user, Action.MANAGE_REGISTER, site)
        return site

    def get_record(self, record_id: UUID) -> LetterBatch:
        """The batch."""
        return get_letter_batch(user=self.user, batch_id=record_id)

    def get_queryset(self) -> QuerySet[LetterBatch]:
        """The batches of the site."""
        self.validated_query(EmptySerializer)
        return list_letter_batches(user=self.user, site=self.site)

    @extend_schema(
        operation_id="list_letter_batches",
        tags=[PATIENTS],
        summary="Letters that were made at once at a site, newest first",
        responses=responses(400, 404, ok=LetterBatchSerializer(many=True)),
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """A page of batches."""
        return self.list(request, *args, **kwargs)

    @extend_schema(
        operation_id="make_letters",
        tags=[PATIENTS],
        summary="Make letters to the people of a list, at most 500 at once",
        description="Request `letter-batches/{id}` every two seconds until `state` is none of `queued` and `running`. "
        "Each letter is in the language of its addressee. Of a longer list the first 500 people are chosen. A site "
        "makes one batch at a time: `409`, `letters_refused`. Invitations and reminders are recorded as contacts by "
        "letter once they are made.",
        request=NewLetterBatchSerializer,
        responses=responses(404, 409, has_body=True, created=LetterBatchSerializer),
    )
    def post(self, request: Request, site_id: UUID) -> Response:
        """201 with the queued batch. 400 for ids that are not in the list."""
        site, sent = self.site, self.validated_data(NewLetterBatchSerializer)
        planned = self._planned(site, sent)
        _require_found(planned, sent)
        variant, batch_id = LetterVariant(sent["variant"]), uuid.uuid4()
        batch = begin_batch(site=site, letters=planned.rows, variant=variant, batch_id=batch_id, by=self.user)
        return self.record_response(batch.pk, status=201)

    def _planned(self, site: Site, sent: dict[str, Any]) -> PlannedLetters:
        if sent["kind"] == DUE_LETTER:
            state, step = sent.get("state"), sent.get("step")
            due = DueFilters(
                state=RecallState(state) if state else None,
                step=NextStep(step) if step else None,
                due_by=sent.get("due_by"),
                is_never_screened=sent.get("never_screened", False),
            )
            return plan_due_letters(site=site, filters=due, patients=sent.get("patients"), by=self.user)
        kind, exams = Document.Kind(sent["kind"]), sent.get("exams")
        if kind is Document.Kind.REFERRAL_LETTER:
            referrals = ReferralFilters(urgency=sent.get("urgency"), is_late=sent.get("is_late", False))
            return plan_referral_letters(site=site, filters=referrals, exams=exams, by=self.user)
        days = {"from_on": sent.get("from_on"), "to_on": sent.get("to_on")}
        results = ResultFilters(site=site, outcome=sent.get("outcome"), **days)
        return plan_result_letters(filters=results, kind=kind, exams=exams, by=self.user)


def _require_found(planned: PlannedLetters, sent: dict[str, Any]) -> None:
    """Raises ApiError (400) for ids of people or exams that are not in the list."""
    field = "patients" if sent["kind"] == DUE_LETTER else "exams"
    found = {row.patient_id if row.review is None else row.review.exam_id for row in planned.rows}
    missing = [str(one) for one in sent.get(field, ()) if one not in found]
    if missing:
        message = _("Not in the list of this site: %(ids)s. Leave them out.") % {"ids": ", ".join(missing)}
        raise ApiError(400, "invalid", message, {field: message})


class LetterBatchView(ApiView):
    """Base of views of one batch; the response is its record."""

    serializer_class = LetterBatchDetailSerializer

    def get_record(self, record_id: UUID) -> LetterBatch:
        """The batch. Raises Http404, AccessDenied."""
        batch = get_letter_batch(user=self.user, batch_id=record_id)
        require(self.user, Action.MANAGE_REGISTER, batch.site)
        return batch


class LetterBatchDetailView(LetterBatchView):
    """``GET letter-batches/{id}``"""

    actions = {"GET": Action.MANAGE_REGISTER}

    @extend_schema(
        operation_id="get_letter_batch",
        tags=[PATIENTS],
        summary="Letters that are made at once: their progress, and why people get none",
        responses=responses(404, ok=LetterBatchDetailSerializer),
    )
    def get(self, request: Request, batch_id: UUID) -> Response:
        """The record of a batch."""
        return self.record_response(batch_id)


class LetterBatchCancelView(LetterBatchView):
    """``POST letter-batches/{id}/cancel``"""

    actions = {"POST": Action.MANAGE_REGISTER}

    @extend_schema(
        operation_id="cancel_letters",
        tags=[PATIENTS],
        summary="Cancel letters that are being made",
        description="Letters that are made already stay documents. `409`, `letters_refused`, once they are ready.",
        request=None,
        responses=responses(404, 409, ok=LetterBatchDetailSerializer),
    )
    def post(self, request: Request, batch_id: UUID) -> Response:
        """The cancelled batch."""
        self.validated_data(EmptySerializer)
        cancel_batch(batch=self.get_record(batch_id), by=self.user)
        return self.record_response(batch_id)


class LetterBatchFilesView(LetterBatchView):
    """``POST letter-batches/{id}/files``"""

    actions = {"POST": Action.MANAGE_REGISTER}

    @extend_schema(
        operation_id="make_letter_files_again",
        tags=[PATIENTS],
        summary="Make files again that were deleted after some days",
        description="Of the same letters, which are not made again. `409`, `letters_refused`, if they exist.",
        request=None,
        responses=responses(404, 409, ok=LetterBatchDetailSerializer),
    )
    def post(self, request: Request, batch_id: UUID) -> Response:
        """The queued batch."""
        self.validated_data(EmptySerializer)
        make_files_again(batch=self.get_record(batch_id), by=self.user)
        return self.record_response(batch_id)


class LetterBatchFileView(FileView, LetterBatchView):
    """``GET letter-batches/{id}/file``"""

    actions = {"GET": Action.MANAGE_REGISTER}

    @extend_schema(
        operation_id="get_letter_batch_file",
        tags=[PATIENTS],
        parameters=[LetterFileQuerySerializer],
        summary="All letters in one PDF (`pdf`), or an archive with a file of each, named by document (`zip`)",
        description="Each download is recorded. `409`, `letters_refused`, if the file does not exist.",
        responses={
            (200, "application/pdf"): OpenApiResponse(OpenApiTypes.BINARY),
            (200, "application/zip"): OpenApiResponse(OpenApiTypes.BINARY),
            **{status: error_response(status) for status in (400, 401, 403, 404, 409, 429, 503)},
        },
    )
    def get(self, request: Request, batch_id: UUID) -> HttpResponseBase:
        """The file."""
        file_format, batch = self.validated_query(LetterFileQuerySerializer)["type"], self.get_record(batch_id)
        content = open_batch(batch=batch, is_archive=file_format == "zip", by=self.user)
        name = f"{batch.pk}.{file_format}"
        return FileResponse(content, content_type=_TYPES[file_format], as_attachment=True, filename=name)
