"""Errors."""

from rest_framework import serializers


class ErrorSerializer(serializers.Serializer[dict[str, object]]):
    """An error: a code for programs, a message for people, and a message for each wrong field."""

    code = serializers.CharField(help_text="For programs. Codes are the same in all releases.")
    message = serializers.CharField(help_text="For people: what is wrong and what to do.")
    fields = serializers.DictField(  # type: ignore[assignment]  # the name in the API; DRF keeps its fields elsewhere
        child=serializers.CharField(), help_text="A message for each wrong field. Often empty."
    )


class PatientConflictSerializer(ErrorSerializer):
    """The number is registered, or a question must be answered before the patient is saved."""

    existing_id = serializers.UUIDField(required=False, help_text="With `patient_exists`: `id` of that patient.")
    existing_ids = serializers.ListField(
        child=serializers.UUIDField(), required=False, help_text="With a question: `id` of each similar patient."
    )
    confirm = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        help_text="With a question: send this list as `confirm`, with the same details, after a person has checked.",
    )


class ExistingSerializer(ErrorSerializer):
    """A conflict with an existing record."""

    existing_id = serializers.UUIDField(help_text="`id` of the existing record.")


class UploadConflictSerializer(ErrorSerializer):
    """A photograph that is not stored, or not before a question is answered."""

    confirm = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        help_text="With a question: send each of these as `confirm`, after a person has checked, to store it.",
    )
    existing_id = serializers.UUIDField(
        required=False, help_text="`id` of the photograph that is the same picture, if you may see it."
    )
