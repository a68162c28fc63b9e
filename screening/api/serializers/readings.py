"""Signed readings of exams that several persons read."""

from rest_framework import serializers

from screening.api.serializers.reviews import FindingSerializer
from screening.models import Reading, ReadingEye

_EYE_FIELDS = (*FindingSerializer.Meta.fields, "absent_reason", "acuity")


class ReadingEyeSerializer(FindingSerializer):
    """What a reading found in one eye."""

    class Meta(FindingSerializer.Meta):
        model = ReadingEye  # type: ignore[assignment]  # with the same columns
        fields = _EYE_FIELDS  # type: ignore[assignment]
        read_only_fields = _EYE_FIELDS  # type: ignore[assignment]


class ReadingSerializer(serializers.ModelSerializer[Reading]):
    """A signed reading. It is no result: that is the `review` of the exam. It never changes."""

    reader = serializers.UUIDField(source="reader_id", help_text="The user who signed.")
    reader_name = serializers.CharField(source="reader")
    reason = serializers.CharField(help_text="Of a senior reviewer's decision; else empty.")
    taken_over = serializers.UUIDField(
        source="taken_over_id", allow_null=True, help_text="The reading that a senior reviewer took over, if any."
    )
    findings = ReadingEyeSerializer(many=True, source="eyes")

    class Meta:
        model = Reading
        fields = (
            "id",
            "stage",
            "reader",
            "reader_name",
            "signed_at",
            "scale",
            "note",
            "reason",
            "taken_over",
            "findings",
        )
        read_only_fields = fields
