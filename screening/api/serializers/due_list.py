"""The due list, and contacts with people."""

from typing import Any

from rest_framework import serializers

from screening.api.serializers.patients import BirthDateField
from screening.labels.choices import choices
from screening.labels.recall import CHANNEL_CHOICES, KIND_CHOICES, RESULT_CHOICES, STATE_LABELS, STEP_CHOICES
from screening.models import ContactAttempt, Patient
from screening.models.base import max_length

STATE_CHOICES = choices(STATE_LABELS)


class DueListEntrySerializer(serializers.ModelSerializer[Patient]):
    """A person of the due list; `id` is that of the patient. `next_step` is to be made from `next_step_on`."""

    state = serializers.ChoiceField(STATE_CHOICES, help_text="Each person is in exactly one state.")
    born_on = BirthDateField(read_only=True)

    class Meta:
        model = Patient
        fields = (
            "id",
            "mrn",
            "given_name",
            "family_name",
            "born_on",
            "phone",
            "state",
            "due_on",
            "screened_on",
            "next_step",
            "next_step_on",
            "register_until",
            "created_at",
        )
        read_only_fields = fields


class DueListQuerySerializer(serializers.Serializer[Any]):
    """Filters of the due list, those of the page."""

    state = serializers.ChoiceField(STATE_CHOICES, required=False)
    step = serializers.ChoiceField(
        STEP_CHOICES, required=False, help_text="Only people whose next step is this one and is to be made today."
    )
    due_by = serializers.DateField(required=False, help_text="Only people who are due on this day or earlier.")
    never_screened = serializers.BooleanField(required=False, default=False)


class ContactSerializer(serializers.ModelSerializer[ContactAttempt]):
    """A contact with a person, or a missed appointment. Never changed."""

    patient = serializers.UUIDField(source="patient_id", read_only=True)
    recorded_by = serializers.UUIDField(
        source="recorded_by_id", allow_null=True, read_only=True, help_text="The user; null for a sent message."
    )

    class Meta:
        model = ContactAttempt
        fields = ("id", "patient", "kind", "channel", "result", "on", "note", "recorded_by", "created_at")
        read_only_fields = fields


class NewContactSerializer(serializers.Serializer[Any]):
    """What was tried, how, when, and what came of it."""

    kind = serializers.ChoiceField(KIND_CHOICES)
    channel = serializers.ChoiceField(CHANNEL_CHOICES)
    result = serializers.ChoiceField(RESULT_CHOICES, help_text="Not each kind can have each result: 400 otherwise.")
    on = serializers.DateField(help_text="The day on which it was made: not in the future, at most a year ago.")
    note = serializers.CharField(max_length=max_length(ContactAttempt, "note"), allow_blank=True, default="")
