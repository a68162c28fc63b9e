"""Views: read and search of each type of resource, with the keys, roles, limits and audit of the REST API."""

from collections.abc import Sequence
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404, QueryDict
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework.exceptions import ValidationError
from rest_framework.parsers import FormParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from screening.access import Action
from screening.api.errors import ApiError
from screening.api.views.base import AcceptNegotiation, ApiView
from screening.fhir import parameters as search
from screening.fhir.bundles import CURSOR, SearchPagination, searchset
from screening.fhir.capabilities import FORMATS, INCLUDES, capability_statement, parameters_of
from screening.fhir.codes import REPORT_STATUS, Json
from screening.fhir.errors import exception_handler
from screening.fhir.observations import MAX_OF_EXAM, exam_of_observation, has_code, observation_resources
from screening.fhir.patients import patient_resource
from screening.fhir.renderers import FhirRenderer, PlainRenderer
from screening.fhir.reports import report_resource
from screening.fhir.studies import study_resource
from screening.models import AuditEvent, Exam, Patient
from screening.request_facts import mark_as_reading
from screening.selectors import find_patients
from screening.selectors.exam_results import (
    RESULT_STATES,
    ExamResult,
    changed_within,
    exam_results,
    in_result_states,
    list_exams_with_results,
    list_real_patients,
)
from screening.services.audit import record_event

_SEND_ONE = gettext_lazy("Send one of these parameters: %(names)s.")


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
        """Those of the patient of a parameter."""
        patient_id = search.patient_id(parameters, base=self.base)
        if patient_id is None:
            return exams
        patient = list_real_patients(user=self.user).filter(pk=patient_id).first()
        if patient is not None:
            record_event(verb=AuditEvent.Verb.PATIENT_VIEWED, subject=patient, site=patient.site, by=self.user)
        return exams.filter(patient=patient_id)


class PatientView(ReadView):
    """``GET Patient/{id}``"""

    def resource(self, **kwargs: Any) -> Json:
        """Audited as a view of the patient."""
        patient = get_object_or_404(list_real_patients(user=self.user), pk=kwargs["patient_id"])
        record_event(verb=AuditEvent.Verb.PATIENT_VIEWED, subject=patient, site=patient.site, by=self.user)
        return patient_resource(patient)


class PatientSearchView(SearchView):
    """``GET Patient`` and ``POST Patient/_search``"""

    resource_type = "Patient"

    def bundle(self, parameters: QueryDict) -> Json:
        """By ``_id``, or by the medical record number, which must be in no address."""
        if "identifier" in self.request.query_params:
            message = _("Send it in the body of POST Patient/_search: a number of a person must not be in an address.")
            raise ValidationError({"identifier": message})
        wanted = search.tokens(parameters)
        if wanted is None and "identifier" not in parameters:
            raise ValidationError({"identifier": _SEND_ONE % {"names": "identifier, _id"}})
        patients = list_real_patients(user=self.user).order_by("-created_at", "pk")
        if "identifier" in parameters:
            patients = patients.filter(pk__in=self._by_identifier(str(parameters["identifier"])).values("pk"))
        if wanted is not None:
            patients = patients.filter(pk__in=search.uuids(wanted))
        found = [patient_resource(patient) for patient in patients[: search.MAX_VALUES]]
        data = {"n_found": len(found)}
        record_event(verb=AuditEvent.Verb.PATIENTS_SEARCHED, subject=None, site=None, data=data, by=self.user)
        links = [{"relation": "self", "url": self.address}]
        return searchset(self.base, found, links=links)

    def _by_identifier(self, token: str) -> QuerySet[Patient]:
        """Patients with this number, of one site if the token has its namespace."""
        system, bar, number = token.rpartition("|")
        if not number.strip():
            raise ValidationError({"identifier": _("This parameter has no value.")})
        patients = find_patients(user=self.user, mrn=number)
        if not bar:
            return patients
        return patients.filter(site__in=search.uuids([system.removeprefix("urn:uuid:")]))


class StudyView(ReadView):
    """``GET ImagingStudy/{id}``"""

    def resource(self, **kwargs: Any) -> Json:
        """The photographs of an exam."""
        result = self.result(kwargs["exam_id"])
        return study_resource(result.exam, result.images)


class StudySearchView(SearchView):
    """``GET ImagingStudy`` and ``POST ImagingStudy/_search``"""

    resource_type = "ImagingStudy"

    def bundle(self, parameters: QueryDict) -> Json:
        """A page of exams."""
        page, links = self.page(self.chosen_exams(parameters), parameters)
        studies = [study_resource(one.exam, one.images) for one in page]
        return searchset(self.base, studies, links=links)


class ObservationView(ReadView):
    """``GET Observation/{id}``"""

    def resource(self, **kwargs: Any) -> Json:
        """One observation of an exam. Raises Http404."""
        exam_id = exam_of_observation(kwargs["observation_id"])
        if exam_id is None:
            raise Http404
        for observation in observation_resources(self.result(exam_id)):
            if observation["id"] == kwargs["observation_id"]:
                return observation
        raise Http404


class ObservationSearchView(SearchView):
    """``GET Observation`` and ``POST Observation/_search``"""

    resource_type = "Observation"

    def bundle(self, parameters: QueryDict) -> Json:
        """Observations of a patient, or some by their ids, in pages of exams."""
        wanted = search.tokens(parameters)
        exams = self.of_patient(self.exams(), parameters)
        if wanted is not None:
            exams = exams.filter(pk__in=[one for one in map(exam_of_observation, wanted) if one is not None])
        elif search.patient_id(parameters, base=self.base) is None:
            raise ValidationError({"patient": _SEND_ONE % {"names": "patient, _id"}})
        codes = search.tokens(parameters, "code")
        page, links = self.page(exams, parameters)
        found = [
            observation
            for result in page
            for observation in observation_resources(result)
            if (wanted is None or observation["id"] in wanted) and has_code(observation, codes)
        ]
        return searchset(self.base, found, links=links)

    def pagination(self, parameters: QueryDict) -> SearchPagination:
        """Pages of whole exams, with at most as many observations as were asked for."""
        return SearchPagination(parameters, self.address, n_of_row=MAX_OF_EXAM)


class ReportView(ReadView):
    """``GET DiagnosticReport/{id}``"""

    def resource(self, **kwargs: Any) -> Json:
        """The report of an exam."""
        return report_resource(self.result(kwargs["exam_id"]), base=self.base)


class ReportSearchView(SearchView):
    """``GET DiagnosticReport`` and ``POST DiagnosticReport/_search``"""

    resource_type = "DiagnosticReport"

    def bundle(self, parameters: QueryDict) -> Json:
        """A page of reports with what ``_include`` asks for."""
        exams = self.chosen_exams(parameters)
        statuses = search.chosen(parameters, "status", RESULT_STATES, system=REPORT_STATUS)
        if statuses:
            exams = exams.filter(in_result_states(statuses))
        if "_lastUpdated" in parameters:
            exams = exams.filter(changed_within(*search.period(parameters)))
        page, links = self.page(exams, parameters)
        shown = [one for one in page if not statuses or one.status in statuses]
        reports = [report_resource(one, base=self.base) for one in shown]
        included = self._included(shown, search.chosen(parameters, "_include", INCLUDES))
        return searchset(self.base, reports, links=links, included=included)

    def _included(self, results: Sequence[ExamResult], names: Sequence[str]) -> list[Json]:
        """Observations, and patients, which are audited as a search of patients."""
        found: list[Json] = []
        if "DiagnosticReport:result" in names:
            found += [observation for one in results for observation in observation_resources(one)]
        if {"DiagnosticReport:subject", "DiagnosticReport:patient"} & set(names):
            patients = list_real_patients(user=self.user).filter(pk__in={one.exam.patient_id for one in results})
            found += [patient_resource(patient) for patient in patients]
            data = {"n_found": len(patients)}
            record_event(verb=AuditEvent.Verb.PATIENTS_SEARCHED, subject=None, site=None, data=data, by=self.user)
        return found


class _PublicView(APIView):
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


class CapabilityView(_PublicView):
    """``GET metadata``"""

    def get(self, request: Request) -> Response:
        """What the interface supports."""
        return Response(capability_statement(base_address(request)))


class NotFoundView(_PublicView):
    """404 for unknown addresses, without authentication."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Raises ApiError (404)."""
        super().initial(request, *args, **kwargs)
        raise ApiError(404, "not_found", _("There is no such type of resource, or this is no id: see metadata."))


def base_address(request: Request) -> str:
    """The address of the interface, with a slash."""
    return request.build_absolute_uri(reverse("fhir:metadata")).removesuffix("metadata")


def _require_json(parameters: QueryDict) -> None:
    """Raises ApiError (406) for another format."""
    wanted = str(parameters.get("_format", FORMATS[0])).replace(" ", "+")  # in an address, a plus sign is a blank
    if wanted not in {*FORMATS, "application/json"}:
        raise ApiError(406, "not_acceptable", _("Resources are JSON: application/fhir+json."))
