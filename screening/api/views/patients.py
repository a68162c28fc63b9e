"""Patients: registering, reading, searching. Sites of the user."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from screening.access import AccessDenied, Action, require, sites_for
from screening.api.errors import MESSAGES
from screening.api.schema import (
    DUPLICATE_EXAMPLE,
    EXISTS_EXAMPLE,
    NAME_SEARCH_EXAMPLE,
    NEW_PATIENT_EXAMPLE,
    PARTIAL_PATIENT_EXAMPLE,
    PATIENTS,
    SEARCH_EXAMPLE,
    SYSTEM,
    responses,
)
from screening.api.serializers.empty import EmptySerializer
from screening.api.serializers.errors import PatientConflictSerializer
from screening.api.serializers.patients import (
    NewPatientSerializer,
    PatientChangesSerializer,
    PatientSearchSerializer,
    PatientSerializer,
    SiteSerializer,
)
from screening.api.views.base import ApiListView, ApiView
from screening.models import AuditEvent, Patient, Site, User
from screening.request_facts import mark_as_reading
from screening.selectors import find_patients, get_patient, list_patients, search_patients
from screening.services.audit import record_event
from screening.services.patient_questions import PatientNotConfirmed, record_similar
from screening.services.patients import register_patient, update_patient

_CONFLICT = {
    409: OpenApiResponse(
        PatientConflictSerializer,
        "The number is registered at this site, or a question must be answered first.",
        [EXISTS_EXAMPLE, DUPLICATE_EXAMPLE],
    )
}


class PatientListView(ApiListView):
    """``GET`` and ``POST patients``"""

    actions = {"GET": Action.VIEW_PATIENT, "POST": Action.REGISTER_PATIENT}
    serializer_class = PatientSerializer

    def get_record(self, record_id: UUID) -> Patient:
        """The patient."""
        return get_patient(user=self.user, patient_id=record_id)

    def get_queryset(self) -> QuerySet[Patient]:
        """Patients of the user's sites."""
        self.validated_query(EmptySerializer)
        return list_patients(user=self.user)

    @extend_schema(
        operation_id="list_patients",
        tags=[PATIENTS],
        summary="Patients of your sites, newest first",
        description="To find a patient by number, use `POST patients/search`.",
        responses=responses(400, ok=PatientSerializer(many=True)),
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Audited as a search: the list has names."""
        response = self.list(request, *args, **kwargs)
        _record_search(response, self.user)
        return response

    @extend_schema(
        operation_id="register_patient",
        tags=[PATIENTS],
        summary="Register a patient",
        description="Safe to repeat: a number that is registered at the site gives 409, `patient_exists`, with "
        "`existing_id`, the patient to use. The number identifies a patient, the name does not. "
        "Questions give 409 too, and nothing is stored: `possible_duplicate` (same names, and a birth date that could "
        "be the same), `similar_number` (differs only in blanks, dashes, case or the form of digits), "
        "`scientific_number` (1.2E+10). A person checks `existing_ids`; to register nevertheless, repeat the request "
        "with the `confirm` of the response.",
        request=NewPatientSerializer,
        responses={**responses(has_body=True, created=PatientSerializer), **_CONFLICT},
        examples=[NEW_PATIENT_EXAMPLE, PARTIAL_PATIENT_EXAMPLE],
    )
    def post(self, request: Request) -> Response:
        """201. 409 with the id of the patient who has this number, or with those of similar patients."""
        details = self.validated_data(NewPatientSerializer)
        site = _site_of(self.user, details.pop("site", None))
        try:
            patient = register_patient(site=site, **details, by=self.user)
        except PatientNotConfirmed as error:
            record_similar(error, by=self.user)
            raise
        return self.record_response(patient.pk, status=201)


class PatientDetailView(ApiView):
    """``GET`` and ``PATCH patients/{id}``"""

    actions = {"GET": Action.VIEW_PATIENT, "PATCH": Action.UPDATE_PATIENT}
    http_method_names = ["get", "head", "patch"]
    serializer_class = PatientSerializer

    @extend_schema(
        operation_id="get_patient",
        tags=[PATIENTS],
        summary="One patient",
        responses=responses(404, ok=PatientSerializer),
    )
    def get(self, request: Request, patient_id: UUID) -> Response:
        """Audited as a view of the patient."""
        patient = get_patient(user=self.user, patient_id=patient_id)
        record_event(verb=AuditEvent.Verb.PATIENT_VIEWED, subject=patient, site=patient.site, by=self.user)
        return Response(PatientSerializer(patient).data)

    @extend_schema(
        operation_id="update_patient",
        tags=[PATIENTS],
        summary="Correct details of a patient",
        description="Send only what changes. Questions give 409 as for a new patient: repeat with `confirm`.",
        request=PatientChangesSerializer,
        responses={**responses(404, has_body=True, ok=PatientSerializer), **_CONFLICT},
    )
    def patch(self, request: Request, patient_id: UUID) -> Response:
        """200. 409 with the id of the patient who has this number, or with those of similar patients."""
        patient = get_patient(user=self.user, patient_id=patient_id)
        try:
            update_patient(patient=patient, **self.validated_data(PatientChangesSerializer), by=self.user)
        except PatientNotConfirmed as error:
            record_similar(error, by=self.user)
            raise
        return Response(PatientSerializer(get_patient(user=self.user, patient_id=patient_id)).data)


class PatientSearchView(ApiListView):
    """``POST patients/search``"""

    actions = {"POST": Action.VIEW_PATIENT}
    serializer_class = PatientSerializer
    is_read_only = True

    def get_queryset(self) -> QuerySet[Patient]:
        """Patients by number, or by number and names."""
        mark_as_reading()
        self.validated_query(EmptySerializer)
        search = self.validated_data(PatientSearchSerializer)
        if "text" in search:
            return search_patients(user=self.user, text=search["text"])
        return find_patients(user=self.user, mrn=search["mrn"], is_prefix=search["match"] == "prefix")

    @extend_schema(
        operation_id="search_patients",
        tags=[PATIENTS],
        summary="Find patients by medical record number or name",
        description="By POST, so that no number and no name is in a URL or a log. For the next page, send the same "
        "body to `next`.",
        request=PatientSearchSerializer,
        responses=responses(has_body=True, ok=PatientSerializer(many=True)),
        examples=[SEARCH_EXAMPLE, NAME_SEARCH_EXAMPLE],
    )
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Audited with the number of results, without the search."""
        response = self.list(request, *args, **kwargs)
        _record_search(response, self.user)
        return response


class SiteListView(ApiView):
    """``GET sites``"""

    actions = {"GET": Action.VIEW_PATIENT}
    serializer_class = SiteSerializer
    pagination_class = None

    @extend_schema(
        operation_id="list_sites",
        tags=[SYSTEM],
        summary="Sites where you have a role",
        description="All of them in one response, by name.",
        responses=responses(ok=SiteSerializer(many=True)),
    )
    def get(self, request: Request) -> Response:
        """Not in pages: a user has few sites."""
        self.validated_query(EmptySerializer)
        return Response(SiteSerializer(sites_for(self.user).order_by("name", "pk"), many=True).data)


def _site_of(user: User, code: str | None) -> Site:
    """The site with this code, or the user's only site. Raises ValidationError, AccessDenied."""
    if code is not None:
        site = sites_for(user).filter(code=code).first()
        if site is None:
            raise ValidationError({"site": _("You have no role at this site. See GET sites for the codes.")})
        require(user, Action.REGISTER_PATIENT, site)
        return site
    sites = list(sites_for(user, Action.REGISTER_PATIENT).order_by("name")[:2])
    if not sites:
        raise AccessDenied(MESSAGES["forbidden"])
    if len(sites) > 1:
        raise ValidationError({"site": _("You have several sites. Set “site” to the code of one: see GET sites.")})
    return sites[0]


def _record_search(response: Response, user: User) -> None:
    n_found = len(response.data["results"])
    record_event(verb=AuditEvent.Verb.PATIENTS_SEARCHED, subject=None, site=None, data={"n_found": n_found}, by=user)
