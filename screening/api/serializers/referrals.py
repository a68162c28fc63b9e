"""Referrals: state, target days, history, results of the hospital."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from ml.vocabulary import ICDRGrade, Laterality
from screening.labels.referrals import STATE_CHOICES, TREATMENT_CHOICES, Treatment
from screening.labels.reviews import MACULAR_OEDEMA_CHOICES, URGENCY_CHOICES
from screening.models import Referral, ReferralEvent, ReferralFeedback
from screening.models.base import max_length
from screening.policy import MacularOedema
from screening.policy.referrals import ReferralState, steps_from

_SIDES = {Laterality.RIGHT: "right", Laterality.LEFT: "left"}


class ReferralEventSerializer(serializers.ModelSerializer[ReferralEvent]):
    """One step in the history."""

    recorded_by = serializers.UUIDField(source="recorded_by_id", help_text="The user.")
    recorded_at = serializers.DateTimeField(source="created_at")
    note = serializers.CharField(source="note_text")

    class Meta:
        model = ReferralEvent
        fields = ("from_state", "state", "happened_on", "note", "recorded_by", "recorded_at")
        read_only_fields = fields


class FeedbackSerializer(serializers.ModelSerializer[ReferralFeedback]):
    """What the hospital found and did. Of several the newest, which is the first, counts."""

    recorded_by = serializers.UUIDField(source="recorded_by_id", help_text="The user.")
    recorded_at = serializers.DateTimeField(source="created_at")

    class Meta:
        model = ReferralFeedback
        fields = (
            "examined_on",
            "is_confirmed",
            "right_grade",
            "left_grade",
            "right_oedema",
            "left_oedema",
            "treatment",
            "note",
            "recorded_by",
            "recorded_at",
        )
        read_only_fields = fields


class ReferralSerializer(serializers.ModelSerializer[Referral]):
    """What follows from a signed review that refers. `next_states` has what `POST referrals/{id}/steps` accepts."""

    site = serializers.SlugField(source="site.code", help_text="Code of the site.")
    exam = serializers.UUIDField(source="exam_id")
    patient = serializers.UUIDField(source="exam.patient_id", help_text="The patient of the exam, as it is now.")
    review = serializers.UUIDField(source="review_id", help_text="The signed review that it follows from.")
    next_states = serializers.SerializerMethodField(help_text="States that a step can lead to.")

    class Meta:
        model = Referral
        fields = (
            "id",
            "site",
            "exam",
            "patient",
            "review",
            "outcome",
            "urgency",
            "state",
            "next_states",
            "made_on",
            "send_by",
            "see_by",
            "appointment_on",
            "result_by",
            "due_on",
            "late_since",
            "created_at",
        )
        read_only_fields = fields

    @extend_schema_field(serializers.ListField(child=serializers.ChoiceField(STATE_CHOICES)))
    def get_next_states(self, referral: Referral) -> list[str]:
        """In the order of the table."""
        return [step.to.value for step in steps_from(ReferralState(referral.state))]


class ReferralDetailSerializer(ReferralSerializer):
    """A referral with its history and the results of the hospital."""

    events = ReferralEventSerializer(many=True, help_text="Oldest first.")
    feedback = FeedbackSerializer(many=True, help_text="Newest first.")

    class Meta:
        model = Referral
        fields = (*ReferralSerializer.Meta.fields, "events", "feedback")
        read_only_fields = fields


class ReferralQuerySerializer(serializers.Serializer[Any]):
    """Filters of the list."""

    state = serializers.ChoiceField(STATE_CHOICES, required=False, help_text="Without it: all that are open.")
    site = serializers.SlugField(required=False, help_text="Code of the site.")
    urgency = serializers.ChoiceField(URGENCY_CHOICES, required=False)
    is_late = serializers.BooleanField(required=False, default=False, help_text="Only those whose next step is late.")


class NewStepSerializer(serializers.Serializer[Any]):
    """A step: what became known, and when it happened."""

    from_state = serializers.ChoiceField(STATE_CHOICES, help_text="The state that you saw: 409 if it is another one.")
    to = serializers.ChoiceField(STATE_CHOICES, help_text="One of `next_states`.")
    happened_on = serializers.DateField(help_text="Of `booked` the day of the appointment.")
    note = serializers.CharField(
        max_length=max_length(ReferralEvent, "note"),
        allow_blank=True,
        default="",
        help_text="Without names. Needed for a step that takes something back or ends the referral.",
    )


class NewFeedbackSerializer(serializers.Serializer[Any]):
    """What the hospital found and did."""

    from_state = serializers.ChoiceField(STATE_CHOICES, help_text="The state that you saw: 409 if it is another one.")
    examined_on = serializers.DateField()
    is_confirmed = serializers.BooleanField(help_text="Whether the hospital found what the patient was referred for.")
    right_grade = serializers.IntegerField(min_value=0, max_value=4, allow_null=True, default=None, help_text="ICDR.")
    left_grade = serializers.IntegerField(min_value=0, max_value=4, allow_null=True, default=None, help_text="ICDR.")
    right_oedema = serializers.ChoiceField(MACULAR_OEDEMA_CHOICES, default=MacularOedema.UNKNOWN.value)
    left_oedema = serializers.ChoiceField(MACULAR_OEDEMA_CHOICES, default=MacularOedema.UNKNOWN.value)
    treatment = serializers.ChoiceField(TREATMENT_CHOICES)
    note = serializers.CharField(
        max_length=max_length(ReferralFeedback, "note"), allow_blank=True, default="", help_text="Without names."
    )

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """The entries as the service takes them."""
        found = super().to_internal_value(data)
        grades = {eye: found.pop(f"{side}_grade") for eye, side in _SIDES.items()}
        found["grades"] = {eye: None if one is None else ICDRGrade(one) for eye, one in grades.items()}
        found["oedema"] = {eye: MacularOedema(found.pop(f"{side}_oedema")) for eye, side in _SIDES.items()}
        found["treatment"] = Treatment(found["treatment"])
        return dict(found)
