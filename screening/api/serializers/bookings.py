"""Bookings."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from screening.labels.bookings import STATUS_CHOICES
from screening.models import Booking
from screening.models.base import max_length


@extend_schema_field({"type": "string", "pattern": r"^\d\d:\d\d(:\d\d)?$", "example": "09:30:00"})
class ClockField(serializers.TimeField):
    """A time of day at the site. One with a time zone is refused: the zone would be lost."""

    def __init__(self, **options: Any) -> None:
        help_text = "At the site, without a time zone: `09:30` or `09:30:00`."
        super().__init__(input_formats=["%H:%M", "%H:%M:%S"], help_text=help_text, **options)


class BookingSerializer(serializers.ModelSerializer[Booking]):
    """An appointment of a person. `exam` is the one that was opened on the day."""

    patient = serializers.UUIDField(source="patient_id", read_only=True)
    exam = serializers.UUIDField(source="exam_id", allow_null=True, read_only=True)
    time = ClockField(allow_null=True, read_only=True)

    class Meta:
        model = Booking
        fields = ("id", "patient", "day", "time", "location", "status", "exam", "created_at")
        read_only_fields = fields


class NewBookingSerializer(serializers.Serializer[Any]):
    """Day, time and place of an appointment."""

    day = serializers.DateField(help_text="Not in the past, at most two years ahead.")
    time = ClockField(required=False, allow_null=True, default=None)
    location = serializers.CharField(max_length=max_length(Booking, "location"), allow_blank=True, default="")


class BookingQuerySerializer(serializers.Serializer[Any]):
    """Filters of the bookings of a site, those of the page."""

    day = serializers.DateField(required=False)
    status = serializers.ChoiceField(STATUS_CHOICES, required=False)


class NewBookingStatusSerializer(serializers.Serializer[Any]):
    """What became of a booking."""

    status = serializers.ChoiceField(STATUS_CHOICES)
