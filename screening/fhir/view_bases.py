"""Base classes of the views: keys, roles, limits and audit of the REST API, errors as resources."""

from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from django.http import QueryDict
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from rest_framework.parsers import FormParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from screening.access import Action
from screening.api.errors import ApiError
from screening.api.views.base import AcceptNegotiation, ApiView
from screening.fhir import parameters as search
from screening.fhir.bundles import CURSOR, SearchPagination
from screening.fhir.capabilities import FORMATS, parameters_of
from screening.fhir.codes import Json
from screening.fhir.errors import exception_handler
from screening.fhir.renderers import FhirRenderer, PlainRenderer
from screening.models import AuditEvent, Exam
from screening.request_facts import mark_as_reading
from screening.selectors.exam_results import (
    ExamResult,
    exam_results,
    list_exams_with_results,
    list_real_patients,
)
from screening.services.audit import record_event


class FhirView(ApiView):
    """Base of all views. They are described by the CapabilityStatement, and not by the OpenAPI schema."""

    actions: ClassVar[dict[str, Action]] = {"GET": Action.VIEW_PATIENT, "POST": Action.VIEW_PATIENT}
    http_method_names = ["get", "head"]
    renderer_classes = (FhirRenderer, PlainRenderer)
    parser_classes = (FormParser,)
    schema = None
    is_read_only = True

    def get_exception_handler(self) -> Any:
        """Errors are resources too."""
        return exception_handler

    @property
    def base(self) -> str:
        """The address of the interface, with a slash."""
        return base_address(self.request)

    def exams(self) -> QuerySet[Exam]:
        """The exams of the user's sites."""
        return list_exams_with_results(user=self.user)

    def result(self, exam_id: UUID) -> ExamResult:
        """The result of one exam, audited as a view of it. Raises Http404."""
        exam = get_object_or_404(self.exams(), pk=exam_id)
        record_event(verb=AuditEvent.Verb.EXAM_VIEWED, subject=exam, site=exam.site, by=self.user)
        return exam_results([exam])[0]


class ReadView(FhirView):
    """Base of the views of one resource."""

    def get(self, request: Request, **kwargs: Any) -> Response:
        """The resource. Raises Http404."""
        search.require_known(request.query_params, {"_format"})
        _require_json(request.query_params)
        return Response(self.resource(**kwargs))

    def resource(self, **kwargs: Any) -> Json:
        """The resource with the id of the address. Raises Http404."""
        raise NotImplementedError


class SearchView(FhirView):
    """Base of searches: by GET, or by POST of a form."""

    resource_type: ClassVar[str]

    def get(self, request: Request) -> Response:
        """The bundle."""
        return self._search(request.query_params)

    def post(self, request: Request) -> Response:
        """As ``get``, with the parameters of the address and the body. The pages that follow are requested by GET."""
        mark_as_reading()
        in_body = QueryDict(mutable=True)
        in_body.update(request.data)
        search.require_known(in_body, parameters_of(self.resource_type) - {CURSOR})
        parameters = request.query_params.copy()
        parameters.update(request.data)
        return self._search(parameters)

    def _search(self, parameters: QueryDict) -> Response:
        search.require_known(parameters, parameters_of(self.resource_type))
        _require_json(parameters)
        return Response(self.bundle(parameters))

    def bundle(self, parameters: QueryDict) -> Json:
        """The page that was asked for. Raises ValidationError."""
        raise NotImplementedError

    def pagination(self, parameters: QueryDict) -> SearchPagination:
        """The pages of this search."""
        return SearchPagination(parameters, self.address)

    @property
    def address(self) -> str:
        """The address of the search by GET."""
        return f"{self.base}{self.resource_type}"

    def page(self, exams: QuerySet[Exam], parameters: QueryDict) -> tuple[list[ExamResult], list[Json]]:
        """Results of the page that was asked for, with the links of its bundle, audited as a view of a list.

        NB: not left to the middleware, which records none of a POST, and none if the patient was recorded.
        """
        exams_of_page, links = self.pagination(parameters).page_of(exams, self.request)
        assert self.request.resolver_match is not None  # noqa: S101 (for the type)
        data = {"route": self.request.resolver_match.view_name}
        record_event(verb=AuditEvent.Verb.LIST_VIEWED, subject=None, site=None, data=data, by=self.user)
        return exam_results(exams_of_page), links

    def chosen_exams(self, parameters: QueryDict) -> QuerySet[Exam]:
        """Exams by ``_id``, and of a patient, which is audited as a view of the patient."""
        exams = self.exams()
        if (found := search.tokens(parameters)) is not None:
            exams = exams.filter(pk__in=search.uuids(found))
        return self.of_patient(exams, parameters)

    def of_patient(self, exams: QuerySet[Exam], parameters: QueryDict) -> QuerySet[Exam]:
        """Those of the patient of a parameter; of a merged record those of the record that has its exams."""
        patient_id = search.patient_id(parameters, base=self.base)
        if patient_id is None:
            return exams
        patient = list_real_patients(user=self.user).filter(pk=patient_id).first()
        if patient is None:
            return exams.none()
        record_event(verb=AuditEvent.Verb.PATIENT_VIEWED, subject=patient, site=patient.site, by=self.user)
        return exams.filter(patient=patient.merged_into_id or patient.pk)


class PublicView(APIView):
    """Base of views without patient data."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()
    content_negotiation_class = AcceptNegotiation
    renderer_classes = (FhirRenderer, PlainRenderer)
    schema = None

    def get_exception_handler(self) -> Any:
        """Errors are resources too."""
        return exception_handler


def base_address(request: Request) -> str:
    """The address of the interface, with a slash."""
    return request.build_absolute_uri(reverse("fhir:metadata")).removesuffix("metadata")


def _require_json(parameters: QueryDict) -> None:
    """Raises ApiError (406) for another format."""
    wanted = str(parameters.get("_format", FORMATS[0])).replace(" ", "+")  # in an address, a plus sign is a blank
    if wanted not in {*FORMATS, "application/json"}:
        raise ApiError(406, "not_acceptable", _("Resources are JSON: application/fhir+json."))
