"""The due list of a site, and contacts with people: list, record."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from screening.access import Action, require, restrict, sites_for
from screening.api.schema import PATIENTS, responses
from screening.api.serializers.due_list import (
    ContactSerializer,
    DueListEntrySerializer,
    DueListQuerySerializer,
    NewContactSerializer,
)
from screening.api.serializers.empty import EmptySerializer
from screening.api.views.base import ApiListView
from screening.api.views.patient_rows import PatientRowsView
from screening.models import AuditEvent, ContactAttempt, Patient
from screening.policy.recall import ContactChannel, ContactKind, ContactResult, NextStep, RecallState
from screening.selectors.contacts import list_contacts
from screening.selectors.due_list import DueFilters, due_list
from screening.services.audit import record_event
from screening.services.contacts import record_contact


class DueListView(ApiListView):
    """``GET sites/{id}/due-list``"""

    actions = {"GET": Action.MANAGE_REGISTER}
    serializer_class = DueListEntrySerializer

    def get_queryset(self) -> QuerySet[Patient]:
        """People who match the filters. Raises Http404, AccessDenied."""
        query = self.validated_query(DueListQuerySerializer)
        site = get_object_or_404(sites_for(self.user), pk=self.kwargs["site_id"])
        require(self.user, Action.MANAGE_REGISTER, site)
        state, step = query.get("state"), query.get("step")
        filters = DueFilters(
            state=RecallState(state) if state else None,
            step=NextStep(step) if step else None,
            due_by=query.get("due_by"),
            is_never_screened=query["never_screened"],
        )
        return due_list(user=self.user, site=site, filters=filters)

    @extend_schema(
        operation_id="list_due_people",
        tags=[PATIENTS],
        summary="The due list of a site",
        description="With the filters of the page. In pages, the person registered last first: a position by due date "
        "would be a date of a patient in a URL.",
        parameters=[DueListQuerySerializer],
        responses=responses(400, 404, ok=DueListEntrySerializer(many=True)),
    )
    def get(self, request: Request, site_id: UUID, **kwargs: Any) -> Response:
        """Audited as a search, with the number of people."""
        response = self.list(request, **kwargs)
        site = sites_for(self.user).get(pk=site_id)
        data: dict[str, str | float | bool | None] = {
            "route": "api:site-due-list",
            "n_found": len(response.data["results"]),
        }
        record_event(verb=AuditEvent.Verb.PATIENTS_SEARCHED, subject=None, site=site, data=data, by=self.user)
        return response


class ContactListView(PatientRowsView):
    """``GET`` and ``POST patients/{id}/contacts``"""

    actions = {"GET": Action.MANAGE_REGISTER, "POST": Action.MANAGE_REGISTER}
    serializer_class = ContactSerializer

    def get_record(self, record_id: UUID) -> ContactAttempt:
        """The contact."""
        return get_object_or_404(restrict(ContactAttempt.objects.all(), self.user), pk=record_id)

    def get_queryset(self) -> QuerySet[ContactAttempt]:
        """All contacts with the patient. Raises Http404, AccessDenied."""
        self.validated_query(EmptySerializer)
        return list_contacts(user=self.user, patient=self.patient)

    @extend_schema(
        operation_id="list_contacts",
        tags=[PATIENTS],
        summary="Contacts with a person, newest first",
        responses=responses(400, 404, ok=ContactSerializer(many=True)),
    )
    def get(self, request: Request, patient_id: UUID, **kwargs: Any) -> Response:
        """Audited as a view of the patient."""
        return self.list(request, **kwargs)

    @extend_schema(
        operation_id="record_contact",
        tags=[PATIENTS],
        summary="Record a contact",
        description="What was tried and what came of it; the next step of the person follows from it.",
        request=NewContactSerializer,
        responses=responses(404, has_body=True, created=ContactSerializer),
    )
    def post(self, request: Request, patient_id: UUID) -> Response:
        """201 with the contact."""
        patient, data = self.patient, self.validated_data(NewContactSerializer)
        contact = record_contact(
            patient=patient,
            kind=ContactKind(data["kind"]),
            channel=ContactChannel(data["channel"]),
            result=ContactResult(data["result"]),
            on=data["on"],
            note=data["note"],
            by=self.user,
        )
        return self.record_response(contact.pk, status=201)
