"""Bookings: those of a site, those of a person, booking, what became of them."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from screening.access import Action, require, sites_for
from screening.api.schema import PATIENTS, responses
from screening.api.serializers.bookings import (
    BookingQuerySerializer,
    BookingSerializer,
    NewBookingSerializer,
    NewBookingStatusSerializer,
)
from screening.api.serializers.empty import EmptySerializer
from screening.api.views.base import ApiListView, ApiView
from screening.api.views.patient_rows import PatientRowsView
from screening.models import AuditEvent, Booking
from screening.policy.bookings import BookingStatus
from screening.selectors.bookings import BookingFilters, bookings_of_patient, get_booking, list_bookings
from screening.services.audit import record_event
from screening.services.bookings import book, change_booking


class SiteBookingListView(ApiListView):
    """``GET sites/{id}/bookings``"""

    actions = {"GET": Action.MANAGE_REGISTER}
    serializer_class = BookingSerializer

    def get_queryset(self) -> QuerySet[Booking]:
        """Bookings that match the filters. Raises Http404, AccessDenied."""
        query = self.validated_query(BookingQuerySerializer)
        site = get_object_or_404(sites_for(self.user), pk=self.kwargs["site_id"])
        require(self.user, Action.MANAGE_REGISTER, site)
        status = query.get("status")
        filters = BookingFilters(day=query.get("day"), status=BookingStatus(status) if status else None)
        return list_bookings(user=self.user, site=site, filters=filters)

    @extend_schema(
        operation_id="list_bookings",
        tags=[PATIENTS],
        summary="Bookings of a site, the one that was made last first",
        parameters=[BookingQuerySerializer],
        responses=responses(400, 404, ok=BookingSerializer(many=True)),
    )
    def get(self, request: Request, site_id: UUID, **kwargs: Any) -> Response:
        """Audited as a search, with the number of bookings."""
        response = self.list(request, **kwargs)
        data: dict[str, str | float | bool | None] = {
            "route": "api:site-bookings",
            "n_found": len(response.data["results"]),
        }
        site = sites_for(self.user).get(pk=site_id)
        record_event(verb=AuditEvent.Verb.PATIENTS_SEARCHED, subject=None, site=site, data=data, by=self.user)
        return response


class PatientBookingListView(PatientRowsView):
    """``GET`` and ``POST patients/{id}/bookings``"""

    actions = {"GET": Action.MANAGE_REGISTER, "POST": Action.MANAGE_REGISTER}
    serializer_class = BookingSerializer

    def get_record(self, record_id: UUID) -> Booking:
        """The booking."""
        return get_booking(user=self.user, booking_id=record_id)

    def get_queryset(self) -> QuerySet[Booking]:
        """All bookings of the patient. Raises Http404, AccessDenied."""
        self.validated_query(EmptySerializer)
        return bookings_of_patient(user=self.user, patient=self.patient)

    @extend_schema(
        operation_id="list_bookings_of_patient",
        tags=[PATIENTS],
        summary="Bookings of a person, the one that was made last first",
        responses=responses(400, 404, ok=BookingSerializer(many=True)),
    )
    def get(self, request: Request, patient_id: UUID, **kwargs: Any) -> Response:
        """Audited as a view of the patient."""
        return self.list(request, **kwargs)

    @extend_schema(
        operation_id="book",
        tags=[PATIENTS],
        summary="Book an appointment",
        description="The person is not invited again before it.",
        request=NewBookingSerializer,
        responses=responses(404, has_body=True, created=BookingSerializer),
    )
    def post(self, request: Request, patient_id: UUID) -> Response:
        """201 with the booking."""
        booking = book(patient=self.patient, **self.validated_data(NewBookingSerializer), by=self.user)
        return self.record_response(booking.pk, status=201)


class BookingStatusView(ApiView):
    """``POST bookings/{id}/status``"""

    actions = {"POST": Action.MANAGE_REGISTER}
    serializer_class = BookingSerializer

    def get_record(self, record_id: UUID) -> Booking:
        """The booking."""
        return get_booking(user=self.user, booking_id=record_id)

    @extend_schema(
        operation_id="change_booking",
        tags=[PATIENTS],
        summary="Record what became of a booking",
        description="400 for a status that cannot follow the present one, and for attendance in advance.",
        request=NewBookingStatusSerializer,
        responses=responses(404, has_body=True, ok=BookingSerializer),
    )
    def post(self, request: Request, booking_id: UUID) -> Response:
        """200 with the booking."""
        status = BookingStatus(self.validated_data(NewBookingStatusSerializer)["status"])
        change_booking(booking=self.get_record(booking_id), status=status, by=self.user)
        return self.record_response(booking_id)
