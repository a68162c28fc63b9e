"""Bookings."""

from typing import Any

from rest_framework import serializers

from screening.labels.bookings import STATUS_CHOICES
from screening.models import Booking
from screening.models.base import max_length


class BookingSerializer(serializers.ModelSerializer[Booking]):
    """An appointment of a person. `exam` is the one that was opened on the day."""

    patient = serializers.UUIDField(source="patient_id", read_only=True)
    exam = serializers.UUIDField(source="exam_id", allow_null=True, read_only=True)

    class Meta:
        model = Booking
        fields = ("id", "patient", "day", "time", "location", "status", "exam", "created_at")
        read_only_fields = fields


class NewBookingSerializer(serializers.Serializer[Any]):
    """Day, time and place of an appointment."""

    day = serializers.DateField(help_text="Not in the past, at most two years ahead.")
    time = serializers.TimeField(required=False, allow_null=True, default=None)
    location = serializers.CharField(max_length=max_length(Booking, "location"), allow_blank=True, default="")


class BookingQuerySerializer(serializers.Serializer[Any]):
    """Filters of the bookings of a site, those of the page."""

    day = serializers.DateField(required=False)
    status = serializers.ChoiceField(STATUS_CHOICES, required=False)


class NewBookingStatusSerializer(serializers.Serializer[Any]):
    """What became of a booking."""

    status = serializers.ChoiceField(STATUS_CHOICES)
