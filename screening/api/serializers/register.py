"""Entries of the register."""

from rest_framework import serializers

from screening.models import RegisterEntry


class RegisterEntrySerializer(serializers.ModelSerializer[RegisterEntry]):
    """One change of a person's status in the register of the site. The newest one counts."""

    recorded_by = serializers.UUIDField(
        source="recorded_by_id", allow_null=True, read_only=True, help_text="The user; null for the system."
    )

    class Meta:
        model = RegisterEntry
        fields = ("id", "status", "reason", "note", "from_on", "until_on", "recorded_by", "created_at")
        read_only_fields = fields
