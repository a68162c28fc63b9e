"""Views: read and search of each type of resource."""

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.http import Http404, QueryDict
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from screening.api.errors import ApiError
from screening.fhir import parameters as search
from screening.fhir.bundles import SearchPagination, searchset
from screening.fhir.capabilities import INCLUDES, capability_statement
from screening.fhir.codes import REPORT_STATUS, Json
from screening.fhir.observations import MAX_OF_EXAM, exam_of_observation, has_code, observation_resources
from screening.fhir.patients import patient_resource
from screening.fhir.reports import report_resource
from screening.fhir.studies import study_resource
from screening.fhir.view_bases import PublicView, ReadView, SearchView, base_address
from screening.models import AuditEvent, Patient
from screening.selectors import find_patients
from screening.selectors.exam_results import (
    RESULT_STATES,
    ExamResult,
    changed_within,
    in_result_states,
    list_real_patients,
)
from screening.services.audit import record_event

_SEND_ONE = gettext_lazy("Send one of these parameters: %(names)s.")


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
        return study_resource(self.result(kwargs["exam_id"]))


class StudySearchView(SearchView):
    """``GET ImagingStudy`` and ``POST ImagingStudy/_search``"""

    resource_type = "ImagingStudy"

    def bundle(self, parameters: QueryDict) -> Json:
        """A page of exams."""
        page, links = self.page(self.chosen_exams(parameters), parameters)
        return searchset(self.base, map(study_resource, page), links=links)


class ObservationView(ReadView):
    """``GET Observation/{id}``"""

    def resource(self, **kwargs: Any) -> Json:
        """One observation of an exam. Raises Http404."""
        observation_id = f"{kwargs['exam_id']}-{kwargs['name']}"
        for observation in observation_resources(self.result(kwargs["exam_id"])):
            if observation["id"] == observation_id:
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


class CapabilityView(PublicView):
    """``GET metadata``"""

    def get(self, request: Request) -> Response:
        """What the interface supports."""
        return Response(capability_statement(base_address(request)))


class NotFoundView(PublicView):
    """404 for unknown addresses, without authentication."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Raises ApiError (404)."""
        super().initial(request, *args, **kwargs)
        raise ApiError(404, "not_found", _("There is no such type of resource, or this is no id: see metadata."))
